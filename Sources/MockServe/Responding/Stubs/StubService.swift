import HTTPMessages
import MockServeCore
import NIOCore

/// Where a `StubService` finds who answers, on one event loop.
protocol StubSource: AnyObject {
    /// Whether some stub may answer, depending on what else is in the request.
    func mayAnswer(_ request: RequestHead) -> Bool

    /// Answers a request that is complete.
    ///
    /// - Returns: who gets what follows; nil if no stub takes it.
    func answer(_ exchange: Exchange, _ request: AskedRequest) -> (any ExchangeReceiver)?
}

/// Answers the requests that a stub takes, and passes the others to the next service.
final class StubService: ExchangeService {
    private let source: @Sendable (any EventLoop) -> any StubSource
    private let end: @Sendable (NIODeadline, any EventLoop) -> EventLoopFuture<Void>
    private let next: any ExchangeService
    private let bodyLimit: Int

    /// The stubs of a program.
    init(_ stubs: StubStore, bodyLimit: Int, journal: ScopeJournal, next: any ExchangeService) {
        (self.bodyLimit, self.next) = (bodyLimit, next)
        let tasks = ResponderTasks(journal)
        source = { _ in StubStore.Source(stubs, tasks) }
        end = { tasks.shutDown(deadline: $0, on: $1) }
    }

    /// The stubs of a cassette.
    init(_ stubs: CassetteStubs, bodyLimit: Int, journal: ScopeJournal, next: any ExchangeService) {
        (self.bodyLimit, self.next) = (bodyLimit, next)
        source = { _ in CassetteStubs.Source(stubs, journal) }
        end = { $1.makeSucceededVoidFuture() }
    }

    func handler(on eventLoop: any EventLoop) -> any ExchangeHandler {
        Handler(source(eventLoop), bodyLimit: bodyLimit, next: next.handler(on: eventLoop))
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        end(deadline, eventLoop).flatMap { self.next.shutDown(deadline: deadline, on: eventLoop) }
    }

    private final class Handler: ExchangeHandler {
        private let source: any StubSource
        private let bodyLimit: Int
        private let next: any ExchangeHandler

        init(_ source: any StubSource, bodyLimit: Int, next: any ExchangeHandler) {
            (self.source, self.bodyLimit, self.next) = (source, bodyLimit, next)
        }

        func respond(to exchange: Exchange) -> any ExchangeReceiver {
            guard source.mayAnswer(exchange.request) else { return next.respond(to: exchange) }
            return Receiver(exchange, source, bodyLimit: bodyLimit, next)
        }
    }

    /// Holds the request until it is clear who answers it.
    private final class Receiver: ExchangeReceiver {
        private let exchange: Exchange
        private let source: any StubSource
        private let bodyLimit: Int
        private let next: any ExchangeHandler
        private var pieces: [ByteBuffer] = []
        private var size = 0
        /// Who has the exchange once that is clear.
        private var answering: (any ExchangeReceiver)?

        init(_ exchange: Exchange, _ source: any StubSource, bodyLimit: Int, _ next: any ExchangeHandler) {
            (self.exchange, self.source, self.bodyLimit, self.next) = (exchange, source, bodyLimit, next)
            exchange.sendContinueIfExpected()
        }

        func receive(_ bytes: ByteBuffer) {
            if let answering { return answering.receive(bytes) }
            pieces.append(bytes)
            size += bytes.readableBytes
            // No stub looks at a body that is so long.
            if size > bodyLimit { pass() }
        }

        func receiveEnd(trailers: Fields) {
            if let answering { return answering.receiveEnd(trailers: trailers) }
            let body = pieces.flatMap { Array($0.readableBytesView) }
            guard let receiver = source.answer(exchange, AskedRequest(exchange.request, body: body, trailers: trailers))
            else {
                pass()
                answering?.receiveEnd(trailers: trailers)
                return
            }
            pieces = []
            answering = receiver
        }

        private func pass() {
            let receiver = next.respond(to: exchange)
            answering = receiver
            for piece in pieces { receiver.receive(piece) }
            pieces = []
        }

        func connectionLost() {
            pieces = []
            guard let answering else { return exchange.detach() }
            answering.connectionLost()
        }

        func writabilityRestored() { answering?.writabilityRestored() }
    }
}
