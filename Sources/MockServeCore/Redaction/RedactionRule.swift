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
    /// Requests that differ in nothing but this secret are told apart: in order of first use, or by a short digest.
    case tellApart(Place, String, Digest?)

    package enum Digest: Hashable, Sendable {
        /// A cassette gives it one.
        case unsalted
        case salted(String)
    }

    package enum Place: String, Sendable, CaseIterable {
        case field
        case cookie
        case query
        case form
        case json
    }

    /// - Returns: nil if `text` is not `catalog:VERSION`, `secret:KIND`, `field:NAME`, `query:NAME`, `form:NAME`,
    ///   `json:NAME`, `keep:PLACE:NAME`, `apart:PLACE:NAME` or `digest:SALT:PLACE:NAME`, where the salt may be missing,
    ///   with a name of printable ASCII.
    init?(_ text: String) {
        let pieces = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard pieces.count == 2, (1...200).contains(pieces[1].utf8.count),
            pieces[1].utf8.allSatisfy({ (0x20..<0x7F).contains($0) })
        else { return nil }
        let rest = pieces[1]
        switch pieces[0] {
        case "catalog":
            guard let version = Int(rest), version > 0 else { return nil }
            self = .catalog(version)
        case "field":
            guard isToken(Array(rest.utf8)) else { return nil }
            self = .field(rest)
        case "query": self = .query(rest)
        case "form": self = .form(rest)
        case "json":
            guard Self.isName(rest) else { return nil }
            self = .json(rest)
        case "secret": self = .secret(rest)
        case "keep":
            guard let (place, name) = Self.placed(rest) else { return nil }
            self = .keep(place, name)
        case "apart":
            guard let (place, name) = Self.placed(rest) else { return nil }
            self = .tellApart(place, name, nil)
        case "digest":
            if let (place, name) = Self.placed(rest) {
                self = .tellApart(place, name, .unsalted)
            } else {
                let parts = rest.split(separator: ":", maxSplits: 1).map(String.init)
                guard parts.count == 2, parts[0].utf8.allSatisfy({ TextView.hexDigit($0) != nil }),
                    let (place, name) = Self.placed(parts[1])
                else { return nil }
                self = .tellApart(place, name, .salted(parts[0]))
            }
        default: return nil
        }
    }

    private static func placed(_ text: String) -> (Place, String)? {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, let place = Place(rawValue: parts[0]) else { return nil }
        switch place {
        case .field: guard isToken(Array(parts[1].utf8)) else { return nil }
        case .json: guard isName(parts[1]) else { return nil }
        case .cookie, .query, .form: break
        }
        return (place, parts[1])
    }

    /// Not a path (RFC 9535), which would find nothing.
    private static func isName(_ text: String) -> Bool { !text.hasPrefix("$") && !text.hasSuffix("]") }

    var tellsApart: Bool { if case .tellApart = self { true } else { false } }

    /// Whether it can be for some requests only: not what a whole cassette was recorded with.
    var canBeScoped: Bool {
        switch self {
        case .catalog, .secret: false
        case .field, .query, .form, .json, .keep, .tellApart: true
        }
    }
}
