import HTTPMessages
import MockServeCore
import NIOCore

/// Answers exchanges: a replay, a recording, a user's handlers. Chosen once, at start. Services form a chain: each
/// answers an exchange or passes it to the next.
protocol ExchangeService: Sendable {
    /// The service's part on one event loop. Called on that event loop, for every connection.
    func handler(on eventLoop: any EventLoop) -> any ExchangeHandler

    /// No new exchange will come. Completes when all exchanges under way are done, or soon after `deadline`.
    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void>
}

/// Answers the exchanges of one event loop, on that event loop.
protocol ExchangeHandler: AnyObject {
    /// Takes an exchange whose request head has arrived. The result gets the rest of the request, and may answer at any
    /// time.
    func respond(to exchange: Exchange) -> any ExchangeReceiver
}

extension ExchangeService where Self: ExchangeHandler {
    func handler(on eventLoop: any EventLoop) -> any ExchangeHandler { self }
}

extension ExchangeService {
    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        eventLoop.makeSucceededVoidFuture()
    }
}

/// Takes what follows the head of a request. All calls are made on the event loop of the exchange.
protocol ExchangeReceiver: AnyObject {
    func receive(_ bytes: ByteBuffer)
    func receiveEnd(trailers: Fields)
    /// The client's connection is gone, or the rest of the request was malformed. No calls follow.
    func connectionLost()
    /// Written bytes were sent, and `Exchange.isWritable` is true again.
    func writabilityRestored()
}

/// Sends the answer of an exchange to the client, in the client's version of HTTP.
protocol ExchangeTransport: AnyObject {
    var isWritable: Bool { get }
    var eventLoop: any EventLoop { get }
    func sendInformational(_ head: ResponseHead)
    func sendHead(_ head: ResponseHead, length: BodyLength)
    /// As `Exchange.mark` says. Where there are no chunks, it means nothing.
    func mark(piece size: Int)
    func send(_ bytes: ByteBuffer)
    func flush()
    func finish(trailers: Fields)
    func abort(_ end: AnswerCut.End)
    func abort(sending bytes: ByteBuffer)
    func pauseRequest(_ isPaused: Bool)
}
