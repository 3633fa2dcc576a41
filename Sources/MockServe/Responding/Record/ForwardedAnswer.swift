import HTTPMessages
import MockServeCore
import NIOCore

/// An answer on its way to the client: mapped, and sent on as it arrives, except for its end. `release` sends what is
/// held, once the interaction is committed.
final class ForwardedAnswer {
    private let exchange: Exchange
    private let map: OriginMap
    private var head: ResponseHead?
    private var mapping: BodyMapping?
    private var gatherer = ChunkGatherer()
    /// The pieces that the upstream marked in a collected body.
    private var marks: [Int] = []
    private var hasMarks = false
    private var pieceRemaining = 0
    private var received = 0
    private var held: HeldEnd?
    private(set) var hasSentHead = false
    /// Whether something was written that is not flushed yet.
    private var mustFlush = false
    /// Whether part of the answer was already sent to the client.
    private(set) var isStreaming = false

    /// What the client gets only after the commit.
    private enum HeldEnd {
        case head(ResponseHead, BodyLength)
        case lastByte(ByteBuffer)
    }

    init(_ exchange: Exchange, _ map: OriginMap) {
        self.exchange = exchange
        self.map = map
    }

    func sendInformational(_ head: ResponseHead) { exchange.sendInformational(map.mapResponse(head)) }

    func begin(_ head: ResponseHead) {
        self.head = head
        mapping = map.responseBodyMapping(for: head)
        if isCollecting { return }
        let mapped = map.mapResponse(head)
        let length = mapping == nil ? head.bodyLength : .unknown
        if head.bodyLength.isEmpty || exchange.request.isHEAD {
            held = .head(mapped, length)
        } else {
            send(mapped, length)
        }
    }

    private func send(_ head: ResponseHead, _ length: BodyLength) {
        hasSentHead = true
        exchange.sendHead(head, length: length)
        mustFlush = true
    }

    /// An answer that arrives at once is also sent at once, after the commit. Of a streamed one only the end waits.
    func flush() {
        guard mustFlush else { return }
        mustFlush = false
        isStreaming = true
        exchange.flush()
    }

    func mark(piece size: Int) {
        hasMarks = true
        pieceRemaining = size
        if mapping == nil { exchange.mark(piece: size) } else if isCollecting { note(piece: size) }
    }

    /// Notes a piece of a collected body, which is sent as it arrived if nothing in it is replaced.
    private func note(piece size: Int) {
        if marks.count < ChunkLog.limit { marks.append(size) } else { marks[marks.count - 1] += size }
    }

    func send(_ bytes: ByteBuffer) {
        received += bytes.readableBytes
        mustFlush = true
        guard mapping != nil else { return exchange.send(holdingLastByte(bytes)) }
        let mapped = mapping?.push(Array(bytes.readableBytesView)) ?? []
        if mapping?.isUnchanged == true { return startUnchangedBody(mapped) }
        if !isCollecting { startMappedBody() }
        pieceRemaining -= bytes.readableBytes
        exchange.send(ByteBuffer(bytes: gatherer.push(mapped, endsChunk: pieceRemaining <= 0)))
    }

    /// The body is no longer collected: from here on it is sent as it arrives.
    private func startMappedBody() {
        guard !hasSentHead, let head else { return }
        marks = []
        send(map.mapResponse(head), .unknown)
    }

    /// It turned out that nothing in this body is replaced: from here on it is sent as it arrives.
    private func startUnchangedBody(_ bytes: [UInt8]) {
        mapping = nil
        guard let head else { return }
        send(map.mapResponse(head), head.bodyLength)
        if hasMarks { sendAsItCame(bytes) } else { exchange.send(holdingLastByte(ByteBuffer(bytes: bytes))) }
    }

    /// Sends what was held of a body, in the pieces in which it arrived. The last one may be incomplete.
    private func sendAsItCame(_ bytes: [UInt8]) {
        var rest = ByteBuffer(bytes: bytes)
        guard hasMarks else { return exchange.send(rest) }
        for size in marks {
            exchange.mark(piece: size)
            if let part = rest.readSlice(length: min(size, rest.readableBytes)) { exchange.send(part) }
        }
        marks = []
    }

    /// The last byte of a body of known length is its end; other bodies have an end mark.
    private func holdingLastByte(_ bytes: ByteBuffer) -> ByteBuffer {
        guard case .known(let length) = head?.bodyLength, received == length else { return bytes }
        var bytes = bytes
        let body = bytes.readSlice(length: bytes.readableBytes - 1) ?? ByteBuffer()
        held = .lastByte(bytes)
        return body
    }

    private var isCollecting: Bool { mapping?.isCollecting == true }

    /// Sends what was held, and ends the answer as the upstream did.
    func release(trailers: Fields, _ cut: AnswerCut?) {
        if mapping != nil, let head {
            let wasCollecting = isCollecting
            let rest = mapping?.finish() ?? []
            if wasCollecting { exchange.sendHead(map.mapResponse(head), length: mappedLength(rest.count, cut)) }
            if wasCollecting, mapping?.isUnchanged == true {
                sendAsItCame(rest)
            } else {
                exchange.send(ByteBuffer(bytes: gatherer.finish(rest)))
            }
        }
        switch held {
        case .head(let head, let length): exchange.sendHead(head, length: length)
        case .lastByte(let bytes): exchange.send(bytes)
        case nil: break
        }
        if let cut { exchange.abort(cut.end) } else { exchange.finish(trailers: trailers) }
    }

    /// A body with a known length keeps one; another gets none. If the body was cut, the mapped one lacks as many
    /// bytes.
    private func mappedLength(_ count: Int, _ cut: AnswerCut?) -> BodyLength {
        guard case .known(let length) = head?.bodyLength else { return .unknown }
        return .known(cut == nil ? count : count + max(1, length - received))
    }
}
