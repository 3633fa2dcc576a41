/// What a text of a request must be: a parameter, a field, a cookie, a body. Of several with one name, one is enough.
package indirect enum TextCondition: Sendable, Hashable {
    case equals(String, ignoresCase: Bool = false)
    case contains(String)
    case matches(TextPattern)
    /// There is one, whatever it is.
    case present
    /// There is none.
    case absent
    case not(TextCondition)
    case all([TextCondition])
    case any([TextCondition])

    /// Conditions within conditions.
    private static let depthLimit = 20

    /// - Parameter values: all that have the name.
    package func isMet(by values: [[UInt8]]) -> Bool {
        switch self {
        case .equals(let text, let ignoresCase): values.contains { Self.equals($0, text, ignoresCase) }
        case .contains(let text):
            values.contains { text.isEmpty || $0.firstOffset(of: Array(text.utf8), from: 0) != nil }
        case .matches(let pattern): values.contains { pattern.matches($0) }
        case .present: !values.isEmpty
        case .absent: values.isEmpty
        case .not(let condition): !condition.isMet(by: values)
        case .all(let conditions): conditions.allSatisfy { $0.isMet(by: values) }
        case .any(let conditions): conditions.contains { $0.isMet(by: values) }
        }
    }

    private static func equals(_ value: [UInt8], _ text: String, _ ignoresCase: Bool) -> Bool {
        guard ignoresCase else { return value.elementsEqual(text.utf8) }
        return String(decoding: value, as: UTF8.self).lowercased() == text.lowercased()
    }

    /// All texts in it.
    var texts: [String] {
        switch self {
        case .equals(let text, _), .contains(let text): [text]
        case .matches(let pattern): [pattern.text]
        case .present, .absent: []
        case .not(let condition): condition.texts
        case .all(let conditions), .any(let conditions): conditions.flatMap(\.texts)
        }
    }
}

extension TextCondition: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self = .equals(value) }
}

// MARK: As the cassette keeps them

/// A string, which it must be equal to, or an object with one of `equals` (and perhaps `ignore_case`), `contains`, `matches`,
/// `present`, `absent`, `not`, `all` and `any`.
extension TextCondition {
    package init(_ json: JSONValue) throws(StubError) { try self.init(json, 0) }

    private init(_ json: JSONValue, _ depth: Int) throws(StubError) {
        guard depth < Self.depthLimit else { throw StubError("its conditions are nested too deeply") }
        if case .string(let text) = json {
            self = .equals(text)
            return
        }
        guard case .object(var members) = json else { throw StubError("a condition is neither a string nor an object") }
        let ignoresCase = members.removeValue(forKey: "ignore_case") == .bool(true)
        guard members.count == 1, let (name, value) = members.first, !ignoresCase || name == "equals" else {
            throw StubError("a condition has not exactly one kind: \(members.keys.sorted().joined(separator: ", "))")
        }
        switch (name, value) {
        case ("equals", .string(let text)): self = .equals(text, ignoresCase: ignoresCase)
        case ("contains", .string(let text)): self = .contains(text)
        case ("matches", .string(let text)): self = .matches(try TextPattern(text))
        case ("present", .bool(true)): self = .present
        case ("absent", .bool(true)): self = .absent
        case ("not", let value): self = .not(try TextCondition(value, depth + 1))
        case ("all", .array(let elements)): self = .all(try Self.list(elements, depth))
        case ("any", .array(let elements)): self = .any(try Self.list(elements, depth))
        default: throw StubError("`\(name)` is not a condition that is known, or has no such value")
        }
    }

    private static func list(_ elements: [JSONValue], _ depth: Int) throws(StubError) -> [TextCondition] {
        var list: [TextCondition] = []
        for element in elements { list.append(try TextCondition(element, depth + 1)) }
        return list
    }

    package var json: JSONValue {
        switch self {
        case .equals(let text, false): .string(text)
        case .equals(let text, true): ["equals": .string(text), "ignore_case": true]
        case .contains(let text): ["contains": .string(text)]
        case .matches(let pattern): ["matches": .string(pattern.text)]
        case .present: ["present": true]
        case .absent: ["absent": true]
        case .not(let condition): ["not": condition.json]
        case .all(let conditions): ["all": .array(conditions.map(\.json))]
        case .any(let conditions): ["any": .array(conditions.map(\.json))]
        }
    }
}
