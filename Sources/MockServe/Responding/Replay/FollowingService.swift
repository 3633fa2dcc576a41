import CassetteStore
import NIOCore

/// Reads what somebody has changed in the cassette, before the services that do what it says, its faults and its stubs, see an
/// exchange.
final class FollowingService: ExchangeService {
    private let replayer: Replayer
    private let next: any ExchangeService

    init(_ replayer: Replayer, next: any ExchangeService) { (self.replayer, self.next) = (replayer, next) }

    func handler(on eventLoop: any EventLoop) -> any ExchangeHandler {
        Handler(replayer.loopReplayer(on: eventLoop), replayer.stubs, next: next.handler(on: eventLoop))
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        next.shutDown(deadline: deadline, on: eventLoop)
    }

    private final class Handler: ExchangeHandler {
        private enum Step {
            case go
            case open
            case load
            /// Somebody else has the file locked.
            case waitForLock
        }

        private let replayer: LoopReplayer
        private let stubs: CassetteStubs
        private let next: any ExchangeHandler

        init(_ replayer: LoopReplayer, _ stubs: CassetteStubs, next: any ExchangeHandler) {
            (self.replayer, self.stubs, self.next) = (replayer, stubs, next)
        }

        func respond(to exchange: Exchange) -> any ExchangeReceiver {
            let step = nextStep()
            if step == .go { return next.respond(to: exchange) }
            let late = LateExchange(exchange, next)
            take(step, late, until: .now() + LockPatience.limit)
            return late
        }

        private func nextStep() -> Step {
            guard replayer.isOpen else { return .open }
            do {
                try replayer.refresh()
                return stubs.isCurrent(replayer.stubState) ? .go : .load
            } catch is PlaybackReader.Busy {
                return .waitForLock
            } catch {
                // The replay says what is wrong, and nothing else answers instead.
                stubs.drop()
                return .go
            }
        }

        private func take(_ step: Step, _ late: LateExchange, until deadline: NIODeadline) {
            // They may change again meanwhile, and again.
            guard step != .go, NIODeadline.now() < deadline else { return late.begin() }
            let bound = NIOLoopBound((handler: self, late: late), eventLoop: replayer.eventLoop)
            @Sendable func goOn() {
                let (handler, late) = bound.value
                handler.take(handler.nextStep(), late, until: deadline)
            }
            switch step {
            case .go: break
            case .open:
                replayer.whenOpen { result in
                    if case .success = result { goOn() } else { late.begin() }
                }
            case .load:
                stubs.load(on: replayer.eventLoop).whenComplete { _ in
                    let (handler, late) = bound.value
                    // If they could not be loaded, the same would be tried for ever.
                    if handler.stubs.isLoaded { goOn() } else { late.begin() }
                }
            case .waitForLock: replayer.eventLoop.scheduleTask(in: LockPatience.pause) { goOn() }
            }
        }
    }
}
