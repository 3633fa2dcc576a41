import Foundation
import HTTPMessages
import MockServeCore

/// What a pair of Hoverfly asks for, in our words.
struct HoverflyRequest {
    /// `METHOD PATH`
    let pattern: String
    private(set) var conditions = StubConditions()
    /// The server that is asked for; nil if any, or by a pattern.
    private(set) var destination: String?

    /// - Throws: `Unsupported` if it asks for something that a stub here cannot ask for.
    init(_ node: DataNode?, _ reading: FormatImport) throws {
        var node = node
        // In version 1 they are texts: with wildcards in a template, and without fields that count in a recording.
        if let request = node, request["path"]?.text != nil || request["method"]?.text != nil {
            node = Self.later(request)
        }
        var method = "*"
        if let condition = try Self.condition(node?["method"]) {
            guard case .equals(let text, _) = condition, isToken(Array(text.utf8)) else {
                throw Unsupported("a stub whose method is not matched exactly")
            }
            method = text.uppercased()
        }
        for name in ["destination", "scheme"] where node?[name] != nil {
            // Recorded ones are exact: as long as they are the same, nothing is lost.
            if case .equals(let text, _)? = try? Self.condition(node?[name]) {
                if name == "destination" { destination = text }
            } else {
                reading.lost("the \(name) that a stub asks for", line: node?.line)
            }
        }
        switch try Self.condition(node?["path"]) {
        case .equals(let path, false) where path.hasPrefix("/"):
            pattern = "\(method) " + StubParts.path(path, &conditions)
        case let condition:
            conditions.path = condition
            pattern = "\(method) \(PathTemplate.all.text)"
        }
        conditions.query = try Self.query(node?["query"], node?["deprecatedQuery"])
        for (name, value) in node?["headers"]?.members ?? [] {
            conditions.fields[name] = try Self.condition(value) ?? .present
        }
        for (name, value) in node?["headersWithMatchers"]?.members ?? [] {
            conditions.fields[name] = try Self.condition(value) ?? .present
        }
        conditions.bodies = try Self.bodies(node?["body"])
    }

    /// A request of version 1 as later ones have it.
    private static func later(_ request: DataNode) -> DataNode {
        let isTemplate = request["requestType"]?.text == "template"
        func matchers(_ value: DataNode) -> DataNode {
            let text = value.list?.compactMap(\.text).joined(separator: ";") ?? value.text ?? ""
            return .list([.object(["matcher": .text(isTemplate ? "glob" : "exact"), "value": .text(text)])])
        }
        var members: [(name: String, value: DataNode)] = []
        for (name, value) in request.members ?? [] where !value.isNull {
            switch name {
            case "headers":
                if isTemplate {
                    members.append((name, .object((value.members ?? []).map { ($0.name, matchers($0.value)) })))
                }
            case "query": members.append((name, value))
            case "requestType": break
            // An empty one of a recording says that there was none.
            default: if name != "body" || value.text?.isEmpty == false { members.append((name, matchers(value))) }
            }
        }
        return DataNode(.map(members), line: request.line)
    }

    private static func isExact(_ condition: TextCondition) -> Bool {
        if case .equals = condition { true } else { false }
    }

    private static func query(_ node: DataNode?, _ deprecated: DataNode?) throws -> [String: TextCondition] {
        var conditions: [String: TextCondition] = [:]
        // Early versions have the whole query as one text.
        let text = try [node, deprecated].compactMap { try $0?.members == nil ? condition($0) : nil }.first
        if case .equals(let query, _)? = text {
            var parameters = StubConditions()
            for pair in Target(Array("?\(query)".utf8)).pairs {
                let value = String(decoding: pair.value, as: UTF8.self)
                parameters.addQuery(String(decoding: pair.name, as: UTF8.self), .equals(value))
            }
            conditions = parameters.query
        } else if text != nil {
            throw Unsupported("a stub with a matcher on the whole query")
        }
        if node?["exactMatch"] != nil { return conditions }
        for (name, value) in node?.members ?? [] { conditions[name] = try condition(value).map(apart) ?? .present }
        return conditions
    }

    /// Several values of one parameter are joined by semicolons there.
    private static func apart(_ condition: TextCondition) -> TextCondition {
        guard case .equals(let text, false) = condition, text.contains(";") else { return condition }
        return .any([condition, .all(text.split(separator: ";").map { .equals(String($0)) })])
    }

    /// How much it asks for: of several pairs that match, the one that asks for most answers.
    var strength: Int {
        func strength(_ condition: TextCondition) -> Int { Self.isExact(condition) ? 2 : 1 }
        let named = [conditions.query, conditions.fields].flatMap(\.values).map(strength).reduce(0, +)
        let path = conditions.path.map(strength) ?? (pattern.hasSuffix(" \(PathTemplate.all.text)") ? 0 : 2)
        return named + path + (pattern.hasPrefix("*") ? 0 : 2) + conditions.bodies.count * 2
    }

    // MARK: Matchers

    /// A text, an object with `exactMatch` and the like (versions 2 to 4), or a list of matchers, all of which must match. In
    /// version 1 lists are values of fields.
    private static func condition(_ node: DataNode?) throws -> TextCondition? {
        guard let node else { return nil }
        if let text = node.text { return .equals(text) }
        if let list = node.list {
            let conditions = try list.compactMap { try condition($0) }
            return conditions.isEmpty ? nil : conditions.count == 1 ? conditions[0] : .all(conditions)
        }
        guard let matcher = node["matcher"]?.text else { return try early(node) }
        let value = node["value"]?.text ?? ""
        if node["doMatch"] != nil { throw Unsupported("a stub with a matcher within a matcher") }
        switch matcher.lowercased() {
        case "exact", "": return .equals(value)
        case "negate": return .not(.equals(value))
        case "glob": return try glob(value)
        // Anywhere in the text.
        case "regex": return try StubParts.pattern("(?s:.*)(?:\(value))(?s:.*)")
        case "array":
            if let config = node["config"], config.members?.isEmpty == false {
                throw Unsupported("a stub with a matcher of arrays that ignores something")
            }
            return .all((node["value"]?.list ?? []).compactMap(\.text).map { .equals($0) })
        default: throw Unsupported("a stub with the matcher \(matcher.prefix(40))")
        }
    }

    private static func early(_ node: DataNode) throws -> TextCondition? {
        var conditions: [TextCondition] = []
        for (name, value) in node.members ?? [] where !value.isNull {
            switch name {
            case "exactMatch": conditions.append(.equals(value.text ?? ""))
            case "globMatch": conditions.append(try glob(value.text ?? ""))
            case "regexMatch": conditions.append(try StubParts.pattern("(?s:.*)(?:\(value.text ?? ""))(?s:.*)"))
            default: throw Unsupported("a stub with the matcher \(name.prefix(40))")
            }
        }
        return conditions.isEmpty ? nil : conditions.count == 1 ? conditions[0] : .all(conditions)
    }

    private static func glob(_ text: String) throws -> TextCondition {
        let pieces = text.components(separatedBy: "*").map { NSRegularExpression.escapedPattern(for: $0) }
        return try StubParts.pattern(pieces.joined(separator: "(?s:.*)"))
    }

    private static func bodies(_ node: DataNode?) throws -> [BodyCondition] {
        guard let node else { return [] }
        if let text = node.text { return text.isEmpty ? [] : [.bytes(Array(text.utf8))] }
        return try (node.list ?? [node]).compactMap(body)
    }

    private static func body(_ node: DataNode) throws -> BodyCondition? {
        func json(_ text: String) throws -> JSONValue {
            guard let value = JSONValue(Array(text.utf8)) else {
                throw Unsupported("a stub with a matcher of JSON that is not JSON")
            }
            return value
        }
        let value = node["value"]?.text ?? ""
        switch node["matcher"]?.text?.lowercased() {
        case "json": return .json(try json(value))
        case "jsonpartial": return .containingUnordered(try json(value))
        case "jsonpath":
            guard node["doMatch"] == nil, let path = JSONPath(value) else {
                throw Unsupported("a stub with a JSON path that has filters in it")
            }
            return .path(path, nil)
        case "form":
            var fields: [String: TextCondition] = [:]
            for (name, matchers) in node["value"]?.members ?? [] { fields[name] = try condition(matchers) ?? .present }
            return .form(fields)
        default: break
        }
        if let text = node["jsonMatch"]?.text { return .json(try json(text)) }
        if let text = node["jsonPathMatch"]?.text {
            guard let path = JSONPath(text) else { throw Unsupported("a stub with a JSON path that has filters in it") }
            return .path(path, nil)
        }
        switch try condition(node) {
        case nil: return nil
        case .equals("", false): return .text(.absent)
        case .equals(let text, false): return .bytes(Array(text.utf8))
        case let condition?: return .text(condition)
        }
    }
}
