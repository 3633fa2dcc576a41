import Foundation
import HTTPMessages
import MockServeCore

/// What a mapping of WireMock asks for, in our words.
struct WireMockRequest {
    /// `*` for any.
    let methods: [String]
    /// A `PathTemplate`.
    let path: String
    private(set) var conditions = StubConditions()

    /// - Throws: `Unsupported` if it asks for something that a stub here cannot ask for: without that, it would answer too much.
    init(_ node: DataNode?, _ reading: FormatImport) throws {
        methods = try Self.methods(node?["method"])
        guard let node else {
            path = PathTemplate.all.text
            return
        }
        for (name, what) in Self.unsupported where node[name] != nil { throw Unsupported("a stub with \(what)") }
        for name in ["host", "scheme", "port", "clientIp"] where node[name] != nil {
            reading.lost("the \(name) that a stub asks for", line: node.line)
        }
        path = try Self.path(node, &conditions)
        conditions.query = try Self.conditions(node["queryParameters"])
        conditions.fields = try Self.conditions(node["headers"])
        conditions.cookies = try Self.conditions(node["cookies"])
        if let credentials = node["basicAuthCredentials"] ?? node["basicAuth"] {
            let text = "\(credentials["username"]?.text ?? ""):\(credentials["password"]?.text ?? "")"
            conditions.fields["Authorization"] = .equals("Basic " + Data(text.utf8).base64EncodedString())
        }
        if let form = node["formParameters"] { conditions.bodies.append(.form(try Self.conditions(form))) }
        for pattern in node["bodyPatterns"]?.list ?? [] where pattern["anything"] == nil {
            conditions.bodies.append(try Self.body(pattern, reading))
        }
    }

    private static let unsupported = [
        ("multipartPatterns", "conditions on parts of multipart bodies"),
        ("customMatcher", "a matcher written in Java"),
        ("pathParameters", "conditions on parts of the path"),
    ]

    private static func methods(_ node: DataNode?) throws -> [String] {
        if let methods = node?["oneOf"]?.list { return try methods.map { try method($0.text ?? "") } }
        if node?["noneOf"] != nil { throw Unsupported("a stub for all methods but some") }
        return [try method(node?.text ?? "ANY")]
    }

    private static func method(_ text: String) throws -> String {
        switch text.uppercased() {
        case "ANY": return "*"
        // GET answers HEAD, too.
        case "GET_OR_HEAD": return "GET"
        case let method:
            guard isToken(Array(method.utf8)) else { throw Unsupported("a stub with a method that is not one") }
            return method
        }
    }

    private static func path(_ node: DataNode, _ conditions: inout StubConditions) throws -> String {
        if let url = node["url"]?.text {
            conditions.target = .equals(url)
            let path = url.prefix { $0 != "?" }
            return path.hasPrefix("/") ? StubParts.path(String(path), &conditions) : PathTemplate.all.text
        }
        if let path = node["urlPath"]?.text { return StubParts.path(path, &conditions) }
        if let pattern = node["urlPattern"]?.text { conditions.target = try StubParts.pattern(pattern) }
        if let pattern = node["urlPathPattern"]?.text { conditions.path = try StubParts.pattern(pattern) }
        guard let template = node["urlPathTemplate"]?.text else { return PathTemplate.all.text }
        return try StubParts.template(template, &conditions)
    }

    private static func conditions(_ node: DataNode?) throws -> [String: TextCondition] {
        var conditions: [String: TextCondition] = [:]
        for (name, value) in node?.members ?? [] { conditions[name] = try text(value) }
        return conditions
    }

    /// A content pattern, of a text.
    private static func text(_ node: DataNode) throws -> TextCondition {
        // Of several it takes the first; all of them is what is meant.
        var conditions: [TextCondition] = []
        for (name, value) in node.members ?? [] {
            switch name {
            case "equalTo":
                conditions.append(.equals(try string(value), ignoresCase: node["caseInsensitive"]?.bool == true))
            case "contains": conditions.append(.contains(try string(value)))
            case "doesNotContain": conditions.append(.not(.contains(try string(value))))
            case "matches": conditions.append(try StubParts.pattern(try string(value)))
            case "doesNotMatch": conditions.append(.not(try StubParts.pattern(try string(value))))
            case "absent": conditions.append(value.bool == false ? .present : .absent)
            case "and", "includes": conditions.append(.all(try (value.list ?? []).map(text)))
            case "or": conditions.append(.any(try (value.list ?? []).map(text)))
            case "not": conditions.append(.not(try text(value)))
            case "anything": conditions.append(.all([]))
            case "caseInsensitive": break
            default: throw Unsupported("a stub with the matcher \(name.prefix(40))")
            }
        }
        guard let first = conditions.first else { throw Unsupported("a stub with an empty matcher") }
        return conditions.count == 1 ? first : .all(conditions)
    }

    private static let replacement = "\u{FFFD}"

    private static func string(_ node: DataNode) throws -> String {
        guard let text = node.text else { throw Unsupported("a stub with a matcher whose value is not a text") }
        return text
    }

    private static func body(_ node: DataNode, _ reading: FormatImport) throws -> BodyCondition {
        if let json = node["equalToJson"] {
            // As an object, or as the text of one.
            let bytes =
                json.list == nil && json.members == nil
                ? json.bytes ?? [] : DataText.bytes(json.quotingTexts, .compactJSON)
            guard let value = JSONValue(bytes) else {
                throw Unsupported("a stub with JSON that has placeholders in it")
            }
            if value.text.firstRange(of: Array("${json-unit".utf8)) != nil {
                throw Unsupported("a stub with JSON that has placeholders in it")
            }
            switch (node["ignoreExtraElements"]?.bool == true, node["ignoreArrayOrder"]?.bool == true) {
            case (false, false): return .json(value)
            case (true, false): return .containing(value)
            case (false, true): return .unordered(value)
            case (true, true): return .containingUnordered(value)
            }
        }
        if let expression = node["matchesJsonPath"] {
            let text = expression.text ?? expression["expression"]?.text ?? ""
            guard let path = JSONPath(text) else { throw Unsupported("a stub with a JSON path that has filters in it") }
            let rest = (expression.members ?? []).filter { $0.name != "expression" }
            return .path(path, try rest.isEmpty ? nil : self.text(.object(rest)))
        }
        if let coded = node["binaryEqualTo"] { return .bytes(try MessageParts.base64(coded, reading)) }
        let condition = try text(node)
        guard case .equals(let text, false) = condition else { return .text(condition) }
        guard text.contains(replacement) else { return .bytes(Array(text.utf8)) }
        // It was binary when it was recorded: each of these stands for bytes that are not UTF-8.
        let pieces = text.components(separatedBy: replacement).map { NSRegularExpression.escapedPattern(for: $0) }
        return .text(try StubParts.pattern(pieces.joined(separator: "[\\x80-\\xff]+")))
    }
}
