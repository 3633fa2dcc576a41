import Foundation
import Synchronization

/// Ends long work by the first SIGINT or SIGTERM in such a way that it cleans up; a second one ends the program at once.
final class Cancellation {
    /// The work was told to end.
    struct Requested: Error {}

    private final class State: Sendable {
        /// The number of the signal; 0 if none has come.
        let signal = Atomic<Int32>(0)
    }

    private let state = State()
    private let sources: [any DispatchSourceSignal]

    init() {
        sources = [SIGINT, SIGTERM].map { [state] number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler {
                guard state.signal.exchange(number, ordering: .relaxed) != 0 else { return }
                signal(number, SIG_DFL)
                raise(number)
            }
            source.resume()
            return source
        }
    }

    /// - Throws: `Requested` after a signal.
    func check() throws { if state.signal.load(ordering: .relaxed) != 0 { throw Requested() } }

    /// Runs `body`. After a signal, the program ends by it once `body` has.
    func run<Result>(_ body: () throws -> Result) throws -> Result {
        defer {
            for source in sources { source.cancel() }
            for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
        }
        do {
            return try body()
        } catch is Requested {
            let number = state.signal.load(ordering: .relaxed)
            Console.say("mockserve: interrupted; what was not complete was not written")
            signal(number, SIG_DFL)
            // A source of signals blocks them.
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, number)
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            raise(number)
            throw Requested()
        }
    }
}
