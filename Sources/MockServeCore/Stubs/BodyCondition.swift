import Foundation

/// What the body of a request must be.
package enum BodyCondition: Sendable, Hashable {
    /// JSON with this value: the order of members and white space do not count.
    case json(JSONValue)
    /// JSON that has this in it: an object may have more members, at every depth.
    case containing(JSONValue)
    /// JSON with this value, whatever the order of the elements of arrays.
    case unordered(JSONValue)
    /// JSON that has this in it, whatever the order of the elements of arrays, which may have more.
    case containingUnordered(JSONValue)
    /// JSON with something under this path; if there is a condition, one of the values meets it, as text.
    case path(JSONPath, TextCondition?)
    /// A form with these fields, and perhaps others.
    case form([String: TextCondition])
    /// Exactly these bytes.
    case bytes([UInt8])
    /// A text that meets a condition. An empty body is none.
    case text(TextCondition)

    package func isMet(by request: AskedRequest) -> Bool {
        switch self {
        case .json(let value): request.json == value
        case .containing(let value): request.json?.contains(value) ?? false
        case .unordered(let value): request.json?.matchesUnordered(value, allowsMore: false) ?? false
        case .containingUnordered(let value): request.json?.matchesUnordered(value, allowsMore: true) ?? false
        case .path(let path, let condition):
            request.json.map { json in
                let values = json.values(at: path)
                return condition.map { $0.isMet(by: values.map(\.plainText)) } ?? !values.isEmpty
            } ?? false
        case .form(let fields): fields.allSatisfy { StubConditions.meets($0, $1, request.form) }
        case .bytes(let bytes): request.body == bytes
        case .text(let condition): condition.isMet(by: request.body.isEmpty ? [] : [request.body])
        }
    }
}

// MARK: As the cassette keeps them

/// An object with one of `json`, `json_containing`, `json_unordered`, `json_containing_unordered`, `json_path` (and perhaps `is`),
/// `form` (an object of conditions), `text` (a condition) and `base64`.
extension BodyCondition {
    static let names: Set<String> = [
        "json", "json_containing", "json_unordered", "json_containing_unordered", "json_path", "form", "text", "base64",
    ]

    /// - Parameter members: those of the names above, and `is`.
    init(_ members: [String: JSONValue]) throws(StubError) {
        var rest = members
        let condition = try rest.removeValue(forKey: "is").map { json throws(StubError) in try TextCondition(json) }
        guard rest.count == 1, let (name, value) = rest.first else {
            throw StubError("there is more than one condition of the body in one place")
        }
        guard condition == nil || name == "json_path" else { throw StubError("`is` goes with `json_path`") }
        switch (name, value) {
        case ("json", _): self = .json(value)
        case ("json_containing", _): self = .containing(value)
        case ("json_unordered", _): self = .unordered(value)
        case ("json_containing_unordered", _): self = .containingUnordered(value)
        case ("json_path", .string(let text)):
            guard let path = JSONPath(text) else { throw StubError("`\(text.prefix(100))` is not a path into JSON") }
            self = .path(path, condition)
        case ("form", .object(let fields)): self = .form(try StubConditions.conditions(fields))
        case ("text", .string(let text)): self = .bytes(Array(text.utf8))
        case ("text", .object): self = .text(try TextCondition(value))
        case ("base64", .string(let text)):
            guard let data = Data(base64Encoded: text) else { throw StubError("`base64` is not base64") }
            self = .bytes(Array(data))
        default: throw StubError("`\(name.prefix(100))` is not a condition that is known, or has no such value")
        }
    }

    var members: [String: JSONValue] {
        switch self {
        case .json(let value): ["json": value]
        case .containing(let value): ["json_containing": value]
        case .unordered(let value): ["json_unordered": value]
        case .containingUnordered(let value): ["json_containing_unordered": value]
        case .path(let path, nil): ["json_path": .string(path.text)]
        case .path(let path, let condition?): ["json_path": .string(path.text), "is": condition.json]
        case .form(let fields): ["form": .object(fields.mapValues(\.json))]
        case .text(.equals(let text, false)): ["text": ["equals": .string(text)]]
        case .text(let condition): ["text": condition.json]
        case .bytes(let bytes):
            String(validating: bytes, as: UTF8.self).map { ["text": .string($0)] }
                ?? ["base64": .string(Data(bytes).base64EncodedString())]
        }
    }
}
