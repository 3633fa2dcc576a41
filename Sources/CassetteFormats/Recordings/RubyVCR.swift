import Foundation
import HTTPMessages
import MockServeCore

/// Cassettes of VCR for Ruby, 2 to 6 (https://github.com/vcr/vcr), in YAML or JSON, also compressed.
///
/// Templates (`<% … %>`) are not run: they are text.
package struct RubyVCR: ReadableFormat, WritableFormat {
    package let name = "vcr"
    package let title = "VCR for Ruby, YAML or JSON"
    package let fileExtension: String? = "yml"

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool {
        start.has("http_interactions") || isEarly(start)
    }

    /// Before 2.0 a cassette was a list of objects of Ruby.
    private func isEarly(_ start: FileStart) -> Bool {
        start.has("[].request") && start.has("[].response") && Self.mark.contains { start.contains($0) }
    }

    private static let mark = ["!ruby/struct:VCR", "!ruby/object:VCR"]

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        if isEarly(try FileStart(source)) {
            throw FormatError(
                source.name,
                1,
                "is a cassette of VCR for Ruby before version 2.0. Record it anew, or migrate it with VCR 2."
            )
        }
        try DataFile.forEach(in: "http_interactions", of: source, reading) { try interaction($0, reading) }
    }

    /// Whether there is `<%` in a text.
    private static func hasTemplate(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var isOpen = false
            for byte in bytes {
                if isOpen, byte == UInt8(ascii: "%") { return true }
                isOpen = byte == UInt8(ascii: "<")
            }
            return false
        }
    }

    private func interaction(_ node: DataNode, _ reading: FormatImport) throws {
        let (request, response) = try MessageParts.sides(of: node, reading)
        if node.containsText(where: Self.hasTemplate) {
            reading.lost("a template, which is taken as text", line: node.line)
        }
        let status = response["status"]
        let made = try MessageParts.interaction(
            (request.line, response.line),
            url: request["uri"]?.text,
            method: request["method"],
            status: status?["code"] ?? status,
            reason: status?["message"]?.text ?? "",
            versions: (nil, response["http_version"]?.text),
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

    /// A text, or an object with `string` or `base64_string`.
    private func body(_ node: DataNode?, _ reading: FormatImport) throws -> [UInt8] {
        guard let node else { return [] }
        if let coded = node["base64_string"] { return try MessageParts.base64(coded, reading) }
        let text = node.members == nil ? node : node["string"]
        guard let text else { return [] }
        guard let bytes = text.bytes else {
            throw FormatError(reading.file, text.line, "has \(text.kind) where a body was expected.")
        }
        // It was decoded from that; binary data was not.
        if case .bytes = text.value { return bytes }
        return Charset.bytes(text.text ?? "", node["encoding"]?.text ?? "")
    }

    // MARK: Writing

    /// What it has no place for.
    let lost: Set<ExportedAspect> = [
        .anyOrigin, .targetBytes, .scatteredFields, .requestVersion, .requestTrailers, .responseTrailers,
        .informational,
        .exactTime, .firstByte, .chunks, .cut,
    ]

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        let isJSON = export.target.hasSuffix(".json")
        let lost = isJSON ? lost.union([.fieldBytes]) : lost
        var list = DataList(in: "http_interactions", isJSON ? .compactJSON : .yaml(binary: "!binary"), export)
        try contents.forEachInteraction { interaction in
            export.lose(lost, of: interaction)
            try list.write(node(interaction))
        }
        try list.end(["recorded_with": .text("mockserve")])
        try export.loseAllBut(interactionsOf: contents)
    }

    private func node(_ interaction: WholeInteraction) -> DataNode {
        let (request, response) = (interaction.request, interaction.response)
        return .object([
            "request": .object([
                "method": .text(Latin1.string(request.method).lowercased()),
                "uri": .text(AbsoluteURL.text(interaction.origin, request.target)),
                "body": body(interaction.requestBody),
                "headers": FieldLists.node(request.fields),
            ]),
            "response": .object([
                "status": .object([
                    "code": .number(response.status),
                    "message": response.reason.map { .textOrBytes($0) } ?? .null,
                ]),
                "headers": FieldLists.node(response.fields),
                "body": body(interaction.responseBody),
                "http_version": response.version == .http11
                    ? .null : .text(String(response.version.rawValue.dropFirst(5))),
            ]),
            "recorded_at": .text(FormatDate.http(interaction.recordedAt ?? 0)),
        ])
    }

    private func body(_ bytes: [UInt8]) -> DataNode {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let coded = Data(bytes).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
            return .object(["encoding": .text("ASCII-8BIT"), "base64_string": .text(coded + "\n")])
        }
        return .object(["encoding": .text("UTF-8"), "string": .text(text)])
    }
}
