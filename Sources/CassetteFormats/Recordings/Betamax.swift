import Foundation
import HTTPMessages
import MockServeCore

/// Cassettes of Betamax for Python (https://github.com/betamaxpy/betamax). They are read as those of VCR, which they follow.
package struct Betamax: ReadableFormat, WritableFormat {
    package let name = "betamax"
    package let title = "Betamax for Python, JSON"
    package let fileExtension: String? = "json"

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool {
        start.has("http_interactions") && start.has("http_interactions[].response.url")
    }

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        try RubyVCR().read(source, into: reading)
    }

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        var list = DataList(in: "http_interactions", .json(indent: 1), export)
        try contents.forEachInteraction { interaction in
            export.lose(RubyVCR().lost.union([.fieldBytes, .responseVersion]), of: interaction)
            try list.write(node(interaction))
        }
        try list.end(["recorded_with": .text("betamax/0.9.0")])
        try export.loseAllBut(interactionsOf: contents)
    }

    private func node(_ interaction: WholeInteraction) -> DataNode {
        let (request, response) = (interaction.request, interaction.response)
        let url = DataNode.text(AbsoluteURL.text(interaction.origin, request.target))
        // RFC 3339 without a zone, and without fractions.
        let time = FormatDate.iso(interaction.recordedAt ?? 0).prefix(19)
        return .object([
            "request": .object([
                "body": body(interaction.requestBody),
                "headers": FieldLists.text(request.fields),
                "method": .text(Latin1.string(request.method)),
                "uri": url,
            ]),
            "response": .object([
                "body": body(interaction.responseBody),
                "headers": FieldLists.text(response.fields),
                "status": .object([
                    "code": .number(response.status),
                    "message": .text(String(decoding: response.reason ?? [], as: UTF8.self)),
                ]),
                "url": url,
            ]),
            "recorded_at": .text(String(time)),
        ])
    }

    private func body(_ bytes: [UInt8]) -> DataNode {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return .object(["encoding": .text("utf-8"), "base64_string": .text(Data(bytes).base64EncodedString())])
        }
        return .object(["encoding": .text("utf-8"), "string": .text(text)])
    }
}
