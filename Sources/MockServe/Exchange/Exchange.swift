import HTTPMessages
import MockServeCore
import NIOCore

/// One request and the way to answer it. Belongs to one event loop; after the connection is lost its calls do nothing.
final class Exchange {
    let request: RequestHead
    /// The origin by which the client knows this server: from its `Host`, otherwise the listener's own.
    let servedOrigin: Origin
    /// Which upstream the request is for; nil if the server stands for none.
    let upstream: ServedUpstream?
    let eventLoop: any EventLoop
    /// Set if the journal keeps what is said.
    var log: ExchangeLog? {
        // What is prepared says nothing of itself.
        didSet { shortCut = nil }
    }
    private var transport: (any ExchangeTransport)?
    /// As `PreparedAnswerTransport` says.
    private var shortCut: (any PreparedAnswerTransport)?

    init(
        request: RequestHead,
        servedOrigin: Origin,
        upstream: ServedUpstream?,
        transport: any ExchangeTransport,
        shortCut: (any PreparedAnswerTransport)? = nil
    ) {
        self.request = request
        self.servedOrigin = servedOrigin
        self.upstream = upstream
        self.transport = transport
        self.shortCut = shortCut
        eventLoop = transport.eventLoop
    }

    /// The origin of its upstream; empty if there is none.
    var originText: String { upstream?.originText ?? "" }

    /// The exchange is over, or nobody takes its answer any more.
    func detach() {
        transport = nil
        shortCut = nil
    }

    var isWritable: Bool { transport?.isWritable ?? true }

    /// Whether it may be answered by bytes that are ready, instead of all else.
    var takesPrepared: Bool { shortCut?.takesPrepared ?? false }

    /// A whole response as it goes over the wire, of an exchange that takes such.
    func answer(prepared bytes: ByteBuffer) {
        shortCut?.sendPrepared(bytes)
        detach()
    }

    /// A 1xx response. HTTP/1.0 clients get none.
    func sendInformational(_ head: ResponseHead) { transport?.sendInformational(head) }

    /// Tells a client that waits with its body to send it (RFC 9110 §10.1.1).
    func sendContinueIfExpected() {
        guard request.expectsContinue else { return }
        sendInformational(ResponseHead(status: 100, reason: Array("Continue".utf8)))
    }

    /// - Parameter length: how long the body will be: or that it is not known yet.
    func sendHead(_ head: ResponseHead, length: BodyLength) {
        log?.begin(head)
        transport?.sendHead(head, length: length)
    }

    /// Says that the next `size` bytes of the body were one piece when they were recorded. In HTTP/1.1 they become one chunk, if the
    /// client is sent chunks.
    func mark(piece size: Int) { transport?.mark(piece: size) }

    /// Body bytes. Outside of a marked piece they are a piece of their own.
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

    /// Ends the connection after what was sent so far has gone out, so that the client sees that the response is not complete.
    ///
    /// - Parameter end: a reset where the client could take the mere end of the connection for the end of the response.
    func abort(_ end: AnswerCut.End = .reset) {
        transport?.abort(end)
        detach()
    }

    /// Stops and starts reading the request body.
    func pauseRequest(_ isPaused: Bool) { transport?.pauseRequest(isPaused) }

    /// A whole answer at once.
    func answer(_ head: ResponseHead, body: [UInt8]) {
        sendHead(head, length: .known(body.count))
        if !body.isEmpty { send(ByteBuffer(bytes: body)) }
        finish()
    }
}
