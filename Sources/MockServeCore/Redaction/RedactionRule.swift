import HTTPMessages

/// What is to be redacted in addition to declared secrets.
package enum RedactionRule: Hashable, Sendable {
    /// What `RedactionCatalog` lists, up to a version.
    case catalog(Int)
    case field(String)
    case query(String)
    case form(String)
    /// A member of this name at any depth.
    case json(String)
    /// A declared secret of this kind was redacted; its value is not known here.
    case secret(String)
    /// Something that is no secret, although its name says so.
    case keep(Place, String)
    /// Requests that differ in nothing but this secret are told apart.
    case tellApart(Place, String)

    package enum Place: String, Sendable, CaseIterable {
        case field
        case cookie
        case query
        case form
        case json
    }

    /// - Returns: nil if `text` is not `catalog:VERSION`, `secret:KIND`, `field:NAME`, `query:NAME`, `form:NAME` or
    ///   `json:NAME`, with a name of printable ASCII.
    init?(_ text: String) {
        let pieces = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard pieces.count == 2, (1...200).contains(pieces[1].utf8.count),
            pieces[1].utf8.allSatisfy({ (0x20..<0x7F).contains($0) })
        else { return nil }
        switch pieces[0] {
        case "catalog":
            guard let version = Int(pieces[1]), version > 0 else { return nil }
            self = .catalog(version)
        case "field":
            guard isToken(Array(pieces[1].utf8)) else { return nil }
            self = .field(pieces[1])
        case "query": self = .query(pieces[1])
        case "form": self = .form(pieces[1])
        case "json": self = .json(pieces[1])
        case "secret": self = .secret(pieces[1])
        case "keep", "apart":
            let part = pieces[1].split(separator: ":", maxSplits: 1).map(String.init)
            guard part.count == 2, let place = Place(rawValue: part[0]) else { return nil }
            self = pieces[0] == "keep" ? .keep(place, part[1]) : .tellApart(place, part[1])
        default: return nil
        }
    }
}
