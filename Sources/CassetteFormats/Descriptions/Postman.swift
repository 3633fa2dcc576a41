import Foundation
import HTTPMessages
import MockServeCore

/// Collections of Postman, version 2.0 and 2.1 (https://schema.postman.com). Each saved example becomes a stub for the method and the
/// path of its request, with the parameters of its query; `:id` in a path is any segment.
package struct Postman: ReadableFormat {
    package let name = "postman"
    package let title = "Postman collections 2.1 with saved examples"

    /// Folders within folders.
    private static let depthLimit = 50

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool {
        start.value("info.schema")?.contains("getpostman.com") == true
            || start.value("info.schema")?.contains("postman.com") == true
            || start.has("info._postman_id") && start.has("item")
    }

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        let stream = try JSONStream(source)
        guard try stream.nextDocument() else { throw stream.problem("is empty.") }
        let collection = try stream.value()
        try DataFile.end(stream, reading)
        guard let items = collection["item"]?.list else {
            throw FormatError(reading.file, collection.line, "has no list `item`.")
        }
        var variables: [String: String] = [:]
        for variable in collection["variable"]?.list ?? [] {
            if let key = (variable["key"] ?? variable["id"])?.text, let value = variable["value"]?.text {
                variables[key] = value
            }
        }
        var examples: [Example] = []
        for item in items { try collect(item, &examples, variables, 0, reading) }
        var taken: Set<String> = []
        var stubs: [WholeStub] = []
        let collected = reading.collecting { stubs.append($0) }
        for example in examples {
            guard taken.insert("\(example.pattern) \(example.conditions.json)").inserted else {
                reading.lost("an example for the same request as an earlier one", line: example.line)
                continue
            }
            try StubParts.add(
                example.pattern,
                example.conditions,
                example.head,
                body: example.body,
                line: example.line,
                collected
            )
        }
        reading.losses.add(collected.losses)
        try StubParts.add(bySpecificity: stubs, to: reading)
    }

    private struct Example {
        let pattern: String
        let conditions: StubConditions
        let head: ResponseHead
        let body: [UInt8]
        let line: Int
    }

    private func collect(
        _ item: DataNode,
        _ examples: inout [Example],
        _ variables: [String: String],
        _ depth: Int,
        _ reading: FormatImport
    ) throws {
        guard depth < Self.depthLimit else {
            throw FormatError(reading.file, item.line, "has folders nested too deeply.")
        }
        if let items = item["item"]?.list {
            for item in items { try collect(item, &examples, variables, depth + 1, reading) }
            return
        }
        guard let request = item["request"] else { return }
        let saved = item["response"]?.list ?? []
        if saved.isEmpty { reading.lost("a request without a saved example", line: item.line) }
        for response in saved {
            let asked = response["originalRequest"] ?? request
            var conditions = StubConditions()
            let pattern = try pattern(asked, variables, &conditions, line: response.line, reading)
            guard let pattern else { continue }
            let status = try response["code"].map { try MessageParts.status($0, of: response.line, reading) } ?? 200
            var fields = Fields()
            for field in response["header"]?.list ?? [] where field["disabled"]?.bool != true {
                let value = field["value"]?.bytes ?? []
                MessageParts.append(field["key"]?.text ?? "", value, to: &fields, line: field.line, reading)
            }
            // Bodies are decoded.
            fields = fields.filter { !$0.isNamed("content-encoding") }
            let body = (response["body"]?.text).map { Self.resolved($0, variables) } ?? ""
            examples.append(
                Example(
                    pattern: pattern,
                    conditions: conditions,
                    head: StubParts.head(status, response["status"]?.text, fields),
                    body: Array(body.utf8),
                    line: response.line
                )
            )
        }
    }

    /// - Returns: nil, with a note, if the address makes no sense.
    private func pattern(
        _ request: DataNode,
        _ variables: [String: String],
        _ conditions: inout StubConditions,
        line: Int,
        _ reading: FormatImport
    ) throws -> String? {
        let method = request["method"]?.text?.uppercased() ?? "GET"
        let url = request["url"] ?? (request.text == nil ? nil : request)
        let raw = url?["raw"]?.text ?? url?.text ?? ""
        var path: String
        var pairs: [(String, String)] = []
        if let segments = url?["path"]?.list {
            path =
                "/"
                + segments.map { Self.resolved($0.text ?? $0["value"]?.text ?? "", variables) }.joined(separator: "/")
            // What stands for the host may have the beginning of the path in it.
            let host = url?["host"]?.list?.compactMap(\.text).joined(separator: ".") ?? url?["host"]?.text ?? ""
            if host.hasPrefix("{{"), let base = AbsoluteURL(Self.resolved(host, variables)),
                base.target != [UInt8(ascii: "/")]
            {
                path =
                    String(decoding: base.target, as: UTF8.self).trimmingCharacters(in: .init(charactersIn: "/"))
                    .split(separator: "/").reduce("") { "\($0)/\($1)" } + path
            }
            for pair in url?["query"]?.list ?? [] where pair["disabled"]?.bool != true {
                if let key = pair["key"]?.text {
                    pairs.append((key, Self.resolved(pair["value"]?.text ?? "", variables)))
                }
            }
        } else {
            guard let address = AbsoluteURL(Self.withHost(Self.resolved(raw, variables))) else {
                reading.lost("an example with an address that makes no sense", line: line)
                return nil
            }
            let target = Target(address.target)
            path = String(decoding: target.path, as: UTF8.self)
            pairs = target.pairs.map {
                (String(decoding: $0.name, as: UTF8.self), String(decoding: $0.value, as: UTF8.self))
            }
        }
        for (name, value) in pairs { conditions.addQuery(name, value.contains("{{") ? .present : .equals(value)) }
        guard isToken(Array(method.utf8)) else {
            throw FormatError(reading.file, line, "has a method that is not one.")
        }
        return "\(method) \(Self.template(path, &conditions))"
    }

    private static func withHost(_ url: String) -> String {
        if url.contains("://") || url.hasPrefix("/") { return url }
        guard url.hasPrefix("{{"), let end = url.range(of: "}}") else { return "http://\(url)" }
        let rest = url[end.upperBound...]
        return rest.hasPrefix("/") ? String(rest) : "/\(rest)"
    }

    /// `:id` and `{{id}}` are any segment.
    private static func template(_ path: String, _ conditions: inout StubConditions) -> String {
        var names: Set<String> = []
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map {
            segment -> String in
            guard segment.hasPrefix(":") && segment.count > 1 || segment.hasPrefix("{{") && segment.hasSuffix("}}")
            else {
                return String(segment)
            }
            var name = String(segment.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
            while name.isEmpty || !names.insert(name).inserted { name += "x" }
            return "{\(name)}"
        }
        let template = "/" + segments.joined(separator: "/")
        return (try? PathTemplate(template)) == nil ? StubParts.path(path, &conditions) : template
    }

    /// Bytes that a text may have with its variables.
    private static let resolvedLimit = 4 << 20

    /// With the variables of the collection in it; unknown ones stay. Variables within variables are resolved, a few times.
    private static func resolved(_ text: String, _ variables: [String: String]) -> String {
        guard !variables.isEmpty else { return text }
        var text = text
        for _ in 0..<5 where text.contains("{{") {
            let before = text
            for (name, value) in variables.sorted(by: { $0.key < $1.key }) where text.contains("{{\(name)}}") {
                text = text.replacing("{{\(name)}}", with: value)
                guard text.utf8.count < resolvedLimit else { return before }
            }
            if text == before { break }
        }
        return text
    }
}
