import HTTPMessages
import MockServeCore
import NIOCore

/// One request and the way to answer it. Belongs to one event loop. After the connection is lost, its calls do nothing.
final class Exchange {
    let request: RequestHead
    /// The origin under which the client knows this server: from its `Host`, otherwise the listener's own.
    let servedOrigin: Origin
    /// The upstream that the request is for; nil if the server has none for it.
    let upstream: ServedUpstream?
    /// Nil if the client has shown no certificate.
    let client: ClientIdentity?
    let eventLoop: any EventLoop
    /// Set if the journal keeps the content of exchanges.
    var log: ExchangeLog? {
        // Prepared answers would bypass the log.
        didSet { shortCut = nil }
    }
    /// What goes wrong with the answer on purpose, for the journal; nil for nothing.
    var fault: String? {
        didSet { shortCut = nil }
    }
    /// Whether nothing goes on with it until somebody's time is up: a server that stops does not wait for that.
    var isHeld = false
    private var transport: (any ExchangeTransport)?
    /// Sends prepared answers, if the transport can.
    private var shortCut: (any PreparedAnswerTransport)?

    init(
        request: RequestHead,
        servedOrigin: Origin,
        upstream: ServedUpstream?,
        client: ClientIdentity? = nil,
        transport: any ExchangeTransport,
        shortCut: (any PreparedAnswerTransport)? = nil
    ) {
        self.request = request
        self.servedOrigin = servedOrigin
        self.upstream = upstream
        self.client = client
        self.transport = transport
        self.shortCut = shortCut
        eventLoop = transport.eventLoop
    }

    /// The origin of the upstream; empty if there is none.
    var originText: String { upstream?.originText ?? "" }

    /// The exchange is over, or nobody wants its answer any more.
    func detach() {
        transport = nil
        shortCut = nil
    }

    var isWritable: Bool { transport?.isWritable ?? true }

    /// Whether it may be answered with a prepared response, instead of the calls below.
    var takesPrepared: Bool { shortCut?.takesPrepared ?? false }

    /// Answers with a whole response. Only if `takesPrepared`.
    func answer(prepared answer: PreparedAnswer) {
        shortCut?.sendPrepared(answer)
        detach()
    }

    /// Sends an informational response (1xx). HTTP/1.0 clients get none.
    func sendInformational(_ head: ResponseHead) { transport?.sendInformational(head) }

    private var hasContinued = false

    /// Tells a client that waits before it sends the body to go on (RFC 9110 §10.1.1), once, however many services ask.
    func sendContinueIfExpected() {
        guard request.expectsContinue, !hasContinued else { return }
        hasContinued = true
        sendInformational(ResponseHead(status: 100, reason: Array("Continue".utf8)))
    }

    /// - Parameter length: how long the body will be, if that is known.
    func sendHead(_ head: ResponseHead, length: BodyLength) {
        log?.begin(head)
        transport?.sendHead(head, length: length)
    }

    /// Says that the next `size` bytes of the body were one piece when they were recorded. In a chunked HTTP/1.1
    /// response they become one chunk.
    func mark(piece size: Int) { transport?.mark(piece: size) }

    /// Sends bytes of the body. Outside a marked piece they are a piece of their own.
    func send(_ bytes: ByteBuffer) {
        log?.append(response: bytes)
        transport?.send(bytes)
    }

    func flush() { transport?.flush() }

    /// Ends the response.
    func finish(trailers: Fields = Fields()) {
        transport?.finish(trailers: trailers)
        detach()
    }

    /// Ends the connection once everything written so far was sent, so that the client sees that the response is
    /// incomplete.
    ///
    /// - Parameter end: how it ends. It is reset in any case if the client could take a close for the end of the
    ///   response.
    func abort(_ end: AnswerCut.End = .reset) {
        transport?.abort(end)
        detach()
    }

    /// Sends bytes as they are, instead of a response, and ends the connection.
    func abort(sending bytes: ByteBuffer) {
        transport?.abort(sending: bytes)
        detach()
    }

    /// Puts another transport in front of the one that it has. Nothing may have been sent before.
    func interpose(_ make: (any ExchangeTransport) -> any ExchangeTransport) { transport = transport.map(make) }

    /// Pauses or resumes reading the request body.
    func pauseRequest(_ isPaused: Bool) { transport?.pauseRequest(isPaused) }

    /// Sends a whole answer.
    func answer(_ head: ResponseHead, body: [UInt8]) {
        sendHead(head, length: .known(body.count))
        if !body.isEmpty { send(ByteBuffer(bytes: body)) }
        finish()
    }

    /// Sends an answer of the server's own, in the form that the client understands.
    func answer(_ problem: Problem) {
        guard request.fields.formOfGRPC != nil else { return answer(problem.response, body: problem.body) }
        answer(problem.responseOfGRPC(to: request), body: [])
    }
}
