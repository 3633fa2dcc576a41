import Synchronization

/// Numbers the values of secrets, so that a reader of a cassette sees which were equal. The values are kept only in
/// memory.
package final class PlaceholderBook: Sendable {
    private struct State {
        /// Up to version 3 of the catalog, every kind has numbers of its own.
        var numbers: [String: [[UInt8]: Int]] = [:]
        var last: [String: Int] = [:]
        var placeholders: [[UInt8]: Placeholder] = [:]
        /// Of all kinds.
        var highest = 0
        var count = 0
        var floor = 0
    }

    /// Values that are remembered; further ones get a new number each time.
    private static let limit = 100_000

    private let state: Mutex<State>

    /// - Parameter last: the highest number of every kind that is taken already.
    package init(_ last: [String: Int] = [:]) {
        state = Mutex(State(last: last, highest: last.values.max() ?? 0))
    }

    /// Takes into account the numbers that other runs have given meanwhile.
    ///
    /// - Parameter floor: up to this, numbers of all kinds are taken.
    package func raise(_ last: [String: Int], floor: Int = 0) {
        state.withLock { state in
            state.last.merge(last) { max($0, $1) }
            state.highest = max(state.highest, last.values.max() ?? 0)
            state.floor = max(state.floor, floor)
        }
    }

    /// The number of a value, as up to version 3 of the catalog.
    func number(_ kind: String, _ value: [UInt8]) -> Int {
        state.withLock { state in
            if let number = state.numbers[kind]?[value] { return number }
            let number = max(state.last[kind] ?? 0, state.floor) + 1
            state.last[kind] = number
            if state.count < Self.limit {
                state.numbers[kind, default: [:]][value] = number
                state.count += 1
            }
            return number
        }
    }

    /// The highest number that was given.
    var highest: Int { state.withLock { max($0.highest, $0.floor) } }

    /// What stands for a value, if anything does yet.
    func known(_ value: [UInt8]) -> Placeholder? { state.withLock { $0.placeholders[value] } }

    /// What stands for a value: what it was called where it was first found, and a number that nothing else has.
    ///
    /// - Parameters:
    ///   - isOwn: whether it is found in a request.
    ///   - digest: the number it has unless it was given to the client; nil for the next one.
    func placeholder(_ kind: String, _ value: [UInt8], isOwn: Bool, digest: Int? = nil) -> Placeholder {
        state.withLock { state in
            if let known = state.placeholders[value], digest == nil || !known.isOwn { return known }
            if let digest { return Placeholder(kind: kind, number: digest, isOwn: true) }
            let number = max(state.highest, state.floor) + 1
            state.highest = number
            state.last[kind] = number
            let placeholder = Placeholder(kind: kind, number: number, isOwn: isOwn)
            if state.count < Self.limit {
                state.placeholders[value] = placeholder
                state.count += 1
            }
            return placeholder
        }
    }
}
