import HTTPWire
import MockServeCore
import NIOCore

/// Answers exchanges. Chosen once, at start.
protocol ExchangeResponder: Sendable {
    /// What answers the exchanges of one event loop. Called there, for every connection.
    func responder(on eventLoop: any EventLoop) -> any LoopResponder

    /// No new exchange will come. Completes when everything this responder has under way is done, at the latest at
    /// `deadline`.
    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void>
}

/// Answers the exchanges of one event loop, on that event loop.
protocol LoopResponder: AnyObject {
    /// A request head has come in. What is returned gets the rest of the request; it may answer at any time.
    func respond(to exchange: Exchange) -> any ExchangeReceiver

    /// The whole response to a request without a body, as it goes over the wire, if there is nothing to wait for and nothing
    /// to be made for this client alone. Asked before `respond`, which need not be asked then.
    ///
    /// - Parameters:
    ///   - sent: its bytes, to know it by when it comes again.
    ///   - origin: by which the client knows the server.
    func preparedAnswer(
        to request: RequestHead,
        sent: ByteBuffer,
        from origin: Origin,
        _ upstreamIndex: Int
    ) -> ByteBuffer?

    /// The same for a request of which the bytes are those of an earlier one, before anything of it is read.
    func preparedAnswer(toSame sent: ByteBuffer, _ upstreamIndex: Int) -> ByteBuffer?

    /// Whether it prepares answers.
    var preparesAnswers: Bool { get }
}

extension LoopResponder {
    var preparesAnswers: Bool { false }

    func preparedAnswer(
        to request: RequestHead,
        sent: ByteBuffer,
        from origin: Origin,
        _ upstreamIndex: Int
    ) -> ByteBuffer? { nil }

    func preparedAnswer(toSame sent: ByteBuffer, _ upstreamIndex: Int) -> ByteBuffer? { nil }
}

extension ExchangeResponder where Self: LoopResponder {
    func responder(on eventLoop: any EventLoop) -> any LoopResponder { self }
}

extension ExchangeResponder {
    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        eventLoop.makeSucceededVoidFuture()
    }
}

/// Takes what follows the head of a request. All calls come on the event loop of the exchange.
protocol ExchangeReceiver: AnyObject {
    func receive(_ bytes: ByteBuffer)
    func receiveEnd(trailers: Fields)
    /// The client's connection is gone, or the rest of the request was malformed. Nothing comes after this.
    func connectionLost()
    /// What was written has gone out, and `Exchange.isWritable` is true again.
    func writabilityRestored()
}

/// What carries an exchange's answer to the client.
protocol ExchangeTransport: AnyObject {
    var isWritable: Bool { get }
    var eventLoop: any EventLoop { get }
    /// Whether an answer as it was prepared for any client fits this one: `GET` or the like in HTTP/1.1, with the connection
    /// kept afterwards.
    var takesPrepared: Bool { get }
    func sendPrepared(_ bytes: ByteBuffer)
    func sendInformational(_ head: ResponseHead)
    func sendHead(_ head: ResponseHead, length: BodyFraming)
    func startChunk(size: Int)
    func send(_ bytes: ByteBuffer)
    func flush()
    func finish(trailers: Fields)
    func abort(_ end: AnswerCut.End)
    func pauseRequest(_ isPaused: Bool)
}

/// One request and the way to answer it. Belongs to one event loop; after the connection is lost its calls do nothing.
final class Exchange {
    let request: RequestHead
    /// The origin by which the client knows this server: from its `Host`, otherwise the listener's own.
    let servedOrigin: Origin
    /// Which of the listeners the request came in by.
    let upstreamIndex: Int
    let eventLoop: any EventLoop
    /// Set if the journal keeps what is said.
    var log: ExchangeLog?
    /// Nil once the exchange is over.
    var transport: (any ExchangeTransport)?

    init(
        request: RequestHead,
        servedOrigin: Origin,
        upstreamIndex: Int,
        transport: any ExchangeTransport
    ) {
        self.request = request
        self.servedOrigin = servedOrigin
        self.upstreamIndex = upstreamIndex
        self.transport = transport
        eventLoop = transport.eventLoop
    }

    var isWritable: Bool { transport?.isWritable ?? true }

    var takesPrepared: Bool { log == nil && transport?.takesPrepared ?? false }

    /// A whole response as it goes over the wire, of an exchange that takes such.
    func answer(prepared bytes: ByteBuffer) {
        transport?.sendPrepared(bytes)
        transport = nil
    }

    /// A 1xx response. HTTP/1.0 clients get none.
    func sendInformational(_ head: ResponseHead) { transport?.sendInformational(head) }

    /// Tells a client that waits with its body to send it (RFC 9110 §10.1.1).
    func sendContinueIfExpected() {
        guard request.expectsContinue else { return }
        sendInformational(ResponseHead(status: 100, reason: Array("Continue".utf8)))
    }

    /// - Parameter length: how long the body will be: `.none` and `.length` exactly, otherwise not known yet.
    func sendHead(_ head: ResponseHead, length: BodyFraming) {
        log?.begin(head)
        transport?.sendHead(head, length: length)
    }

    /// Says that the next `size` bytes are to be one chunk, if the client is sent chunks.
    func startChunk(size: Int) { transport?.startChunk(size: size) }

    /// Body bytes. Outside a started chunk they are a chunk of their own, if the client is sent chunks.
    func send(_ bytes: ByteBuffer) {
        log?.append(response: bytes)
        transport?.send(bytes)
    }

    func flush() { transport?.flush() }

    /// Ends the response.
    func finish(trailers: Fields = Fields()) {
        transport?.finish(trailers: trailers)
        transport = nil
    }

    /// Ends the connection after what was sent so far has gone out, so that the client sees that the response is not complete.
    ///
    /// - Parameter end: a reset where the client could take the mere end of the connection for the end of the response.
    func abort(_ end: AnswerCut.End = .reset) {
        transport?.abort(end)
        transport = nil
    }

    /// Stops and starts reading the request body.
    func pauseRequest(_ isPaused: Bool) { transport?.pauseRequest(isPaused) }

    /// A whole answer at once.
    func answer(_ head: ResponseHead, body: [UInt8]) {
        sendHead(head, length: .length(body.count))
        if !body.isEmpty { send(ByteBuffer(bytes: body)) }
        finish()
    }
}
