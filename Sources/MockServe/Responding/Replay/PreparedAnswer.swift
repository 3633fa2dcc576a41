import HTTPMessages
import HTTPWire
import MockServeCore
import NIOCore
import Synchronization

/// A whole response for any client that it fits.
final class PreparedAnswer: Sendable {
    /// Bytes of a body up to which its answer is prepared: one slice.
    static let bodyLimit = 256 << 10

    let status: Int
    /// As HTTP/1.1 sends it.
    let bytes: ByteBuffer
    /// The content codings of the body, which not every client accepts.
    let codings: [ArraySlice<UInt8>]
    /// The mapping of origins in it.
    let map: OriginMap
    private let ofHTTP2 = Mutex<HTTP2Answer?>(nil)

    init(status: Int, bytes: ByteBuffer, codings: [ArraySlice<UInt8>], map: OriginMap) {
        self.status = status
        self.bytes = bytes
        self.codings = codings
        self.map = map
    }

    /// As HTTP/2 sends it: made when it is first asked for.
    var forHTTP2: HTTP2Answer {
        ofHTTP2.withLock { known in
            if let known { return known }
            let answer = HTTP2Answer(http1: bytes)
            known = answer
            return answer
        }
    }

    /// Whether this may be sent to a client that sent `request`.
    func fits(_ request: RequestHead, _ map: OriginMap) -> Bool {
        self.map === map && request.accepts(codings)
    }
}

/// Collects the answer of an exchange as the bytes of one response.
final class AnswerPress: ExchangeTransport {
    private let request: RequestHead
    private var encoder = ResponseEncoder(holdsBody: true)
    private var isComplete = false
    private var isBroken = false
    let eventLoop: any EventLoop
    let isWritable = true

    private init(_ request: RequestHead, _ eventLoop: any EventLoop) {
        self.request = request
        self.eventLoop = eventLoop
    }

    /// An answer of known length whose body is sent as it was recorded; nil for any other.
    ///
    /// - Parameter body: as much of it as was read.
    static func plain(_ answer: RecordedAnswer, _ body: ByteBuffer, _ request: RequestHead, _ map: OriginMap)
        -> ByteBuffer?
    {
        guard case .known(let size) = answer.head.bodyLength, body.readableBytes == size, answer.informational.isEmpty,
            answer.trailers.isEmpty, answer.cut == nil,
            body.withUnsafeReadableBytes({ map.leaves(body: $0, of: answer.head) })
        else { return nil }
        let head = map.mapResponse(answer.head)
        let framing = ResponseFraming(head, length: .known(size), answers: request, closes: false)
        guard framing.hasBody, !framing.closes else { return nil }
        var output = ByteBuffer()
        output.reserveCapacity(framing.headSize + size)
        output.writeResponseHead(framing.head)
        output.writeImmutableBuffer(body)
        return output
    }

    /// What `answer` sends for this request; nil unless it answers at once and completely.
    ///
    /// - Parameter origin: under which the client knows the server.
    static func press(
        _ request: RequestHead,
        from origin: Origin,
        on eventLoop: any EventLoop,
        _ answer: (Exchange) -> Void
    ) -> ByteBuffer? {
        let press = AnswerPress(request, eventLoop)
        answer(Exchange(request: request, servedOrigin: origin, upstream: nil, transport: press))
        return press.isComplete && !press.isBroken ? press.encoder.output : nil
    }

    func sendInformational(_ head: ResponseHead) { encoder.writeInformational(head) }

    func sendHead(_ head: ResponseHead, length: BodyLength) {
        encoder.begin(head, length: length, answers: request, closes: false)
    }

    func mark(piece size: Int) { encoder.startChunk(size: size) }

    func send(_ bytes: ByteBuffer) {
        guard encoder.beginPiece(bytes.readableBytes) else { return }
        encoder.output.writeImmutableBuffer(bytes)
        encoder.endPiece(bytes.readableBytes)
    }

    func flush() {}

    func finish(trailers: Fields) {
        // HTTP/1.1 carries them after chunks only, HTTP/2 always.
        if !trailers.isEmpty, encoder.framing?.isChunked != true { isBroken = true }
        if encoder.finish(trailers: trailers) != false { isBroken = true }
        isComplete = true
    }

    /// Whoever has a fault gets no prepared answer.
    func abort(sending bytes: ByteBuffer) {}

    func abort(_ end: AnswerCut.End) { isBroken = true }

    func pauseRequest(_ isPaused: Bool) {}
}
