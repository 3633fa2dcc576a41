import Foundation
import HTTPMessages
import MockServeCore

@testable import CassetteFormats

/// Interactions as lines, to compare them with what is expected.
enum InteractionLines {
    static func lines(_ interaction: WholeInteraction) -> [String] {
        let (request, response) = (interaction.request, interaction.response)
        let origin = interaction.origin.isEmpty ? "-" : interaction.origin
        var lines = ["=== \(text(request.method)) \(origin) \(text(request.target)) \(request.version.rawValue)"]
        lines += request.fields.map { ">" + field($0) }
        lines += body(interaction.requestBody)
        lines += interaction.requestTrailers.map { ">>" + field($0) }
        let reason = response.reason.map { $0.isEmpty ? "" : " " + text($0) } ?? ""
        lines.append("--- \(response.status)\(reason) \(response.version.rawValue)")
        lines += response.fields.map { "<" + field($0) }
        lines += body(interaction.responseBody)
        lines += interaction.responseTrailers.map { "<<" + field($0) }
        if let time = interaction.recordedAt {
            lines.append("@ " + FormatDate.iso(time))
        }
        return lines
    }

    private static func field(_ field: Fields.Field) -> String {
        " \(text(Array(field.name))):" + (field.value.isEmpty ? "" : " \(text(Array(field.value)))")
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(validating: bytes, as: UTF8.self) ?? Latin1.string(bytes)
    }

    private static func body(_ bytes: [UInt8]) -> [String] {
        guard !bytes.isEmpty else { return [] }
        let isText = bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 || $0 == 0x0A }
        guard isText, let text = String(validating: bytes, as: UTF8.self) else {
            return ["# " + Data(bytes).base64EncodedString()]
        }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "|" : "| \($0)" }
    }

    static func lines(_ losses: [LossReport.Loss]) -> [String] { losses.map { "lost \($0.count): \($0.what)" } }

    static func line(_ error: FormatError) -> String { "error \(error.line.map(String.init) ?? "-"): \(error.reason)" }
}
