import HTTPMessages
import MockServeCore
import NIOCore

/// An answer on its way to the client: mapped, and sent on as it comes, but for its end. What is held of it goes out with `release`,
/// when the interaction has been committed.
final class ForwardedAnswer {
    private let exchange: Exchange
    private let map: OriginMap
    private var head: ResponseHead?
    private var mapping: BodyMapping?
    private var gatherer = ChunkGatherer()
    /// Pieces that the upstream marked, if it did.
    private var marks: [Int] = []
    private var hasMarks = false
    private var pieceRemaining = 0
    private var received = 0
    private var held: HeldEnd?
    private(set) var hasSentHead = false
    /// Whether something was written that is not on its way yet.
    private var mustFlush = false
    /// Whether the client has something of the answer already.
    private(set) var isStreaming = false

    /// What the client is not sent before the commit.
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

    /// An answer that came as a whole is written as a whole, after the commit. Of a stream only the end waits for that.
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

    /// What is held of a body is sent as it came, if nothing in it is to be replaced.
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

    /// A collected body turned out too long: it goes out as it comes from here on.
    private func startMappedBody() {
        guard !hasSentHead, let head else { return }
        marks = []
        send(map.mapResponse(head), .unknown)
    }

    /// It has turned out that nothing is replaced in this body: it goes out as it comes.
    private func startUnchangedBody(_ bytes: [UInt8]) {
        mapping = nil
        guard let head else { return }
        send(map.mapResponse(head), head.bodyLength)
        if hasMarks { sendAsItCame(bytes) } else { exchange.send(holdingLastByte(ByteBuffer(bytes: bytes))) }
    }

    /// What was held of a body, in the pieces in which it came. The last one may not be complete yet.
    private func sendAsItCame(_ bytes: [UInt8]) {
        var rest = ByteBuffer(bytes: bytes)
        guard hasMarks else { return exchange.send(rest) }
        for size in marks {
            exchange.mark(piece: size)
            if let part = rest.readSlice(length: min(size, rest.readableBytes)) { exchange.send(part) }
        }
        marks = []
    }

    /// Of a body of known length the last byte is the end; of others the end is a mark of its own.
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

    /// What had a length has one, what had none has none. Of a body that was cut, what is missing of it is missing of the mapped
    /// one too.
    private func mappedLength(_ count: Int, _ cut: AnswerCut?) -> BodyLength {
        guard case .known(let length) = head?.bodyLength else { return .unknown }
        return .known(cut == nil ? count : count + max(1, length - received))
    }
}
