import Foundation
import HTTPMessages
import MockServeCore

/// A report for people, in Markdown: a table of all interactions, and each of them with its bodies, as far as they are text.
package struct MarkdownReport: WritableFormat {
    package let name = "markdown"
    package let title = "a report for people, in Markdown"
    package let fileExtension: String? = "md"

    /// Characters of a body that are shown.
    private static let shownLimit = 4000

    package init() {}

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        try export.write(
            "# Recorded interactions\n\n| # | method | URL | status | type | size |\n|---|---|---|---|---|---|\n"
        )
        var number = 0
        try contents.forEachInteraction { interaction in
            number += 1
            let (request, response) = (interaction.request, interaction.response)
            let type = response.fields.first("content-type").map { MediaType($0).essence } ?? ""
            let cells = [
                "[\(number)](#\(number))", Latin1.string(request.method),
                Self.code(AbsoluteURL.text(interaction.origin, request.target)),
                String(response.status), VisibleText.line(type), "\(interaction.responseBody.count)",
            ]
            try export.write("| " + cells.map(Self.cell).joined(separator: " | ") + " |\n")
        }
        number = 0
        try contents.forEachInteraction { interaction in
            number += 1
            try export.write(Self.section(interaction, number))
        }
        var isFirst = true
        try contents.forEachStub { stub in
            if isFirst { try export.write("\n## Stubs\n") }
            isFirst = false
            let body =
                stub.body.isEmpty
                ? nil : BodyText(stub.body, size: stub.body.count, digest: "", stub.definition.response.fields)
            let lines = InteractionText.lines(stub.definition, body: body, remarks: [])
            try export.write(Self.fenced(lines.joined(separator: "\n"), "text"))
        }
    }

    /// As code, in which nothing means more than itself.
    private static func code(_ text: String) -> String { "`\(text.replacing("`", with: "%60"))`" }

    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("<", with: "&lt;").replacing("\n", with: " ")
    }

    private static func section(_ interaction: WholeInteraction, _ number: Int) -> String {
        let (request, response) = (interaction.request, interaction.response)
        var text = "\n<a id=\"\(number)\"></a>\n\n## \(number). \(code(TextParts.summary(interaction)))\n"
        if let time = interaction.recordedAt { text += "\nRecorded \(Timestamp.text(time)) UTC.\n" }
        let target = VisibleText.line(Latin1.string(request.target))
        text += fenced(
            "\(Latin1.string(request.method)) \(target) \(request.version.rawValue)" + fields(request.fields)
                + body(interaction.requestBody, request.fields),
            "http"
        )
        let reason = response.reason.map { " " + VisibleText.line(Latin1.string($0)) } ?? ""
        text += fenced(
            "\(response.version.rawValue) \(response.status)\(reason)" + fields(response.fields)
                + body(interaction.responseBody, response.fields),
            "http"
        )
        return text
    }

    private static func fields(_ fields: Fields) -> String {
        fields.map { "\n\(VisibleText.line(Latin1.string($0.name))): \(VisibleText.line(Latin1.string($0.value)))" }
            .joined()
    }

    private static func body(_ bytes: [UInt8], _ fields: Fields) -> String {
        guard !bytes.isEmpty else { return "" }
        switch BodyText(bytes, size: bytes.count, digest: "", fields) {
        case .summary: return "\n\n(\(bytes.count) bytes that are not shown)"
        case .lines(let lines):
            let text = lines.joined(separator: "\n")
            return "\n\n" + text.prefix(shownLimit)
                + (text.count > shownLimit ? "\n… (\(bytes.count) bytes in all)" : "")
        }
    }

    /// A fence is longer than any in the text.
    private static func fenced(_ text: String, _ language: String) -> String {
        var (longest, run) = (0, 0)
        for byte in text.utf8 {
            run = byte == UInt8(ascii: "`") ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: max(3, longest + 1))
        return "\n\(fence)\(language)\n\(text)\n\(fence)\n"
    }
}
