import HTTPMessages
import MockServeCore
import NIOCore

/// Answers exchanges: a replay, a recording, users' handlers. Chosen once, at start. Services stand in a row: each answers an exchange
/// or gives it to the next.
protocol ExchangeService: Sendable {
    /// Its part for one event loop. Called there, for every connection.
    func handler(on eventLoop: any EventLoop) -> any ExchangeHandler

    /// No new exchange will come. Completes when everything it has under way is done, at the latest at
    /// `deadline`.
    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void>
}

/// Answers the exchanges of one event loop, on that event loop.
protocol ExchangeHandler: AnyObject {
    /// A request head has come in. What is returned gets the rest of the request; it may answer at any time.
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

/// Takes what follows the head of a request. All calls come on the event loop of the exchange.
protocol ExchangeReceiver: AnyObject {
    func receive(_ bytes: ByteBuffer)
    func receiveEnd(trailers: Fields)
    /// The client's connection is gone, or the rest of the request was malformed. Nothing comes after this.
    func connectionLost()
    /// What was written has gone out, and `Exchange.isWritable` is true again.
    func writabilityRestored()
}

/// What carries an exchange's answer to the client, in its version of HTTP.
protocol ExchangeTransport: AnyObject {
    var isWritable: Bool { get }
    var eventLoop: any EventLoop { get }
    func sendInformational(_ head: ResponseHead)
    func sendHead(_ head: ResponseHead, length: BodyLength)
    func mark(piece size: Int)
    func send(_ bytes: ByteBuffer)
    func flush()
    func finish(trailers: Fields)
    func abort(_ end: AnswerCut.End)
    func pauseRequest(_ isPaused: Bool)
}

extension ExchangeTransport {
    /// Versions of HTTP that know no pieces leave the mark alone.
    func mark(piece size: Int) {}
}
