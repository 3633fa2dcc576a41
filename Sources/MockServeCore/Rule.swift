import HTTPWire

/// What matching leaves out, or takes in, beyond the default.
///
/// Written as `query:NAME`, `query` (all of it), `json:PATH`, `form:NAME`, `part:NAME` (of a multipart body), `body`, or, to
/// require it, `field:NAME`.
package struct Rule: Hashable, Sendable {
    package enum Action: String, Sendable {
        case ignore
        case require
    }

    enum Part: Hashable, Sendable {
        case query
        case queryParameter([UInt8])
        case json(JSONPath)
        case formField([UInt8])
        case multipartPart([UInt8])
        case body
        case field([UInt8])
    }

    package let action: Action
    /// The part as it was written.
    package let text: String
    let part: Part

    /// - Returns: nil if `text` names no part that `action` goes with; see `syntax`.
    package init?(_ action: Action, _ text: String) {
        let pieces = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = pieces.count == 2 ? Array(pieces[1].utf8) : []
        let part: Part?
        switch (pieces[0], pieces.count) {
        case ("query", 1): part = .query
        case ("body", 1): part = .body
        case ("query", 2): part = .queryParameter(name)
        case ("form", 2): part = .formField(name)
        case ("part", 2): part = .multipartPart(name)
        case ("json", 2): part = JSONPath(pieces[1]).map { .json($0) }
        case ("field", 2): part = isToken(name) ? .field(name.map(lowercased)) : nil
        default: part = nil
        }
        guard let part, pieces.count == 1 || !name.isEmpty else { return nil }
        if case .field = part {
            guard action == .require else { return nil }
        } else {
            guard action == .ignore else { return nil }
        }
        self.action = action
        self.text = text
        self.part = part
    }

    /// What can be ignored and required, for messages.
    package static func syntax(_ action: Action) -> String {
        action == .ignore ? "query, query:NAME, json:PATH, form:NAME, part:NAME or body" : "field:NAME"
    }
}

/// Rules as matching uses them.
package struct RuleSet: Sendable {
    package let rules: [Rule]
    let ignoresQuery: Bool
    let ignoresBody: Bool
    let queryParameters: Set<[UInt8]>
    let jsonPaths: [JSONPath]
    let formFields: Set<[UInt8]>
    let multipartParts: Set<[UInt8]>
    /// In lower case, sorted.
    let requiredFields: [[UInt8]]

    package static let none = RuleSet([])

    package init(_ rules: [Rule]) {
        self.rules = rules
        ignoresQuery = rules.contains { $0.part == .query }
        ignoresBody = rules.contains { $0.part == .body }
        queryParameters = Set(rules.compactMap { if case .queryParameter(let name) = $0.part { name } else { nil } })
        jsonPaths = rules.compactMap { if case .json(let path) = $0.part { path } else { nil } }
        formFields = Set(rules.compactMap { if case .formField(let name) = $0.part { name } else { nil } })
        multipartParts = Set(rules.compactMap { if case .multipartPart(let name) = $0.part { name } else { nil } })
        requiredFields = rules.compactMap { if case .field(let name) = $0.part { name } else { nil } }
            .sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The pairs of a query that count.
    func counted(_ pairs: [FormPair]) -> [FormPair] {
        guard !ignoresQuery else { return [] }
        let volatile = SignedURL.volatileNames(pairs)
        return pairs.filter { !queryParameters.contains($0.name) && !volatile.contains($0.name) }
    }

    /// The pairs of a form that count.
    func countedForm(_ pairs: [FormPair]) -> [FormPair] {
        formFields.isEmpty ? pairs : pairs.filter { !formFields.contains($0.name) }
    }
}

/// URLs that are signed anew for every use: what the signature, its date and its owner's credential stand in differs by nature,
/// and says nothing of what is asked for.
enum SignedURL {
    private struct Scheme {
        /// A query with all of these is signed this way.
        let marks: [String]
        let volatile: Set<[UInt8]>

        init(_ marks: [String], _ volatile: [String]) {
            self.marks = marks
            self.volatile = Set(volatile.map { Array($0.utf8) })
        }
    }

    private static let schemes = [
        // AWS Signature Version 4, "Authenticating requests: using query parameters".
        Scheme(
            ["X-Amz-Algorithm", "X-Amz-Signature"],
            ["X-Amz-Signature", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Security-Token"]
        ),
        // Google Cloud Storage, "V4 signing process".
        Scheme(
            ["X-Goog-Algorithm", "X-Goog-Signature"],
            ["X-Goog-Signature", "X-Goog-Credential", "X-Goog-Date", "X-Goog-Expires"]
        ),
        // Azure Storage, "Create a service SAS" and "Create a user delegation SAS".
        Scheme(["sv", "sig"], ["sig", "se", "st", "skoid", "sktid", "skt", "ske"]),
    ]

    static func volatileNames(_ pairs: [FormPair]) -> Set<[UInt8]> {
        guard pairs.count > 1 else { return [] }
        let names = Set(pairs.map(\.name))
        for scheme in schemes where scheme.marks.allSatisfy({ names.contains(Array($0.utf8)) }) {
            return scheme.volatile
        }
        return []
    }
}
