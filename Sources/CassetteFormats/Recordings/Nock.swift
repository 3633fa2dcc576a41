import Foundation
import HTTPMessages
import MockServeCore

/// Recordings of nock for Node.js (https://github.com/nock/nock), as `nock.back` and `output_objects` write them.
///
/// Bodies of JSON are data in it, so their spelling is lost already; those with a content coding are hexadecimal.
package struct Nock: ReadableFormat, WritableFormat {
    package let name = "nock"
    package let title = "nock for Node.js, JSON"
    package let fileExtension: String? = "json"

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool {
        start.has("[].scope") || start.has("scope") && start.has("path")
    }

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        let stream = try JSONStream(source)
        guard try stream.nextDocument() else { throw stream.problem("is empty.") }
        if try stream.kind() == .list {
            try stream.forEachElement { try interaction(try stream.value(), reading) }
        } else {
            try interaction(try stream.value(), reading)
        }
        try DataFile.end(stream, reading)
    }

    private func interaction(_ node: DataNode, _ reading: FormatImport) throws {
        let line = node.line
        guard let scope = node["scope"]?.text, let path = node["path"]?.text else {
            throw FormatError(reading.file, line, "has an interaction without a scope or a path.")
        }
        for name in ["badheaders", "options"] where node[name] != nil { reading.lost("`\(name)` of nock", line: line) }
        var asked = try MessageParts.fields(node["reqheaders"], reading)
        let body = try requestBody(node["body"], &asked, reading)
        let answered = try responseFields(node, reading)
        let made = try MessageParts.interaction(
            (line, line),
            url: scope + path,
            method: node["method"],
            status: node["status"] ?? .number(200),
            fields: (asked, answered),
            bodies: (body, responseBody(node, answered, reading)),
            reading
        )
        if let interaction = made { try MessageParts.add(interaction, line: line, reading) }
    }

    /// Bodies are compared by their type, which is not there unless fields were recorded: then it is what they look like.
    private func requestBody(_ node: DataNode?, _ fields: inout Fields, _ reading: FormatImport) throws -> [UInt8] {
        guard let node else { return [] }
        let body: [UInt8]
        if let text = node.bytes {
            // Hexadecimal if it was binary.
            let binary = Hexadecimal.bytes(node.text ?? "").flatMap {
                String(validating: $0, as: UTF8.self) == nil ? $0 : nil
            }
            body = binary ?? text
        } else {
            body = DataText.bytes(node, .compactJSON)
        }
        if !fields.contains("content-type"), let type = BodyType.guess(body) { fields.append("Content-Type", type) }
        return body
    }

    private func responseFields(_ node: DataNode, _ reading: FormatImport) throws -> Fields {
        guard let raw = node["rawHeaders"], let list = raw.list else {
            return try MessageParts.fields(node["rawHeaders"] ?? node["headers"], reading)
        }
        guard list.count.isMultiple(of: 2) else {
            throw FormatError(reading.file, raw.line, "has raw headers that are not pairs of name and value.")
        }
        var fields = Fields()
        for index in stride(from: 0, to: list.count, by: 2) {
            let values = list[index + 1].list ?? [list[index + 1]]
            for value in values {
                let bytes = value.bytes ?? []
                MessageParts.append(list[index].text ?? "", bytes, to: &fields, line: value.line, reading)
            }
        }
        return fields
    }

    private func responseBody(_ node: DataNode, _ fields: Fields, _ reading: FormatImport) throws -> [UInt8] {
        guard let body = node["response"] else { return [] }
        if let pieces = body.list, fields.contains("content-encoding") || node["responseIsBinary"]?.bool == true {
            return try pieces.flatMap { try hexadecimal($0, reading) }
        }
        guard let text = body.text, case .text = body.value else { return DataText.bytes(body, .compactJSON) }
        return node["responseIsBinary"]?.bool == true ? try hexadecimal(body, reading) : Array(text.utf8)
    }

    private func hexadecimal(_ node: DataNode, _ reading: FormatImport) throws -> [UInt8] {
        guard let bytes = Hexadecimal.bytes(node.text ?? "-") else {
            throw FormatError(reading.file, node.line, "has a body that is not hexadecimal.")
        }
        return bytes
    }

    // MARK: Writing

    private let lost: Set<ExportedAspect> = [
        .anyOrigin, .targetBytes, .requestFields, .fieldBytes, .requestVersion,
        .responseVersion, .reason, .requestTrailers, .responseTrailers, .informational, .time, .firstByte, .chunks,
        .cut,
        .binaryRequest,
    ]

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        try export.write("[")
        var isFirst = true
        try contents.forEachInteraction { interaction in
            try export.write(isFirst ? "\n" : ",\n")
            isFirst = false
            export.lose(lost, of: interaction)
            try export.write(DataText.bytes(node(interaction), .json(indent: 2)))
        }
        try export.write(isFirst ? "]\n" : "\n]\n")
        try export.loseAllBut(interactionsOf: contents)
    }

    /// JSON as data, which is compared by value there.
    private func requestBody(_ bytes: [UInt8], _ fields: Fields) -> DataNode {
        let isJSON = fields.first("content-type").map { MediaType($0).isJSON } ?? false
        if isJSON, let value = try? JSONStream(ByteSource(bytes, name: "")).value(),
            value.list != nil || value.members != nil
        {
            return value
        }
        return .text(String(validating: bytes, as: UTF8.self) ?? Hexadecimal.text(bytes))
    }

    private func node(_ interaction: WholeInteraction) -> DataNode {
        let (request, response) = (interaction.request, interaction.response)
        let origin = Origin(interaction.origin) ?? Origin(scheme: .http, host: "localhost", port: 80)
        let authority =
            origin.authority.hasSuffix(":\(origin.port)") ? origin.authority : "\(origin.authority):\(origin.port)"
        let body = interaction.responseBody
        let isCoded = response.fields.contains("content-encoding")
        let text = String(validating: body, as: UTF8.self)
        let hex = Hexadecimal.text(body)
        var raw: [DataNode] = []
        for field in response.fields {
            raw += [
                .text(String(decoding: field.name, as: UTF8.self)), .text(String(decoding: field.value, as: UTF8.self)),
            ]
        }
        return .object([
            "scope": .text("\(origin.scheme.rawValue)://\(authority)"),
            "method": .text(Latin1.string(request.method)),
            "path": .text(AbsoluteURL.text(Target.originForm(request.target))),
            "body": requestBody(interaction.requestBody, request.fields),
            "status": .number(response.status),
            "response": isCoded ? .list([.text(hex)]) : .text(text ?? hex),
            "rawHeaders": .list(raw),
            "responseIsBinary": .bool(!isCoded && text == nil),
        ])
    }
}
