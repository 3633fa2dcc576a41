import HTTPMessages
import MockServeCore
import NIOCore

/// Who answers a request.
enum StubDecision {
    /// No stub.
    case pass
    /// It depends on the body.
    case wantsBody
    /// To be called once the request is complete; returns who gets what follows.
    case answer((Exchange) -> any ExchangeReceiver)
}

/// What is known of the body of a request.
enum AskedBody {
    case notYet
    case whole
    /// Longer than stubs look at.
    case tooLong
}

/// Where a `StubService` finds who answers.
protocol StubSource: Sendable {
    /// - Returns: `wantsBody` only for a body that is not there yet.
    func decide(_ request: AskedRequest, _ body: AskedBody, _ exchange: Exchange) -> StubDecision

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void>
}

/// Answers the requests that a stub takes, and passes the others to the next service.
final class StubService: ExchangeService {
    private let source: any StubSource
    private let next: any ExchangeService
    private let bodyLimit: Int

    /// - Parameter bodyLimit: bytes of a body that stubs look at.
    init(_ source: any StubSource, bodyLimit: Int, next: any ExchangeService) {
        (self.source, self.bodyLimit, self.next) = (source, bodyLimit, next)
    }

    func handler(on eventLoop: any EventLoop) -> any ExchangeHandler {
        Handler(source, bodyLimit: bodyLimit, next: next.handler(on: eventLoop))
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        source.shutDown(deadline: deadline, on: eventLoop).flatMap {
            self.next.shutDown(deadline: deadline, on: eventLoop)
        }
    }

    private final class Handler: ExchangeHandler {
        private let source: any StubSource
        private let bodyLimit: Int
        private let next: any ExchangeHandler

        init(_ source: any StubSource, bodyLimit: Int, next: any ExchangeHandler) {
            (self.source, self.bodyLimit, self.next) = (source, bodyLimit, next)
        }

        func respond(to exchange: Exchange) -> any ExchangeReceiver {
            let decision = source.decide(AskedRequest(exchange.request), .notYet, exchange)
            if case .pass = decision { return next.respond(to: exchange) }
            return Receiver(exchange, source, decision, bodyLimit: bodyLimit, next)
        }
    }

    /// Holds the request until it is clear who answers it.
    private final class Receiver: ExchangeReceiver {
        private enum State {
            case holding([ByteBuffer], size: Int)
            /// A stub answers once the request is complete.
            case decided((Exchange) -> any ExchangeReceiver)
            case answering(any ExchangeReceiver)
        }

        private let exchange: Exchange
        private let source: any StubSource
        private let bodyLimit: Int
        private let next: any ExchangeHandler
        private var state: State

        init(
            _ exchange: Exchange,
            _ source: any StubSource,
            _ decision: StubDecision,
            bodyLimit: Int,
            _ next: any ExchangeHandler
        ) {
            (self.exchange, self.source, self.bodyLimit, self.next) = (exchange, source, bodyLimit, next)
            if case .answer(let answer) = decision { state = .decided(answer) } else { state = .holding([], size: 0) }
            exchange.sendContinueIfExpected()
        }

        func receive(_ bytes: ByteBuffer) {
            switch state {
            case .holding(var pieces, var size):
                pieces.append(bytes)
                size += bytes.readableBytes
                state = .holding(pieces, size: size)
                if size > bodyLimit { settle(AskedRequest(exchange.request), .tooLong, pieces) }
            case .decided: break
            case .answering(let receiver): receiver.receive(bytes)
            }
        }

        func receiveEnd(trailers: Fields) {
            if case .holding(let pieces, let size) = state {
                var body: [UInt8] = []
                body.reserveCapacity(size)
                for piece in pieces { body += piece.readableBytesView }
                settle(AskedRequest(exchange.request, body: body, trailers: trailers), .whole, pieces)
            }
            switch state {
            case .holding: break
            case .decided(let answer): state = .answering(answer(exchange))
            case .answering(let receiver): receiver.receiveEnd(trailers: trailers)
            }
        }

        private func settle(_ request: AskedRequest, _ body: AskedBody, _ pieces: [ByteBuffer]) {
            if case .answer(let answer) = source.decide(request, body, exchange) {
                state = .decided(answer)
                return
            }
            let receiver = next.respond(to: exchange)
            state = .answering(receiver)
            for piece in pieces { receiver.receive(piece) }
        }

        func connectionLost() {
            guard case .answering(let receiver) = state else { return exchange.detach() }
            receiver.connectionLost()
        }

        func writabilityRestored() {
            if case .answering(let receiver) = state { receiver.writabilityRestored() }
        }
    }
}
