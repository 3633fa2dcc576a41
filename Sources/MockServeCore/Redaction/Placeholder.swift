import Synchronization

/// What replaces a secret: `[redacted:KIND:NUMBER]`, or `[redacted:KIND]` where requests are compared.
package enum Placeholder {
    static let start = Array("[redacted:".utf8)

    static func text(_ kind: String, _ number: Int? = nil) -> String {
        "[redacted:\(kind)\(number.map { ":\($0)" } ?? "")]"
    }

    /// A name in the form that a placeholder may contain.
    package static func kind(_ name: String) -> String {
        let kept = name.lowercased().unicodeScalars.filter { scalar in
            switch scalar {
            case "a"..."z", "0"..."9", "_", "-", ".": true
            default: false
            }
        }
        return kept.isEmpty ? "secret" : String(String.UnicodeScalarView(kept.prefix(64)))
    }

    /// The placeholder without its number, if `value` is one; nil if it is not.
    static func unnumbered(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        guard value.starts(with: start), value.last == UInt8(ascii: "]") else { return nil }
        let parts = value.dropFirst(start.count).dropLast().split(
            separator: UInt8(ascii: ":"),
            omittingEmptySubsequences: false
        )
        guard let kind = parts.first, !kind.isEmpty, parts.count <= 2, kind.allSatisfy(isKind),
            parts.count == 1 || !parts[1].isEmpty && parts[1].allSatisfy({ $0 &- 0x30 < 10 })
        else { return nil }
        return start + kind + [UInt8(ascii: "]")]
    }

    private static func isKind(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || byte &- 0x61 < 26 || "_-.".utf8.contains(byte)
    }
}

/// Numbers the values of each kind, so that a reader of a cassette sees which were equal. The values are kept only in
/// memory.
package final class PlaceholderBook: Sendable {
    private struct State {
        var numbers: [String: [[UInt8]: Int]] = [:]
        var last: [String: Int] = [:]
        var count = 0
        var floor = 0
    }

    /// Values that are remembered; further ones get a new number each time.
    private static let limit = 100_000

    private let state: Mutex<State>

    /// - Parameter last: the highest number of every kind that is taken already.
    package init(_ last: [String: Int] = [:]) {
        state = Mutex(State(last: last))
    }

    /// Takes into account the numbers that other runs have given meanwhile.
    ///
    /// - Parameter floor: up to this, numbers of all kinds are taken.
    package func raise(_ last: [String: Int], floor: Int = 0) {
        state.withLock { state in
            state.last.merge(last) { max($0, $1) }
            state.floor = max(state.floor, floor)
        }
    }

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
}
