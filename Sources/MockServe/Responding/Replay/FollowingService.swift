import NIOCore

/// Stands in front of the services that do what the cassette says, its faults and stubs: they see every exchange only when
/// what somebody has changed in the cassette before it was read.
final class FollowingService: ExchangeService {
    private let replayer: Replayer
    private let next: any ExchangeService

    init(_ replayer: Replayer, next: any ExchangeService) { (self.replayer, self.next) = (replayer, next) }

    func handler(on eventLoop: any EventLoop) -> any ExchangeHandler {
        Handler(replayer.loopReplayer(on: eventLoop), next: next.handler(on: eventLoop))
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        next.shutDown(deadline: deadline, on: eventLoop)
    }

    private final class Handler: ExchangeHandler {
        private let replayer: LoopReplayer
        private let next: any ExchangeHandler

        init(_ replayer: LoopReplayer, next: any ExchangeHandler) { (self.replayer, self.next) = (replayer, next) }

        func respond(to exchange: Exchange) -> any ExchangeReceiver {
            // An error here recurs in whoever answers, and is reported there.
            if replayer.isOpen {
                try? replayer.refresh()
                return next.respond(to: exchange)
            }
            let late = LateExchange(exchange, next)
            replayer.whenOpen { [replayer] _ in
                try? replayer.refresh()
                late.begin()
            }
            return late
        }
    }
}
