/// What was redacted in one interaction.
package struct RedactionNotes: Sendable, Equatable {
    /// Where a secret was, and its placeholder. Only the first `limit` are kept.
    package struct Note: Sendable, Hashable {
        package let place: String
        package let placeholder: String
        /// How it was recognised, in words. It is not kept in a cassette.
        package let how: String

        package var isOfRequest: Bool { place.hasPrefix("request") }
    }

    private static let limit = 100

    package private(set) var notes: [Note] = []
    /// The highest number that was given, by kind.
    package private(set) var highest: [String: Int] = [:]
    /// How many were replaced, by kind.
    package private(set) var counts: [String: Int] = [:]

    /// Numbers of placeholders that were given to the client, and that it sends back: not those of its own secrets.
    package private(set) var served: Set<Int> = []

    package init() {}

    mutating func noteServed(_ placeholder: Placeholder) {
        if !placeholder.isOwn, served.count < Self.limit { served.insert(placeholder.number) }
    }

    package var isEmpty: Bool { counts.isEmpty }

    /// Notes what was replaced, as up to version 3 of the catalog.
    mutating func add(_ kind: String, _ number: Int, _ place: String) -> [UInt8] {
        let text = EarlyPlaceholder.text(kind, number)
        add(kind, number, place, text, "version 3 or earlier")
        return Array(text.utf8)
    }

    mutating func add(_ placeholder: Placeholder, _ place: String, _ how: String) {
        add(placeholder.kind, placeholder.number, place, placeholder.text, how)
    }

    private mutating func add(_ kind: String, _ number: Int, _ place: String, _ text: String, _ how: String) {
        counts[kind, default: 0] += 1
        if number < ToldApart.firstDigest { highest[kind] = max(highest[kind] ?? 0, number) }
        let note = Note(place: place, placeholder: text, how: how)
        if notes.count < Self.limit, !notes.contains(note) { notes.append(note) }
    }

    /// Notes something that was left out, because no placeholder could replace it.
    mutating func leaveOut(_ place: String) {
        let kind = "left-out"
        counts[kind, default: 0] += 1
        let note = Note(place: place, placeholder: "redacted.\(kind)", how: "in a name")
        if notes.count < Self.limit, !notes.contains(note) { notes.append(note) }
    }

    package mutating func formUnion(_ other: RedactionNotes) {
        for note in other.notes where notes.count < Self.limit && !notes.contains(note) { notes.append(note) }
        served.formUnion(other.served)
        highest.merge(other.highest) { max($0, $1) }
        counts.merge(other.counts, uniquingKeysWith: +)
    }
}
