import Crypto
import Foundation
import HTTPMessages
import MockServeCore

/// Recordings of Polly.js (https://netflix.github.io/pollyjs), which are HAR with an identifier of each request. They are read as HAR.
///
/// Polly finds a recording by the digest of method, URL, fields and body. With its default configuration it looks at all fields, so a
/// client that sends others than were recorded, such as another `User-Agent`, is not answered.
package struct Polly: ReadableFormat, WritableFormat {
    package let name = "polly"
    package let title = "Polly.js recordings (HAR)"
    package let fileExtension: String? = "har"
    package let fileEndings = HAR().fileEndings

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool { start.value("log.creator.name") == "Polly.JS" }

    package func read(_ source: ByteSource, into reading: FormatImport) throws { try HAR().read(source, into: reading) }

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        try export.write(
            #"{"log": {"_recordingName": "recording", "creator": {"comment": "persister:fs", "name": "Polly.JS", "version": "6.0.6"}, "#
                + #""pages": [], "version": "1.2", "entries": ["#
        )
        var orders: [String: Int] = [:]
        var isFirst = true
        try contents.forEachInteraction { interaction in
            try export.write(isFirst ? "\n" : ",\n")
            isFirst = false
            var entry = HAR().entry(interaction, export, isDecoded: false)
            let identifier = Self.identifier(interaction)
            entry.set("_id", .text(identifier))
            entry.set("_order", .number(orders[identifier, default: 0]))
            orders[identifier, default: 0] += 1
            if !interaction.responseBody.isEmpty, interaction.response.fields.contains("content-encoding"),
                var response = entry["response"], var content = response["content"]
            {
                let coded = Data(interaction.responseBody).base64EncodedString()
                content.set("text", .text("[\"\(coded)\"]"))
                content.set("encoding", .text("base64"))
                content.set("size", .number(interaction.responseBody.count))
                response.set("content", content)
                entry.set("response", response)
            }
            try export.write(DataText.bytes(entry, .json(indent: 2)))
        }
        try export.write((isFirst ? "" : "\n") + "]}}\n")
        try export.loseAllBut(interactionsOf: contents)
    }

    /// MD5 of the request as JSON, with the members of objects in the order of their names.
    private static func identifier(_ interaction: WholeInteraction) -> String {
        var members: [String: JSONValue] = [
            "method": .string(Latin1.string(interaction.request.method)),
            "url": .string(AbsoluteURL.text(interaction.origin, interaction.request.target)),
        ]
        var fields: [String: JSONValue] = [:]
        for (name, value) in FieldLists.joined(interaction.request.fields).members ?? [] {
            fields[name] = .string(value.text ?? "")
        }
        members["headers"] = .object(fields)
        if !interaction.requestBody.isEmpty {
            members["body"] = .string(String(decoding: interaction.requestBody, as: UTF8.self))
        }
        return Hexadecimal.text(Array(Insecure.MD5.hash(data: JSONValue.object(members).text)))
    }
}
