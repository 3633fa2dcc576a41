import Crypto
package import HTTPMessages

/// What distinguishes requests with the same match key if the recorded response depends on fields (`Vary`,
/// RFC 9110 §12.5.5) or the recorded request had a condition (`Condition`).
package struct Variant: Hashable, Sendable {
    /// Names that a response's `Vary` may list; one with more is ignored.
    private static let nameLimit = 32

    /// Names of the fields that the response varies by, in lower case, sorted, separated by commas; then, if the
    /// request had conditions, a semicolon and their names in the same way.
    package let names: String
    /// If the request carried placeholders that the client was given, `~` follows.
    package let hasServed: Bool
    /// 16 bytes, equal for requests that agree in these fields and placeholders.
    package let key: [UInt8]

    /// - Parameter request: as it is compared.
    /// - Parameter served: the numbers of the placeholders in the request that the client was given.
    /// - Returns: nil if the response does not vary, or not only by fields (`*`), and the request had no condition that
    ///   counts and no such placeholder.
    package init?(of response: Fields, to request: Fields, served: Set<Int> = [], _ rules: RuleSet) {
        let names = Set(listMembers(response.values("vary")).map { Latin1.string($0.map(lowercased)) })
        let isKnown = names.count <= Self.nameLimit && names.allSatisfy { isToken(Array($0.utf8)) && $0 != "*" }
        let varying = isKnown ? names.sorted().joined(separator: ",") : ""
        let conditions = rules.knowsConditions ? Condition.names(in: request) : ""
        let isServed = rules.knowsPlaceholders && !served.isEmpty
        guard !varying.isEmpty || !conditions.isEmpty || isServed else { return nil }
        let all = conditions.isEmpty ? varying : "\(varying);\(conditions)"
        self.init(isServed ? all + "~" : all, of: request, served: served)
    }

    /// Whether the recorded request had a condition.
    package var hasCondition: Bool { names.contains(";") }

    /// The names of its conditions, as `Condition.names` gives them.
    package static func conditions(of names: String) -> Substring {
        names.firstIndex(of: ";").map { names[names.index(after: $0)...].prefix { $0 != "~" } } ?? ""
    }

    /// As it is kept in a cassette.
    package init(names: String, key: [UInt8]) {
        self.names = names
        self.key = key
        hasServed = names.hasSuffix("~")
    }

    /// The variant that a request asks for where answers vary by `names`.
    package init(_ names: String, of request: Fields, served: Set<Int> = []) {
        self.names = names
        hasServed = names.hasSuffix("~")
        var input = DigestInput()
        if hasServed { input.add("served", served.sorted().map(String.init).joined(separator: ",").utf8) }
        for name in names.split(whereSeparator: { $0 == "," || $0 == ";" || $0 == "~" }) {
            // Lines with the same name are one list (RFC 9111 §4.1).
            let values = request.filter { equalsIgnoringCase($0.name, name.utf8) }.map { trimmingSpace($0.value) }
            input.add("vary name", name.utf8)
            input.add("vary value", values.isEmpty ? [0] : [1] + Array(values.joined(separator: ", ".utf8)))
        }
        key = Array(input.digest.prefix(16))
    }
}

/// The key by which the answers to a request are found.
package struct PlaybackKey: Hashable, Sendable {
    /// Which of the interactions of one key may answer.
    package enum Choice: Hashable, Sendable {
        case all
        /// Those whose requests agree with this one in the fields that their answers vary by, and in their conditions.
        case variant(Variant)
        /// Those whose requests had no condition.
        case unconditional
        /// Those whose requests carried no placeholder that the client was given.
        case unserved
        /// Those whose answers do not depend on the condition that their requests had.
        case independent
        /// The same, without partial answers: an `If-Range` other than the recorded one asks for the whole.
        case whole
    }

    package let match: MatchKey
    package let choice: Choice

    package init(_ match: MatchKey, _ choice: Choice = .all) {
        self.match = match
        self.choice = choice
    }

    /// The choice for a request: the interactions whose requests agree with it, if there are any; otherwise those that
    /// may answer any request.
    ///
    /// - Parameters:
    ///   - lists: the `Variant.names` of the interactions of the key.
    ///   - fields: of the request, as it is compared.
    ///   - served: the numbers of the placeholders in the request that the client was given.
    ///   - has: whether a choice leaves any interaction.
    package static func choose(
        _ lists: [String],
        for fields: Fields,
        served: Set<Int> = [],
        _ has: (Choice) throws -> Bool
    ) rethrows -> Choice {
        guard !lists.isEmpty else { return .all }
        let conditions = Condition.names(in: fields)
        // A condition that no recorded request had is ignored.
        for wanted in conditions.isEmpty ? [""] : [conditions, ""] {
            // Those of the same session come first.
            for names in lists.filter({ $0.hasSuffix("~") }) + lists.filter({ !$0.hasSuffix("~") })
            where Variant.conditions(of: names) == wanted {
                let choice = Choice.variant(Variant(names, of: fields, served: served))
                if try has(choice) { return choice }
            }
        }
        if served.isEmpty, lists.contains(where: { $0.hasSuffix("~") }), try has(.unserved) { return .unserved }
        guard lists.contains(where: { $0.contains(";") }) else { return .all }
        if try has(.unconditional) { return .unconditional }
        return conditions.contains("if-range") ? .whole : .independent
    }
}

extension PlaybackKey.Choice {
    /// Whether an interaction with these may answer.
    package func admits(_ variant: Variant?, status: Int) -> Bool {
        switch self {
        case .all: true
        case .variant(let wanted): variant == wanted
        case .unserved: !(variant?.hasServed ?? false)
        case .unconditional: !(variant?.hasCondition ?? false)
        case .independent: status != 304 && status != 412
        case .whole: status != 304 && status != 412 && status != 206
        }
    }
}
