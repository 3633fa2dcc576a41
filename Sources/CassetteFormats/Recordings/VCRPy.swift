import Foundation
import HTTPMessages
import MockServeCore

/// Cassettes of vcrpy (https://github.com/kevin1024/vcrpy), of all versions since 1.0, in YAML or JSON.
package struct VCRPy: ReadableFormat, WritableFormat {
    package let name = "vcrpy"
    package let title = "vcrpy for Python, YAML or JSON"
    package let fileExtension: String? = "yaml"

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool {
        start.has("interactions[].request.uri")
            || start.has("interactions[].request.body") && start.value("version") == nil
            || isEarly(start)
    }

    /// Before 1.0 a cassette was a list.
    private func isEarly(_ start: FileStart) -> Bool { start.has("[].request") && start.has("[].response.status.code") }

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        if isEarly(try FileStart(source)) {
            let reason = "is a cassette of vcrpy before version 1.0. Migrate it first: python -m vcr.migration FILE"
            throw FormatError(source.name, 1, reason)
        }
        try DataFile.forEach(in: "interactions", of: source, reading) { try interaction($0, reading) }
    }

    private func interaction(_ node: DataNode, _ reading: FormatImport) throws {
        let (request, response) = try MessageParts.sides(of: node, reading)
        // Cassettes of HTTPX in versions 2 to 5 have names of their own.
        let status = response["status"] ?? response["status_code"]
        let asked = try body(request["body"], reading) ?? parsed(request["parsed_body"])
        let answered = try body(response["body"] ?? response["content"], reading) ?? parsed(response["parsed_body"])
        let made = try MessageParts.interaction(
            (request.line, response.line),
            url: (request["uri"] ?? request["url"])?.text,
            method: request["method"],
            status: status?["code"] ?? status,
            reason: status?.members == nil ? nil : status?["message"]?.text ?? "",
            versions: (nil, (response["http_version"] ?? response["protocol"])?.text),
            fields: (
                MessageParts.fields(request["headers"], reading), MessageParts.fields(response["headers"], reading)
            ),
            bodies: (asked ?? [], answered ?? []),
            reading
        )
        if let interaction = made { try MessageParts.add(interaction, line: node.line, reading) }
    }

    /// A text, binary data, or an object with `string` or `base64_string`.
    private func body(_ node: DataNode?, _ reading: FormatImport) throws -> [UInt8]? {
        guard let node else { return nil }
        if let coded = node["base64_string"] { return try MessageParts.base64(coded, reading) }
        guard let text = node.members == nil ? node : node["string"] else {
            // Written as null, where there is no body.
            guard node.members?.contains(where: { $0.name != "string" }) == true else { return nil }
            throw FormatError(reading.file, node.line, "has an object without `string` where a body was expected.")
        }
        if let bytes = text.bytes { return bytes }
        // A list of pieces, as a generator gave them.
        let pieces = (text.list ?? []).flatMap { $0.list ?? [$0] }.map(\.bytes)
        if text.list != nil, !pieces.contains(where: { $0 == nil }) { return pieces.flatMap { $0 ?? [] } }
        throw FormatError(reading.file, text.line, "has \(text.kind) where a body was expected.")
    }

    /// JSON as data, which some wrappers keep instead of a text.
    private func parsed(_ node: DataNode?) -> [UInt8]? { node.map { DataText.bytes($0.quotingTexts, .compactJSON) } }

    // MARK: Writing

    private let lost: Set<ExportedAspect> = [
        .anyOrigin, .targetBytes, .scatteredFields, .requestVersion, .responseVersion, .requestTrailers,
        .responseTrailers,
        .informational, .time, .firstByte, .chunks, .cut,
    ]

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        // In JSON, its own reader takes texts and base64 only.
        let isJSON = export.target.hasSuffix(".json")
        let lost = isJSON ? lost.union([.fieldBytes, .binaryRequest]) : lost
        var list = DataList(in: "interactions", isJSON ? .json(indent: 4) : .yaml(binary: "!!binary"), export)
        try contents.forEachInteraction { interaction in
            export.lose(lost, of: interaction)
            try list.write(node(interaction, isJSON: isJSON))
        }
        try list.end(["version": .number(1)])
        try export.loseAllBut(interactionsOf: contents)
    }

    private func node(_ interaction: WholeInteraction, isJSON: Bool) -> DataNode {
        let body = DataNode.textOrBytes(interaction.responseBody)
        var isBinary = false
        if case .bytes = body.value { isBinary = true }
        let (request, response) = (interaction.request, interaction.response)
        return .object([
            "request": .object([
                "body": interaction.requestBody.isEmpty ? .null : .textOrBytes(interaction.requestBody),
                "headers": FieldLists.node(request.fields),
                "method": .text(Latin1.string(request.method)),
                "uri": .text(AbsoluteURL.text(interaction.origin, request.target)),
            ]),
            "response": .object([
                "body": .object([isBinary && isJSON ? "base64_string" : "string": body]),
                "headers": FieldLists.node(response.fields),
                "status": .object([
                    "code": .number(response.status),
                    "message": response.reason.map { .textOrBytes($0) } ?? .null,
                ]),
            ]),
        ])
    }
}
