import MockServeCore
import Synchronization

/// What the stubs of a cassette keep in mind between requests. All variables have no value at the start.
final class StubVariables: Sendable {
    private let values = Mutex<[String: String]>([:])

    func meet(_ wanted: [String: String?]) -> Bool { wanted.isEmpty || values.withLock { Self.meet(wanted, $0) } }

    private static func meet(_ wanted: [String: String?], _ values: [String: String]) -> Bool {
        wanted.allSatisfy { values[$0] == $1 }
    }

    /// Sets what a stub sets, if what it requires is still so.
    ///
    /// - Returns: whether it is.
    func change(_ behavior: StubBehavior) -> Bool {
        guard behavior.changesVariables else { return true }
        return values.withLock { values in
            guard Self.meet(behavior.requires, values) else { return false }
            for (name, value) in behavior.sets { values[name] = value }
            return true
        }
    }

    func clear() { values.withLock { $0 = [:] } }
}
