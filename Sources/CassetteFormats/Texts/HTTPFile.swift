import Foundation
import HTTPMessages
import MockServeCore

/// An `.http` file of requests, as editors send them; the answer that was recorded stands above each as a comment.
package struct HTTPFile: WritableFormat {
    package let name = "http"
    package let title = "an .http file of requests, as editors send them"
    package let fileExtension: String? = "http"

    package init() {}

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        try contents.forEachInteraction { interaction in
            export.lose([.anyOrigin, .requestTrailers], of: interaction)
            export.lost("a response")
            let request = interaction.request
            var text = "### \(TextParts.summary(interaction))\n"
            text +=
                "\(Latin1.string(request.method)) \(AbsoluteURL.text(interaction.origin, request.target)) HTTP/1.1\n"
            for field in request.fields.withoutFraming where !field.isNamed("host") {
                text +=
                    "\(String(decoding: field.name, as: UTF8.self)): \(String(decoding: field.value, as: UTF8.self))\n"
            }
            if !interaction.requestBody.isEmpty {
                if let body = String(validating: interaction.requestBody, as: UTF8.self) {
                    if body.contains("\n###") || body.hasPrefix("###") {
                        export.lost("that a line of a body begins with ###")
                    }
                    text += "\n\(body)\n"
                } else {
                    export.lost("the body of a request, which is not text")
                }
            }
            try export.write(text + "\n")
        }
        try export.loseAllBut(interactionsOf: contents)
    }
}
