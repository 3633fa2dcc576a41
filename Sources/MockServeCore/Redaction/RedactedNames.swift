/// What rules say of names: which to redact, to keep, and to tell requests apart by.
struct RedactedNames: Sendable {
    private(set) var added = AddedNames()
    /// By the name in lower case; nil for one that is kept.
    private(set) var fields: [String: SecretName?] = [:]
    private(set) var keptCookies: Set<String> = []
    private(set) var cookiesApart: [String: ToldApart] = [:]
    private(set) var tellsApart = false

    init(_ rules: [RedactionRule]) {
        // What is kept comes first, and what is told apart before what is only redacted.
        for rule in rules { if case .keep(let place, let name) = rule { add(place, name, isKept: true) } }
        for rule in rules {
            guard case .tellApart(let place, let name, let digest) = rule else { continue }
            let salt: String? =
                switch digest {
                case nil: nil
                case .unsalted: ""
                case .salted(let salt): salt
                }
            tellsApart = true
            add(place, name, ToldApart(place, name, salt: salt))
        }
        for rule in rules {
            switch rule {
            case .catalog, .secret, .keep, .tellApart: break
            case .field(let name): add(.field, name)
            case .query(let name): add(.query, name)
            case .form(let name): add(.form, name)
            case .json(let name): add(.json, name)
            }
        }
    }

    private mutating func add(
        _ place: RedactionRule.Place,
        _ name: String,
        isKept: Bool = false,
        _ apart: ToldApart? = nil
    ) {
        switch place {
        case .field:
            guard fields[name.lowercased()] == nil else { return }
            var known = SecretName(kind: Placeholder.kind(name), strength: .ruled)
            if apart != nil, let read = SecretName.read(field: name.lowercased().utf8) { known = read }
            known.apart = apart
            fields.updateValue(isKept ? nil : known, forKey: name.lowercased())
        case .cookie:
            if isKept { keptCookies.insert(name) }
            if let apart { cookiesApart[name] = apart }
        case .query: added.add(name, .query, isKept: isKept, apart)
        case .form: added.add(name, .form, isKept: isKept, apart)
        case .json: added.add(name, .json, isKept: isKept, apart)
        }
    }
}
