import CassetteStore
import ContentCoding
import HTTPMessages
import MockServeCore
import NIOCore

/// Plays a recorded response to one client: informational responses, head, body in its recorded pieces and, if wanted,
/// with its recorded timing, trailers. Holds one slice of the body at a time and sends no faster than the client reads.
final class BodyPlayer {
    /// Bodies up to this size are decoded as a whole, so that their new length can be announced: 4 MiB.
    private static let wholeLimit = 4 << 20

    private let answer: RecordedAnswer
    private let exchange: Exchange
    private let slices: SliceReader
    private let speed: Double
    private var head: ResponseHead
    /// Whether its pieces were chunks, rather than reads of a socket.
    private let isInChunks: Bool
    /// Content codings that are removed for this client.
    private var undone: [ContentCoding] = []
    private var decoder: DecoderChain?
    /// Whether the decoder has more output for what it was fed, and whether that completes a recorded chunk.
    private var isDecoding = false
    private var endsChunk = false
    private var mapping: BodyMapping?
    private var gatherer = ChunkGatherer()
    private var pieces: PieceSchedule
    private let startTime = NIODeadline.now()
    private var headTime = NIODeadline.now()
    private var timer: Scheduled<Void>?
    private var hasSentHead = false
    private var isStopped = false
    private var isPlaying = false
    /// Since when somebody else has had the cassette locked.
    private var busySince: NIODeadline?
    private var hasSentInformational = false
    /// Whether the recorded answer could not be played.
    private(set) var hasFailed = false
    /// Called with the reason.
    var whenFailed: ((any Error) -> Void)?

    init(_ answer: RecordedAnswer, _ exchange: Exchange, slices: SliceReader, map: OriginMap, speed: Double) {
        self.answer = answer
        self.exchange = exchange
        self.slices = slices
        self.speed = speed
        pieces = PieceSchedule(answer)
        head = answer.head
        isInChunks = answer.head.isChunked
        if !pieces.isEmpty { adaptCoding() }
        if !pieces.isEmpty, !slices.isWhole({ map.leaves(body: $0, of: answer.head) }) {
            mapping = map.responseBodyMapping(for: head, beginning: undone.isEmpty ? slices.beginning : nil)
        }
        head = map.mapResponse(head)
    }

    /// Decodes the body for a client that does not accept the recorded content coding (RFC 9110 §12.5.3).
    private func adaptCoding() {
        let names = listMembers(head.fields.values("content-encoding"))
        guard head.status != 206, !exchange.request.accepts(names), !asksAsRecorded else { return }
        let codings = names.compactMap { ContentCoding($0) }
        guard codings.count == names.count, isCoded(codings) else { return }
        undone = codings
        decoder = DecoderChain(codings)
        head.fields = head.fields.filter { !$0.isNamed("content-encoding") }
    }

    /// Whether the body begins as one in these codings does. If its label is wrong, it is sent as it was recorded.
    private func isCoded(_ codings: [ContentCoding]) -> Bool {
        let decoder = DecoderChain(codings)
        decoder.feed(slices.beginning)
        // That there is no output yet says nothing.
        do { _ = try decoder.next() } catch { return false }
        return true
    }

    /// A server may send what the client did not accept. A client that asks like the recorded one gets what that got.
    private var asksAsRecorded: Bool { (try? slices.asksAsRecorded(exchange.request, answer.id)) ?? false }

    func start() { schedule(at: startTime + delay(answer.firstByte ?? 0)) }

    /// A recorded time, as it is replayed: a year at most, whatever a cassette says.
    private func delay(_ milliseconds: Int) -> TimeAmount {
        guard speed > 0 else { return .nanoseconds(0) }
        return .milliseconds(Int64(min(max(0, Double(milliseconds) / speed), 365 * 86_400_000)))
    }

    func stop() {
        isStopped = true
        timer?.cancel()
    }

    /// The client reads again.
    func resume() {
        if timer == nil { run() }
    }

    private func schedule(at moment: NIODeadline) {
        if moment > .now() { wait(until: moment) } else { run() }
    }

    private func wait(until moment: NIODeadline) {
        exchange.flush()
        let bound = NIOLoopBound(self, eventLoop: exchange.eventLoop)
        timer = exchange.eventLoop.scheduleTask(deadline: moment) {
            bound.value.timer = nil
            bound.value.run()
        }
    }

    private func run() {
        // A flush may make the connection writable at once, which calls this from inside `play`.
        guard !isStopped, !isPlaying else { return }
        isPlaying = true
        defer { isPlaying = false }
        do {
            try play()
            busySince = nil
        } catch is PlaybackReader.Busy where .now() - (busySince ?? .now()) < LockPatience.limit {
            busySince = busySince ?? .now()
            wait(until: .now() + LockPatience.pause)
        } catch {
            isStopped = true
            hasFailed = true
            whenFailed?(error)
            if hasSentHead { return exchange.abort() }
            let problem = Problem(
                status: 500,
                title: "The cassette cannot be played",
                detail: String(describing: error)
            )
            exchange.answer(problem)
        }
    }

    private func play() throws {
        if !hasSentHead { try sendHead() }
        while true {
            guard try !isDecoding || sendDecoded() else { return }
            guard let piece = pieces.next else { break }
            if !exchange.isWritable {
                exchange.flush()
                guard exchange.isWritable else { return }
            }
            if speed > 0, piece.isStart {
                let moment = headTime + delay(piece.offset)
                guard moment <= .now() else { return schedule(at: moment) }
            }
            try send(piece)
            if isStopped { return }
        }
        if let cut = answer.cut, speed > 0, !exchange.request.isHEAD {
            let moment = headTime + delay(cut.offset)
            guard moment <= .now() else { return schedule(at: moment) }
        }
        if let decoder, !exchange.request.isHEAD, answer.cut == nil { try decoder.finish() }
        isStopped = true
        if isChanged { try sendRest() }
        guard let cut = answer.cut, !exchange.request.isHEAD else { return exchange.finish(trailers: answer.trailers) }
        exchange.abort(cut.end)
    }

    private var isChanged: Bool { mapping != nil || decoder != nil }

    // MARK: Head

    private func sendHead() throws {
        if !hasSentInformational { sendInformational() }
        guard try !sendWhole() else { return }
        headTime = .now()
        hasSentHead = true
        // For `HEAD` the body matters only by its length.
        if exchange.request.isHEAD { pieces = PieceSchedule() }
        // The new length is not known.
        if isChanged { head.fields = head.fields.filter { !$0.isNamed("content-length") } }
        exchange.sendHead(head, length: isChanged ? .unknown : answer.head.bodyLength)
        if speed > 0 { exchange.flush() }
    }

    private func sendInformational() {
        hasSentInformational = true
        for informational in answer.informational where informational.status != 100 || !exchange.request.expectsContinue
        {
            exchange.sendInformational(informational)
        }
    }

    /// Bytes that a cut answer announced but that never arrived.
    private var missing: Int {
        guard answer.cut != nil, case .known(let bytes) = answer.head.bodyLength else { return 0 }
        return max(1, bytes - (answer.body?.size ?? 0))
    }

    /// Sends a changed body of known length with its new length, unless it is too long to hold. A body that would be
    /// held anyway, and in which nothing is replaced, is played as it was recorded.
    private func sendWhole() throws -> Bool {
        let isHeld = mapping?.isCollecting == true && decoder == nil
        var saysLength = false
        if case .known = answer.head.bodyLength, speed == 0 { saysLength = isChanged }
        guard saysLength || isHeld, let size = answer.body?.size, size <= Self.wholeLimit else { return false }
        let start = pieces
        var bytes: [UInt8] = []
        do {
            while let piece = pieces.next { bytes += try read(piece) }
        } catch {
            pieces = start
            throw error
        }
        var decoded = bytes
        for coding in undone.reversed() {
            guard let output = try? coding.decode(decoded, limit: Self.wholeLimit * 4) else {
                // Too long to hold, or invalid further on.
                pieces = start
                return false
            }
            decoded = output
        }
        if var mapping {
            decoded = mapping.push(decoded) + mapping.finish()
            if mapping.isUnchanged, decoder == nil { self.mapping = nil }
        }
        guard saysLength else {
            pieces = start
            return false
        }
        decoder = nil
        mapping = nil
        hasSentHead = true
        exchange.sendHead(head, length: .known(decoded.count + missing))
        exchange.send(ByteBuffer(bytes: decoded))
        return true
    }

    // MARK: Body

    private func read(_ piece: PieceSchedule.Piece) throws -> [UInt8] {
        let buffer = try slices.read(at: piece.position, count: piece.size)
        pieces.advance(by: buffer.readableBytes)
        return Array(buffer.readableBytesView)
    }

    private func send(_ piece: PieceSchedule.Piece) throws {
        guard !isChanged else {
            let bytes = try read(piece)
            guard let decoder else { return send(changed: bytes, endsChunk: piece.isEnd) }
            decoder.feed(bytes)
            (isDecoding, endsChunk) = (true, piece.isEnd)
            return
        }
        if piece.isStart, isInChunks { exchange.mark(piece: piece.total) }
        let buffer = try slices.read(at: piece.position, count: piece.size)
        pieces.advance(by: buffer.readableBytes)
        exchange.send(buffer)
        if speed > 0 || piece.total > BodySlices.size { exchange.flush() }
    }

    /// Sends what the decoder makes of its input, no faster than the client reads: a few bytes may become very many.
    ///
    /// - Returns: false if the client must read first.
    private func sendDecoded() throws -> Bool {
        while true {
            if !exchange.isWritable {
                exchange.flush()
                guard exchange.isWritable else { return false }
            }
            guard let bytes = try decoder?.next() else { break }
            send(changed: bytes, endsChunk: false)
        }
        isDecoding = false
        send(changed: [], endsChunk: endsChunk)
        return true
    }

    private func send(changed bytes: [UInt8], endsChunk: Bool) {
        let mapped = mapping == nil ? bytes : mapping?.push(bytes) ?? []
        exchange.send(ByteBuffer(bytes: gatherer.push(mapped, endsChunk: endsChunk)))
        if speed > 0, endsChunk { exchange.flush() }
    }

    private func sendRest() throws {
        let rest = mapping?.finish() ?? []
        exchange.send(ByteBuffer(bytes: gatherer.finish(rest)))
    }
}
