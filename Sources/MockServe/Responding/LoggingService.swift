import HTTPMessages
import MockServeCore
import NIOCore

/// Logs the exchanges of the next service for the journal. Prepared answers would bypass the log and are not used then.
final class LoggingService: ExchangeService {
    private let next: any ExchangeService
    private let limit: Int
    private let redactor: Redactor?

    init(_ next: any ExchangeService, limit: Int, redactor: Redactor?) {
        self.next = next
        self.limit = limit
        self.redactor = redactor
    }

    func handler(on eventLoop: any EventLoop) -> any ExchangeHandler {
        Loop(next: next.handler(on: eventLoop), limit: limit, redactor: redactor)
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        next.shutDown(deadline: deadline, on: eventLoop)
    }

    private final class Loop: ExchangeHandler {
        private let next: any ExchangeHandler
        private let limit: Int
        private let redactor: Redactor?

        init(next: any ExchangeHandler, limit: Int, redactor: Redactor?) {
            self.next = next
            self.limit = limit
            self.redactor = redactor
        }

        func respond(to exchange: Exchange) -> any ExchangeReceiver {
            let log = ExchangeLog(exchange, limit: limit, redactor: redactor)
            exchange.log = log
            return Receiver(next: next.respond(to: exchange), log: log)
        }
    }

    private final class Receiver: ExchangeReceiver {
        private let next: any ExchangeReceiver
        private let log: ExchangeLog

        init(next: any ExchangeReceiver, log: ExchangeLog) {
            self.next = next
            self.log = log
        }

        func receive(_ bytes: ByteBuffer) {
            log.append(request: bytes)
            next.receive(bytes)
        }

        func receiveEnd(trailers: Fields) {
            log.end(requestTrailers: trailers)
            next.receiveEnd(trailers: trailers)
        }

        func connectionLost() { next.connectionLost() }

        func writabilityRestored() { next.writabilityRestored() }
    }
}
