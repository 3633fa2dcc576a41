import Foundation
import HTTPMessages
import MockServeCore

/// Cassettes of cassetter, version 1: YAML or JSON.
package struct Cassetter: ReadableFormat, WritableFormat {
    package let name = "cassetter"
    package let title = "cassetter 1, YAML"
    package let fileExtension: String? = "yaml"

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool {
        start.has("grpc_interactions") || start.has("ws_interactions")
            || start.has("interactions[].request.body.content")
            || start.has("interactions[].request.body.type") || start.has("interactions[].response.body.content")
            || start.has("interactions[].response.body.type")
            || start.has("interactions[].request.uri") && start.value("interactions[].response.status") != nil
    }

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        let stream = try DataFile.stream(source)
        guard try stream.nextDocument() else { throw stream.problem("is empty.") }
        guard try stream.kind() == .object else { throw stream.problem("does not begin with an object.") }
        try stream.forEachMember { name in
            switch name {
            case "interactions": try stream.forEachElementIfList { try interaction(try stream.value(), reading) }
            case "grpc_interactions", "ws_interactions":
                let what = name == "ws_interactions" ? "a WebSocket connection" : "a call of gRPC"
                try stream.forEachElementIfList {
                    reading.lost(what, line: stream.line)
                    try stream.skip()
                }
            default: try stream.skip()
            }
        }
        try DataFile.end(stream, reading)
    }

    private func interaction(_ node: DataNode, _ reading: FormatImport) throws {
        let (request, response) = try MessageParts.sides(of: node, reading)
        let made = try MessageParts.interaction(
            (request.line, response.line),
            url: request["uri"]?.text,
            method: request["method"],
            status: response["status"],
            fields: (
                MessageParts.fields(request["headers"], reading), MessageParts.fields(response["headers"], reading)
            ),
            bodies: (body(request["body"], reading), body(response["body"], reading)),
            reading
        )
        guard var interaction = made else { return }
        interaction.recordedAt = node["recorded_at"]?.text.flatMap { FormatDate.milliseconds($0) }
        try MessageParts.add(interaction, line: node.line, reading)
    }

    private func body(_ node: DataNode?, _ reading: FormatImport) throws -> [UInt8] {
        guard let node, let content = node["content"] ?? (node.text == nil ? nil : node) else { return [] }
        switch node["type"]?.text {
        case "json":
            if case .text(let text) = content.value { return Array(text.utf8) }
            return DataText.bytes(content.quotingTexts, .compactJSON)
        case "binary":
            guard let bytes = Hexadecimal.bytes(content.text ?? "-") else {
                throw FormatError(reading.file, content.line, "has a body that is not hexadecimal.")
            }
            return bytes
        case "none": return []
        default: return content.bytes ?? []
        }
    }

    // MARK: Writing

    private let lost: Set<ExportedAspect> = [
        .anyOrigin, .targetBytes, .scatteredFields, .fieldBytes, .requestVersion, .responseVersion,
        .reason, .requestTrailers, .responseTrailers, .informational, .firstByte, .chunks, .cut,
    ]

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        var list = DataList(in: "interactions", after: ["version": .number(1)], .yaml(binary: "!!binary"), export)
        try contents.forEachInteraction { interaction in
            export.lose(lost, of: interaction)
            try list.write(node(interaction))
        }
        try list.end()
        try export.loseAllBut(interactionsOf: contents)
    }

    private func node(_ interaction: WholeInteraction) -> DataNode {
        .object([
            "request": .object([
                "method": .text(Latin1.string(interaction.request.method)),
                "uri": .text(AbsoluteURL.text(interaction.origin, interaction.request.target)),
                "headers": FieldLists.text(interaction.request.fields),
                "body": body(interaction.requestBody),
            ]),
            "response": .object([
                "status": .number(interaction.response.status),
                "headers": FieldLists.text(interaction.response.fields),
                "body": body(interaction.responseBody),
            ]),
            "recorded_at": .text(FormatDate.iso(interaction.recordedAt ?? 0)),
        ])
    }

    private func body(_ bytes: [UInt8]) -> DataNode {
        guard !bytes.isEmpty else { return .object(["type": .text("none")]) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return .object(["type": .text("binary"), "content": .text(Hexadecimal.text(bytes))])
        }
        return .object(["type": .text("text"), "content": .text(text)])
    }
}
