import HTTPMessages
import HTTPTypes
import MockServeCore
import NIOCore

/// Answers the requests that a stub takes, and passes the others to the next service.
final class StubService: ExchangeService {
    private let stubs: StubStore
    private let tasks: ResponderTasks
    private let next: any ExchangeService
    private let bodyLimit: Int

    init(_ stubs: StubStore, bodyLimit: Int, journal: ScopeJournal, next: any ExchangeService) {
        (self.stubs, self.bodyLimit, self.next) = (stubs, bodyLimit, next)
        tasks = ResponderTasks(journal)
    }

    func handler(on eventLoop: any EventLoop) -> any ExchangeHandler {
        Handler(stubs, bodyLimit: bodyLimit, tasks, next: next.handler(on: eventLoop))
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        tasks.shutDown(deadline: deadline, on: eventLoop).flatMap {
            self.next.shutDown(deadline: deadline, on: eventLoop)
        }
    }

    private final class Handler: ExchangeHandler {
        private let stubs: StubStore
        private let bodyLimit: Int
        private let tasks: ResponderTasks
        private let next: any ExchangeHandler

        init(_ stubs: StubStore, bodyLimit: Int, _ tasks: ResponderTasks, next: any ExchangeHandler) {
            (self.stubs, self.bodyLimit, self.tasks, self.next) = (stubs, bodyLimit, tasks, next)
        }

        func respond(to exchange: Exchange) -> any ExchangeReceiver {
            guard !stubs.isEmpty else { return next.respond(to: exchange) }
            let path = Target(Target.originForm(exchange.request.target)).path
            let method = String(decoding: exchange.request.method, as: UTF8.self)
            guard stubs.mayAnswer(method, String(decoding: path, as: UTF8.self)) else {
                return next.respond(to: exchange)
            }
            return Receiver(exchange, stubs, bodyLimit: bodyLimit, tasks, next)
        }
    }

    /// Holds the request until it is clear who answers it.
    private final class Receiver: ExchangeReceiver {
        private let exchange: Exchange
        private let stubs: StubStore
        private let bodyLimit: Int
        private let tasks: ResponderTasks
        private let next: any ExchangeHandler
        private var pieces: [ByteBuffer] = []
        private var size = 0
        /// Who has the exchange once that is clear.
        private var answering: (any ExchangeReceiver)?

        init(
            _ exchange: Exchange,
            _ stubs: StubStore,
            bodyLimit: Int,
            _ tasks: ResponderTasks,
            _ next: any ExchangeHandler
        ) {
            (self.exchange, self.stubs, self.bodyLimit) = (exchange, stubs, bodyLimit)
            (self.tasks, self.next) = (tasks, next)
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
            let request = MockRequest(
                head: HTTPRequest(exchange.request, origin: exchange.servedOrigin),
                body: pieces.flatMap { Array($0.readableBytesView) },
                trailers: HTTPFields(trailers),
                upstream: exchange.upstream?.name
            )
            guard let (stub, matched, before) = stubs.take(request) else {
                pass()
                answering?.receiveEnd(trailers: trailers)
                return
            }
            pieces = []
            answering = tasks.answer(exchange, matched) { request in
                var response = try await stub.answer.respond(request, before)
                response.delay += stub.delay
                return response
            }
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
