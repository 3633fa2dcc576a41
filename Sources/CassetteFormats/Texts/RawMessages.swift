import HTTPMessages
import MockServeCore

/// Each message as it is on the wire of HTTP/1.1, in a file of its own: `00001-request.http`, `00001-response.http`. Bodies are
/// without chunks.
package struct RawMessages: WritableFormat {
    package let name = "raw"
    package let title = "a folder of messages as they are on the wire"
    package let fileExtension: String? = nil

    package init() {}

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        var number = 0
        try contents.forEachInteraction { interaction in
            number += 1
            export.lose([.time, .firstByte, .chunks, .cut, .anyOrigin], of: interaction)
            if !interaction.origin.isEmpty { export.lost("the upstream of an interaction") }
            let name = NumberText.padded(number, 5)
            let (request, response) = (interaction.request, interaction.response)
            var head = request.method + [0x20] + request.target + Array(" \(request.version.rawValue)\r\n".utf8)
            append(request.fields, to: &head)
            try export.write(head + interaction.requestBody, toFile: "\(name)-request.http")
            var answer: [UInt8] = []
            for informational in interaction.informational { append(informational, to: &answer) }
            append(response, to: &answer)
            answer += interaction.responseBody
            if !interaction.responseTrailers.isEmpty || !interaction.requestTrailers.isEmpty { export.lost("trailers") }
            try export.write(answer, toFile: "\(name)-response.http")
        }
        if number == 0 { try export.write([], toFile: "none.http") }
        try export.loseAllBut(interactionsOf: contents)
    }

    private func append(_ head: ResponseHead, to bytes: inout [UInt8]) {
        bytes +=
            Array("\(head.version.rawValue) \(head.status)".utf8) + (head.reason.map { [0x20] + $0 } ?? []) + [
                0x0D, 0x0A,
            ]
        append(head.fields, to: &bytes)
    }

    /// The fields, and the empty line after them.
    private func append(_ fields: Fields, to bytes: inout [UInt8]) {
        for field in fields { bytes += field.name + Array(": ".utf8) + field.value + [0x0D, 0x0A] }
        bytes += [0x0D, 0x0A]
    }
}
