/// What rules add to the names, and take away.
struct AddedNames: Sendable {
    enum Place: Sendable {
        case query
        case form
        case json
    }

    struct Entry: Sendable {
        let name: SecretName
        let isKept: Bool
    }

    private var names: [String: [(place: Place, entry: Entry)]] = [:]
    private var kinds: Set<String> = []

    var isEmpty: Bool { names.isEmpty }

    mutating func add(_ name: String, _ place: Place, isKept: Bool = false, _ apart: ToldApart? = nil) {
        var added = SecretName(kind: Placeholder.kind(name), strength: .ruled)
        // One that tells anyway is taken as it would be.
        if apart != nil, let known = SecretName.read(name) { added = known }
        added.apart = apart
        names[RedactionCatalog.comparable(name.utf8), default: []].append((place, Entry(name: added, isKept: isKept)))
        if !isKept, added.strength == .ruled { kinds.insert(added.kind) }
    }

    func isAdded(_ name: SecretName) -> Bool { kinds.contains(name.kind) }

    /// Of names in brackets, each counts: `user[pin]`.
    func find(_ name: some Collection<UInt8>, _ place: Place) -> Entry? {
        let plain = TextView.plain(ArraySlice(Array(name)))
        let parts = plain.split { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]") || $0 == UInt8(ascii: ".") }
        for part in [plain[...]] + parts {
            let found = names[RedactionCatalog.comparable(part)] ?? []
            if let entry = found.first(where: { $0.place == place || place == .query && $0.place == .form })?.entry {
                return entry
            }
        }
        return nil
    }
}
