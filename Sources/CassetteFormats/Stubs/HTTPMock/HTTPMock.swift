import Foundation
import HTTPMessages
import MockServeCore

/// Mocks of httpmock for Rust: YAML, a document each, with `when` and `then`.
package struct HTTPMock: ReadableFormat {
    package let name = "httpmock"
    package let title = "httpmock for Rust, YAML"

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool { start.has("when") && start.has("then") }

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        let stream = try DataFile.stream(source)
        // The first that fits answers there, the last one here.
        var mocks: [DataNode] = []
        while try stream.nextDocument() {
            let mock = try stream.value()
            if mock.members?.isEmpty == false { mocks.append(mock) }
            guard mocks.count <= StubDefinition.countLimit else {
                throw stream.problem("has more than \(StubDefinition.countLimit) mocks.")
            }
        }
        DataFile.noteTags(of: stream, reading)
        for mock in mocks.reversed() { try self.mock(mock, reading) }
    }

    private func mock(_ mock: DataNode, _ reading: FormatImport) throws {
        guard let answer = mock["then"] else {
            throw FormatError(reading.file, mock.line, "has a mock without `then`.")
        }
        do {
            var conditions = StubConditions()
            let pattern = try pattern(mock["when"], &conditions, reading)
            let status = try MessageParts.status(answer["status"] ?? .number(200), of: answer.line, reading)
            var body = answer["body"]?.bytes ?? []
            if let coded = answer["body_base64"] { body = try MessageParts.base64(coded, reading) }
            if let json = answer["json_body"] { body = jsonText(json) }
            try StubParts.add(
                pattern,
                conditions,
                StubParts.head(status, nil, try fields(answer["header"] ?? answer["headers"], reading)),
                body: body,
                delay: delay(answer["delay"]),
                line: mock.line,
                reading
            )
        } catch let error as Unsupported {
            reading.lost(error.what, line: mock.line)
        }
    }

    /// Milliseconds, or an object with `secs` and `nanos`.
    private func delay(_ node: DataNode?) -> Int {
        guard let node else { return 0 }
        guard let seconds = node["secs"]?.number else { return node.integer ?? 0 }
        let total = seconds * 1000 + (node["nanos"]?.number ?? 0) / 1_000_000
        return Int(min(max(total, 0), Double(StubDefinition.longestDelay) + 1))
    }

    private func fields(_ node: DataNode?, _ reading: FormatImport) throws -> Fields {
        guard let list = node?.list else { return try MessageParts.fields(node, reading) }
        var fields = Fields()
        for pair in list {
            let value = pair["value"]?.bytes ?? []
            MessageParts.append(
                pair["name"]?.text ?? pair["key"]?.text ?? "",
                value,
                to: &fields,
                line: pair.line,
                reading
            )
        }
        return fields
    }

    private func pairs(_ node: DataNode) -> [(name: String, value: String?)] {
        if let members = node.members { return members.map { ($0.name, $0.value.text) } }
        return (node.list ?? []).compactMap { pair in
            (pair["name"] ?? pair["key"])?.text.map { ($0, pair["value"]?.text) }
        }
    }

    private func pattern(_ when: DataNode?, _ conditions: inout StubConditions, _ reading: FormatImport) throws
        -> String
    {
        var (method, path) = ("*", PathTemplate.all.text)
        for (name, value) in when?.members ?? [] where !value.isNull {
            switch name {
            case "method":
                guard let text = value.text, isToken(Array(text.utf8)) else {
                    throw Unsupported("a stub with a method that is not matched exactly")
                }
                method = text.uppercased()
            case "path":
                guard let text = value.text else { throw Unsupported("a stub with a path that is not a text") }
                path = StubParts.path(text, &conditions)
            case "json_body": conditions.bodies.append(.json(try json(value)))
            case "json_body_partial", "json_body_includes":
                for part in value.list ?? [value] { conditions.bodies.append(.containing(try json(part))) }
            case "body_base64": conditions.bodies.append(.bytes(try MessageParts.base64(value, reading)))
            case "scheme", "host", "port": reading.lost("the \(name) that a stub asks for", line: value.line)
            default: try add(name, value, to: &conditions)
            }
        }
        return "\(method) \(path)"
    }

    /// What a matcher compares, and how: `query_param_contains`.
    private func add(_ name: String, _ value: DataNode, to conditions: inout StubConditions) throws {
        let subjects = [
            "path", "body", "query_param", "header", "cookie", "form_urlencoded_tuple", "x_www_form_urlencoded_tuple",
        ]
        let subject = subjects.first { name == $0 || name.hasPrefix($0 + "_") }
        guard let subject, let make = Self.condition(String(name.dropFirst(subject.count))) else {
            throw Unsupported("a stub with the matcher \(name.prefix(60))")
        }
        func join(_ condition: TextCondition, _ known: TextCondition?) -> TextCondition {
            known.map { .all([$0, condition]) } ?? condition
        }
        switch subject {
        case "path": for text in texts(value) { conditions.path = join(try make(text), conditions.path) }
        case "body":
            for text in texts(value) {
                let condition = try make(text)
                if case .equals(let text, false) = condition {
                    conditions.bodies.append(.bytes(Array(text.utf8)))
                } else {
                    conditions.bodies.append(.text(condition))
                }
            }
        default:
            var named: [String: TextCondition] = [:]
            for (name, value) in pairs(value) + texts(value).map({ ($0, nil) }) {
                // An expression may stand for the name as well.
                guard !name.contains(where: { "*+[]()|\\^$".contains($0) }) else {
                    throw Unsupported("a stub with an expression for a name")
                }
                named[name] = join(try value.map(make) ?? make(nil), named[name])
            }
            switch subject {
            case "query_param": conditions.query.merge(named) { join($1, $0) }
            case "header": conditions.fields.merge(named) { join($1, $0) }
            case "cookie": conditions.cookies.merge(named) { join($1, $0) }
            default: conditions.bodies.append(.form(named))
            }
        }
    }

    private func texts(_ node: DataNode) -> [String] { (node.list ?? [node]).compactMap(\.text) }

    /// - Parameter ending: of the name of a matcher.
    private static func condition(_ ending: String) -> ((String?) throws -> TextCondition)? {
        func escaped(_ text: String?) -> String { NSRegularExpression.escapedPattern(for: text ?? "") }
        return switch ending {
        case "": { $0.map { .equals($0) } ?? .present }
        case "_exists": { _ in .present }
        case "_missing": { _ in .absent }
        case "_not": { .not(.equals($0 ?? "")) }
        case "_contains", "_includes": { .contains($0 ?? "") }
        case "_excludes": { .not(.contains($0 ?? "")) }
        case "_prefix": { try StubParts.pattern(escaped($0) + "(?s:.*)") }
        case "_prefix_not": { .not(try StubParts.pattern(escaped($0) + "(?s:.*)")) }
        case "_suffix": { try StubParts.pattern("(?s:.*)" + escaped($0)) }
        case "_suffix_not": { .not(try StubParts.pattern("(?s:.*)" + escaped($0))) }
        case "_matches": { try StubParts.pattern("(?s:.*)(?:\($0 ?? ""))(?s:.*)") }
        default: nil
        }
    }

    /// A text that is JSON already, or data.
    private func jsonText(_ node: DataNode) -> [UInt8] {
        if case .text(let text) = node.value { return Array(text.utf8) }
        return DataText.bytes(node.quotingTexts, .compactJSON)
    }

    private func json(_ node: DataNode) throws -> JSONValue {
        guard let value = JSONValue(jsonText(node)) else { throw Unsupported("a stub with JSON that is not JSON") }
        return value
    }
}
