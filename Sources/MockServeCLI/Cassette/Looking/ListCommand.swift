import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
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
              mockserve cassette list github.cassette --status 4xx --path '/users/*' --newer-than 30d
              mockserve cassette list github.cassette --sort size --limit 5
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Flag(help: "One JSON object a line.")
    var json = false

    @OptionGroup(title: "Which") var filter: ListFilter

    func run() throws {
        try ExitStatus.reporting {
            let reader = try CassetteReader(path: cassette)
            defer { reader.close() }
            let hasSeveralOrigins = try reader.upstreams().count > 1
            let layout = Layout(width: Console.width)
            if !json {
                Console.print(layout.line(["#", "METHOD", "TARGET", "STATUS", "TYPE", "SIZE", "RECORDED"]))
            }
            try filter.forEach(reader) { interaction in
                Console.print(json ? object(interaction) : layout.line(cells(interaction, hasSeveralOrigins)))
            }
            let stubs = try reader.stubCount()
            if stubs > 0 {
                let what = Counted.text(stubs, "stub")
                Console.say("mockserve: and \(what): mockserve cassette stub list \(ShellText.quoted(cassette))")
            }
            for likeness in try reader.likenesses() { Console.say("mockserve: \(likeness)") }
        }
    }

    private func cells(_ interaction: Interaction, _ showsOrigin: Bool) -> [String] {
        let target = Latin1.string(interaction.request.target)
        let type = interaction.response.fields.first("content-type").map { MediaType($0).essence } ?? "-"
        return [
            String(interaction.id),
            Latin1.string(interaction.request.method),
            Console.safe(showsOrigin ? interaction.content.origin + target : target),
            String(interaction.response.status),
            interaction.content.cut == nil ? Console.safe(type) : "(cut) \(Console.safe(type))",
            ByteCount.text(interaction.responseBody?.size ?? 0),
            Timestamp.text(interaction.content.recordedAt),
        ]
    }

    /// Columns of fixed width; the target gets the rest of the terminal. A narrow terminal gets no recording time.
    /// Without a terminal nothing is cut.
    private struct Layout {
        private static let recordedWidth = 19
        private let targetWidth: Int
        private let cuts: Bool
        private let showsRecorded: Bool

        init(width: Int?) {
            let fixed = 5 + 7 + 6 + 16 + 8 + 5
            cuts = width != nil
            let columns = width ?? 132
            let hasRoom = columns >= 110
            showsRecorded = hasRoom
            targetWidth = max(12, columns - fixed - (hasRoom ? Self.recordedWidth + 1 : 0))
        }

        /// - Parameter cells: one for every column, in the order of the heading.
        func line(_ cells: [String]) -> String {
            var columns = [
                cells[0].padded(5, right: true), cells[1].padded(7), cut(cells[2], targetWidth).padded(targetWidth),
                cells[3].padded(6), cut(cells[4], 16).padded(16), cells[5].padded(8, right: true),
            ]
            if showsRecorded { columns.append(cells[6]) }
            return columns.joined(separator: " ")
        }

        private func cut(_ text: String, _ width: Int) -> String {
            cuts && text.count > width ? text.prefix(width - 1) + "…" : text
        }
    }

    private func object(_ interaction: Interaction) -> String {
        let content = interaction.content
        let type = interaction.response.fields.first("content-type").map { Latin1.string($0) }
        let members: [(String, String)] = [
            ("id", String(interaction.id)),
            ("origin", JSONText.string(content.origin)),
            ("method", JSONText.string(Latin1.string(interaction.request.method))),
            ("target", JSONText.string(Latin1.string(interaction.request.target))),
            ("status", String(interaction.response.status)),
            ("content_type", type.map(JSONText.string) ?? "null"),
            ("request_size", String(interaction.requestBody?.size ?? 0)),
            ("response_size", String(interaction.responseBody?.size ?? 0)),
            ("cut", content.cut == nil ? "false" : "true"),
            ("recorded_at", String(content.recordedAt)),
            ("match_key", JSONText.string(content.matchKey.description)),
        ]
        return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }
}

extension String {
    /// Padded with spaces to `width`; a longer text stays as it is.
    func padded(_ width: Int, right: Bool = false) -> String {
        let filling = String(repeating: " ", count: max(0, width - count))
        return right ? filling + self : self + filling
    }
}
