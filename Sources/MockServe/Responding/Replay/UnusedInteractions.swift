import MockServeCore

/// Recorded interactions that a scope did not use.
package struct UnusedInteractions: Sendable {
    package var count = 0
    /// Number, method and target, a line each.
    package var first: [String] = []

    package init() {}

    /// How many there are, as a sentence without a full stop.
    package var sentence: String { "\(Counted.text(count, "recorded interaction")) \(Counted.were(count)) not used" }

    /// The sentence and the first of them, in several lines.
    package func list(_ limit: Int) -> String {
        "\(sentence):" + first.prefix(limit).map { "\n  \($0)" }.joined() + (count > limit ? "\n  …" : "")
    }
}
