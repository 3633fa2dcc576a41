import Foundation
import HTTPMessages
import MockServeCore

/// An `.http` file of requests, as editors send them; the answer that was recorded stands above each as a comment.
package struct HTTPFile: WritableFormat {
    package let name = "http"
    package let title = "an .http file of requests, as editors send them"
    package let fileExtension: String? = "http"

    package init() {}

    /// Whether there is something in a body that editors do not send, but follow: variables, files, scripts, and further requests.
    private static func meansMore(_ body: String) -> Bool {
        body.contains("{{")
            || body.unicodeScalars.split(whereSeparator: { $0 == "\n" || $0 == "\r" }).contains { line in
                let text = String(line).drop { $0 == " " || $0 == "\t" }
                return text.hasPrefix("###") || text.hasPrefix("<") || text.hasPrefix(">")
            }
    }

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        try contents.forEachInteraction { interaction in
            export.lose([.anyOrigin, .requestTrailers, .fieldBytes], of: interaction)
            export.lost("a response")
            let request = interaction.request
            let url = AbsoluteURL.text(interaction.origin, request.target)
            var text = "### \(TextParts.summary(interaction).replacing("{{", with: "{ {"))\n"
            text += "\(Latin1.string(request.method)) \(url.replacing("{{", with: "%7B%7B")) HTTP/1.1\n"
            for field in request.fields.withoutFraming where !field.isNamed("host") {
                let value = String(decoding: field.value, as: UTF8.self)
                guard !value.contains("{{") else {
                    export.lost("a field that editors would take for a variable")
                    continue
                }
                text += "\(String(decoding: field.name, as: UTF8.self)): \(value)\n"
            }
            let body = String(validating: interaction.requestBody, as: UTF8.self)
            if let body, !Self.meansMore(body) {
                if !body.isEmpty { text += "\n\(body)\n" }
            } else {
                export.lost(
                    body == nil
                        ? "the body of a request, which is not text"
                        : "the body of a request, which editors would take for more than text"
                )
            }
            try export.write(text + "\n")
        }
        try export.loseAllBut(interactionsOf: contents)
    }
}
