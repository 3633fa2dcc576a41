/// Makes a value of a schema (JSON Schema as OpenAPI has it): its `example`, `examples`, `default`, `const` or first `enum`; otherwise, by
/// type, an object with all its properties, a list of one element (or of `minItems`, up to 10), `"string"` (or one of the format, such as
/// `2024-01-01`), `minimum` or 0, `true`. Of `oneOf` and `anyOf` it is the first, of `allOf` all together. What contains itself is left
/// out at its second time.
struct SchemaExample {
    private static let depthLimit = 30
    private static let nodeLimit = 20_000

    private let references: OpenAPIReferences
    private let reading: FormatImport

    init(_ references: OpenAPIReferences, _ reading: FormatImport) {
        (self.references, self.reading) = (references, reading)
    }

    func value(_ schema: DataNode) throws -> DataNode {
        var left = Self.nodeLimit
        return try value(schema, [], 0, &left) ?? .null
    }

    /// - Parameter within: references that the value is in.
    private func value(_ schema: DataNode, _ within: Set<String>, _ depth: Int, _ left: inout Int) throws -> DataNode? {
        left -= 1
        guard depth < Self.depthLimit, left > 0 else { return nil }
        var within = within
        if let reference = schema["$ref"]?.text, !within.insert(reference).inserted { return nil }
        let schema = try references.resolved(schema, reading)
        if let given = schema["example"] ?? schema["examples"]?.list?.first ?? schema["default"] ?? schema["const"] {
            return given
        }
        if let first = schema["enum"]?.list?.first(where: { !$0.isNull }) { return first }
        if let choices = (schema["oneOf"] ?? schema["anyOf"])?.list {
            for choice in choices {
                if let value = try value(choice, within, depth + 1, &left), !value.isNull { return value }
            }
        }
        if let parts = schema["allOf"]?.list { return try together(parts + [withoutAll(schema)], within, depth, &left) }
        return try value(ofType: type(of: schema), schema, within, depth, &left)
    }

    private func withoutAll(_ schema: DataNode) -> DataNode {
        DataNode(.map((schema.members ?? []).filter { $0.name != "allOf" }), line: schema.line)
    }

    private func together(
        _ parts: [DataNode],
        _ within: Set<String>,
        _ depth: Int,
        _ left: inout Int
    ) throws -> DataNode? {
        var members: [(name: String, value: DataNode)] = []
        var indexes: [String: Int] = [:]
        var other: DataNode?
        for part in parts {
            guard let value = try value(part, within, depth + 1, &left) else { continue }
            guard let more = value.members else {
                other = value.isNull ? other : value
                continue
            }
            for member in more {
                if let index = indexes[member.name] {
                    members[index] = member
                } else {
                    indexes[member.name] = members.count
                    members.append(member)
                }
            }
        }
        return members.isEmpty ? other ?? .object([]) : .object(members)
    }

    /// A list of types has `null` among them in 3.1.
    private func type(of schema: DataNode) -> String? {
        if let types = schema["type"]?.list { return types.compactMap(\.text).first { $0 != "null" } }
        if let type = schema["type"]?.text { return type }
        if schema["properties"] != nil || schema["additionalProperties"] != nil { return "object" }
        return schema["items"] == nil ? nil : "array"
    }

    private func value(
        ofType type: String?,
        _ schema: DataNode,
        _ within: Set<String>,
        _ depth: Int,
        _ left: inout Int
    ) throws -> DataNode? {
        switch type {
        case "object":
            var members: [(name: String, value: DataNode)] = []
            for (name, property) in schema["properties"]?.members ?? [] where property["writeOnly"]?.bool != true {
                guard left > 0 else { break }
                if let value = try value(property, within, depth + 1, &left) { members.append((name, value)) }
            }
            return .object(members)
        case "array":
            let before = left
            guard let items = schema["items"], let element = try value(items, within, depth + 1, &left) else {
                return .list([])
            }
            // Each element is as large as the first.
            let size = max(1, before - left)
            let count = min(max(schema["minItems"]?.integer ?? 1, 1), 10, 1 + max(0, left) / size)
            left -= (count - 1) * size
            return .list(Array(repeating: element, count: count))
        case "string": return .text(text(schema))
        case "integer": return .number(schema["minimum"]?.integer ?? 0)
        case "number": return schema["minimum"] ?? .number(0)
        case "boolean": return .bool(true)
        default: return .null
        }
    }

    private func text(_ schema: DataNode) -> String {
        switch schema["format"]?.text {
        case "date-time": return "2024-01-01T00:00:00Z"
        case "date": return "2024-01-01"
        case "time": return "00:00:00Z"
        case "uuid": return "00000000-0000-4000-8000-000000000000"
        case "email": return "user@example.com"
        case "uri", "url", "uri-reference": return "https://example.com"
        case "hostname": return "example.com"
        case "ipv4": return "192.0.2.1"
        case "ipv6": return "2001:db8::1"
        case "byte": return "c3RyaW5n"
        default:
            let least = min(max(schema["minLength"]?.integer ?? 0, 0), 1000)
            return "string" + String(repeating: "x", count: max(0, least - 6))
        }
    }
}
