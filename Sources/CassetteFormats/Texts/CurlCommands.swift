import Foundation
import HTTPMessages
import MockServeCore

/// Command lines of curl that ask for what was recorded again: a script of the shell.
package struct CurlCommands: WritableFormat {
    package let name = "curl"
    package let title = "command lines of curl"
    package let fileExtension: String? = "sh"

    private static let argumentLimit = 64 << 10

    package init() {}

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        try export.write("#!/bin/sh\n")
        try contents.forEachInteraction { interaction in
            export.lose([.anyOrigin, .requestTrailers, .fieldBytes], of: interaction)
            export.lost("a response")
            try export.write("\n# \(TextParts.summary(interaction))\n\(command(interaction))\n")
        }
        try export.loseAllBut(interactionsOf: contents)
    }

    private func command(_ interaction: WholeInteraction) -> String {
        let request = interaction.request
        let method = Latin1.string(request.method)
        let body = interaction.requestBody
        var words = ["curl"]
        if method == "HEAD" {
            words.append("--head")
        } else if method != (body.isEmpty ? "GET" : "POST") {
            words += ["-X", ShellText.quoted(method)]
        }
        // A server sees the path as it was sent.
        words += ["--path-as-is", "--globoff", ShellText.quoted(AbsoluteURL.text(interaction.origin, request.target))]
        for field in request.fields.withoutFraming where !field.isNamed("host") {
            let (name, value) = (
                String(decoding: field.name, as: UTF8.self), String(decoding: field.value, as: UTF8.self)
            )
            words += ["-H", ShellText.quoted(value.isEmpty ? "\(name);" : "\(name): \(value)")]
        }
        guard !body.isEmpty else { return words.joined(separator: " ") }
        if !request.fields.contains("content-type") { words += ["-H", "'Content-Type:'"] }
        // An argument may not be longer than the system takes.
        if body.count <= Self.argumentLimit, let text = String(validating: body, as: UTF8.self), !text.contains("\0") {
            return (words + ["--data-raw", ShellText.quoted(text)]).joined(separator: " ")
        }
        let coded = Data(body).base64EncodedString()
        return "printf %s \(coded) | base64 -d | " + (words + ["--data-binary", "@-"]).joined(separator: " ")
    }
}
