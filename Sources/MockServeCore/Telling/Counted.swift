/// Counts of things, for sentences.
package enum Counted {
    /// `1 chunk`, `2 chunks`.
    ///
    /// - Parameter thing: the singular, in English words whose plural adds an `s`.
    package static func text(_ count: Int, _ thing: String) -> String { "\(count) \(thing)\(count == 1 ? "" : "s")" }

    /// The same for a thing with another plural.
    package static func text(_ count: Int, _ one: String, _ many: String) -> String {
        "\(count) \(count == 1 ? one : many)"
    }

    /// `was` or `were`.
    package static func were(_ count: Int) -> String { count == 1 ? "was" : "were" }
}
