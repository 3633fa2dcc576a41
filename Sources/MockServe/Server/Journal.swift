import CassetteStore
import MockServeCore
import Synchronization

/// A request that nothing recorded matches.
public struct Miss: Sendable, CustomStringConvertible {
    /// As sent.
    public let method: String
    /// Path and query as sent; bytes over 0x7F as the characters U+0080…U+00FF.
    public let target: String
    /// The nearest of what was recorded, what differs, and what to do: some lines for a person.
    public let explanation: String

    /// Method and target.
    public var description: String { "\(method) \(target)" }
}

/// What a scope was asked and could not answer, and what went wrong while it recorded.
final class Journal: Sendable {
    struct Summary: Sendable {
        var answered = 0
        var recorded = 0
        /// The first `Journal.limit` of them.
        var misses: [Miss] = []
        var missCount = 0
        /// The first `Journal.limit` of them, a line each.
        var failures: [String] = []
        var failureCount = 0
        var writeError: CassetteError?
    }

    /// How many misses and failures are kept; all are counted.
    static let limit = 1000

    private let state = Mutex(Summary())
    private let observer: (@Sendable (ServerEvent) -> Void)?

    init(observer: (@Sendable (ServerEvent) -> Void)?) {
        self.observer = observer
    }

    var summary: Summary { state.withLock { $0 } }

    func answered() { state.withLock { $0.answered += 1 } }

    func missed(_ miss: Miss) {
        state.withLock { state in
            state.missCount += 1
            if state.misses.count < Self.limit { state.misses.append(miss) }
        }
        observer?(.miss(miss))
    }

    func recorded() { state.withLock { $0.recorded += 1 } }

    func failed(_ failure: String) {
        state.withLock { state in
            state.failureCount += 1
            if state.failures.count < Self.limit { state.failures.append(failure) }
        }
        observer?(.failure(failure))
    }

    func failedToWrite(_ error: CassetteError) {
        state.withLock { $0.writeError = $0.writeError ?? error }
        failed(error.description)
    }
}

/// Something a server did that its owner may want to hear of at once.
public enum ServerEvent: Sendable {
    /// A request that nothing recorded matches.
    case miss(Miss)
    /// An exchange that could not be forwarded or recorded, in one line.
    case failure(String)
}
