import ArgumentParser
import CassetteStore
import Foundation
import HTTPWire
import MockServeCore

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the interactions of a cassette.",
        discussion: """
            On a terminal, lines are cut to its width. With --json every line is a JSON object.

            EXAMPLE
              mockserve cassette list github.cassette
              mockserve cassette list github.cassette --json | jq -r .target
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Flag(help: "One JSON object a line.")
    var json = false

    func run() throws {
        try ExitStatus.reporting {
            let reader = try CassetteReader(path: cassette)
            defer { reader.close() }
            let hasSeveralOrigins = try reader.upstreams().count > 1
            let width = Console.width
            if !json { Console.print(line("#", "METHOD", "TARGET", "STATUS", "TYPE", "SIZE", "RECORDED", width)) }
            try reader.forEach { interaction in
                Console.print(json ? object(interaction) : row(interaction, hasSeveralOrigins, width))
                return true
            }
        }
    }

    private func row(_ interaction: Interaction, _ showsOrigin: Bool, _ width: Int?) -> String {
        let target = Latin1.string(interaction.request.target)
        let status = String(interaction.response.status)
        let type = interaction.response.fields.first("content-type").map { MediaType($0).essence } ?? "-"
        return line(
            String(interaction.id),
            Latin1.string(interaction.request.method),
            Console.safe(showsOrigin ? interaction.exchanged.origin + target : target),
            status,
            Console.safe(type),
            ByteCount.text(interaction.responseBody?.size ?? 0),
            Timestamp.text(interaction.exchanged.recordedAt),
            width
        )
    }

    /// The target takes what the other columns leave of the terminal.
    private func line(
        _ number: String,
        _ method: String,
        _ target: String,
        _ status: String,
        _ type: String,
        _ size: String,
        _ recorded: String,
        _ width: Int?
    ) -> String {
        let fixed = 6 + 1 + 7 + 1 + 1 + 6 + 1 + 24 + 1 + 8 + 1 + 19
        let room = width.map { max(16, $0 - fixed) } ?? 48
        let shown = width != nil && target.count > room ? target.prefix(room - 1) + "…" : target[...]
        return [
            number.padded(6, right: true), method.padded(7), String(shown).padded(room), status.padded(6),
            String(type.prefix(24)).padded(24), size.padded(8, right: true), recorded,
        ].joined(separator: " ")
    }

    private func object(_ interaction: Interaction) -> String {
        let exchanged = interaction.exchanged
        let type = interaction.response.fields.first("content-type").map { Latin1.string($0) }
        let members: [(String, String)] = [
            ("id", String(interaction.id)),
            ("origin", JSONText.string(exchanged.origin)),
            ("method", JSONText.string(Latin1.string(interaction.request.method))),
            ("target", JSONText.string(Latin1.string(interaction.request.target))),
            ("status", String(interaction.response.status)),
            ("content_type", type.map(JSONText.string) ?? "null"),
            ("request_size", String(interaction.requestBody?.size ?? 0)),
            ("response_size", String(interaction.responseBody?.size ?? 0)),
            ("recorded_at", String(exchanged.recordedAt)),
            ("match_key", JSONText.string(exchanged.matchKey.description)),
        ]
        return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }
}

extension String {
    /// Filled with spaces to `width`; a longer one stays.
    func padded(_ width: Int, right: Bool = false) -> String {
        let filling = String(repeating: " ", count: max(0, width - count))
        return right ? filling + self : self + filling
    }
}
