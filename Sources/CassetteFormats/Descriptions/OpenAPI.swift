import Foundation
import HTTPMessages
import MockServeCore

/// Descriptions of OpenAPI 3.0 and 3.1 (https://spec.openapis.org), YAML or JSON. Each operation becomes a stub that answers as the
/// first response that succeeds: with its example, or with one made from its schema (`SchemaExample`).
package struct OpenAPI: ReadableFormat {
    package let name = "openapi"
    package let title = "OpenAPI 3.0 and 3.1, YAML or JSON"

    private static let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool { start.value("openapi")?.hasPrefix("3.") == true }

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        let stream = try DataFile.stream(source)
        guard try stream.nextDocument() else { throw stream.problem("is empty.") }
        let document = try stream.value()
        try DataFile.end(stream, reading)
        guard document["openapi"]?.text?.hasPrefix("3.") == true else {
            throw FormatError(reading.file, document.line, "is not a description of OpenAPI 3.")
        }
        let references = OpenAPIReferences(document)
        let base = Self.basePath(document)
        var stubs: [WholeStub] = []
        let operations = reading.collecting { stubs.append($0) }
        for (path, item) in document["paths"]?.members ?? [] {
            let item = try references.resolved(item, operations)
            for method in Self.methods {
                guard let operation = item[method] else { continue }
                try add(operation, "\(method.uppercased())", base + path, references, operations)
            }
        }
        reading.losses.add(operations.losses)
        try StubParts.add(bySpecificity: stubs, to: reading)
        for _ in document["webhooks"]?.members ?? [] {
            reading.lost("a webhook, which a server sends", line: document.line)
        }
    }

    /// The path of the first server, with the defaults of its variables.
    private static func basePath(_ document: DataNode) -> String {
        guard let server = document["servers"]?.list?.first, var url = server["url"]?.text else { return "" }
        for (name, variable) in server["variables"]?.members ?? [] {
            url = url.replacing("{\(name)}", with: variable["default"]?.text ?? "")
            // Values may have variables in them.
            guard url.utf8.count < 4096 else { return "" }
        }
        guard let address = AbsoluteURL(url.hasPrefix("/") || url.contains("://") ? url : "/\(url)") else { return "" }
        let path = String(decoding: Target(address.target).path, as: UTF8.self)
        return path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    private func add(
        _ operation: DataNode,
        _ method: String,
        _ path: String,
        _ references: OpenAPIReferences,
        _ reading: FormatImport
    ) throws {
        let responses = operation["responses"]?.members ?? []
        let chosen =
            responses.first { $0.name.hasPrefix("2") } ?? responses.first { $0.name == "default" } ?? responses.first
        guard let chosen else { return reading.lost("an operation without responses", line: operation.line) }
        for _ in responses.dropFirst() {
            reading.lost("a response of an operation besides the first that succeeds", line: operation.line)
        }
        let response = try references.resolved(chosen.value, reading)
        let status =
            Int(chosen.name)
            ?? (chosen.name.uppercased() == "2XX" || chosen.name == "default"
                ? 200 : Int(chosen.name.prefix(1)).map { $0 * 100 } ?? 200)
        guard (200...599).contains(status) else {
            return reading.lost("a response without a valid status", line: response.line)
        }
        var fields = Fields()
        for (name, header) in response["headers"]?.members ?? [] where name.lowercased() != "content-type" {
            let header = try references.resolved(header, reading)
            let example =
                try header["example"] ?? header["schema"].map { try SchemaExample(references, reading).value($0) }
            guard let text = example?.text else { continue }
            MessageParts.append(name, Array(text.utf8), to: &fields, line: header.line, reading)
        }
        let (type, body) = try content(response, references, reading)
        if let type { fields.append("Content-Type", type) }
        var conditions = StubConditions()
        let template: String
        do {
            template = try StubParts.template(path, &conditions)
        } catch {
            return reading.lost(error.what, line: operation.line)
        }
        try StubParts.add(
            "\(method) \(template)",
            conditions,
            StubParts.head(status, nil, fields),
            body: ResponseHead.isBodyless(status: status) ? [] : body,
            line: operation.line,
            reading
        )
    }

    /// JSON if there is any; otherwise the first type.
    private func content(
        _ response: DataNode,
        _ references: OpenAPIReferences,
        _ reading: FormatImport
    ) throws -> (type: String?, body: [UInt8]) {
        let types = response["content"]?.members ?? []
        guard let chosen = types.first(where: { MediaType(Array($0.name.utf8)[...]).isJSON }) ?? types.first else {
            return (nil, [])
        }
        let type = chosen.name.contains("*") ? "application/json" : chosen.name
        let media = try references.resolved(chosen.value, reading)
        var example = media["example"]
        if example == nil, let first = media["examples"]?.members?.first?.value {
            let named = try references.resolved(first, reading)
            if named["externalValue"] != nil { reading.lost("an example that is elsewhere", line: named.line) }
            example = named["value"]
        }
        if example == nil, let schema = media["schema"] {
            example = try SchemaExample(references, reading).value(schema)
        }
        guard let example else { return (type, []) }
        guard MediaType(Array(type.utf8)[...]).isJSON else {
            return (type, example.bytes ?? DataText.bytes(example.quotingTexts, .compactJSON))
        }
        // A text may be JSON already.
        if case .text(let text) = example.value, JSONValue(Array(text.utf8)) != nil,
            text.hasPrefix("{") || text.hasPrefix("[")
        {
            return (type, Array(text.utf8))
        }
        return (type, DataText.bytes(example.quotingTexts, .compactJSON))
    }
}

/// What `$ref` stands for, within one document.
struct OpenAPIReferences {
    private static let stepLimit = 50

    private let document: DataNode

    init(_ document: DataNode) { self.document = document }

    /// The node itself, or what it refers to. A reference to another file is nothing.
    func resolved(_ node: DataNode, _ reading: FormatImport) throws -> DataNode {
        var node = node
        for _ in 0..<Self.stepLimit {
            guard let reference = node["$ref"]?.text else { return node }
            guard reference.hasPrefix("#/") || reference == "#" else {
                reading.lost("a reference to another file", line: node.line)
                return DataNode(.map([]), line: node.line)
            }
            var target: DataNode? = document
            for part in reference.dropFirst(2).split(separator: "/") {
                let name = part.replacing("~1", with: "/").replacing("~0", with: "~")
                let plain = name.removingPercentEncoding ?? String(name)
                target =
                    target?[String(name)] ?? target?[plain]
                    ?? Int(name).flatMap { index in
                        target?.list.flatMap { $0.indices.contains(index) ? $0[index] : nil }
                    }
            }
            guard let target else {
                throw FormatError(reading.file, node.line, "refers to \(reference.prefix(100)), which is not there.")
            }
            node = target
        }
        throw FormatError(reading.file, node.line, "has references that lead in a circle.")
    }
}
