import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Count what is in a cassette.",
        discussion: """
            EXAMPLE
              mockserve cassette stats github.cassette
              mockserve cassette stats github.cassette --json | jq .interactions
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Flag(help: "One JSON object.")
    var json = false

    func run() throws {
        try ExitStatus.reporting {
            let reader = try CassetteReader(path: cassette)
            defer { reader.close() }
            let statistics = try reader.statistics()
            if json { Console.print(Self.object(statistics)) } else { Self.printText(statistics) }
        }
    }

    private static func printText(_ all: CassetteStatistics) {
        func line(_ name: String, _ value: String) { Console.print(name.padded(16) + value) }
        func groups(_ list: [(name: String, count: Int)]) -> String {
            list.prefix(10).map { "\($0.count) \(Console.safe($0.name.isEmpty ? "any upstream" : $0.name))" }.joined(
                separator: ", "
            )
        }
        line(
            "file",
            ByteCount.text(all.fileBytes) + (all.unusedBytes > 0 ? ", \(ByteCount.text(all.unusedBytes)) unused" : "")
        )
        line("interactions", "\(all.interactions)")
        if all.interactions > 0 {
            line("methods", groups(all.methods))
            line("statuses", groups(all.statuses))
            line("upstreams", groups(all.origins))
        }
        line("stubs, rules", "\(all.stubs), \(all.rules)")
        let saved = all.referencedBytes - all.bodyBytes
        let share =
            saved > 0
            ? ", \(saved * 100 / max(1, all.referencedBytes)) % saved because equal bodies are stored once" : ""
        line("bodies", "\(all.bodies), \(ByteCount.text(all.bodyBytes))\(share)")
        if let oldest = all.oldest, let newest = all.newest {
            line(
                "recorded",
                "\(Timestamp.text(oldest)) to \(Timestamp.text(newest)) UTC, \(Counted.text(all.episodes, "run"))"
            )
        }
        for slow in all.slowest {
            line("slow", "#\(slow.number) \(Console.safe(slow.request)): \(slow.milliseconds) ms")
        }
    }

    private static func object(_ all: CassetteStatistics) -> String {
        func groups(_ list: [(name: String, count: Int)]) -> String {
            "{" + list.map { "\(JSONText.string($0.name)):\($0.count)" }.joined(separator: ",") + "}"
        }
        let slowest = all.slowest.map {
            "{\"id\":\($0.number),\"request\":\(JSONText.string($0.request)),\"first_byte_ms\":\($0.milliseconds)}"
        }
        let members: [(String, String)] = [
            ("file_size", "\(all.fileBytes)"), ("unused_size", "\(all.unusedBytes)"),
            ("interactions", "\(all.interactions)"),
            ("stubs", "\(all.stubs)"), ("rules", "\(all.rules)"), ("episodes", "\(all.episodes)"),
            ("bodies", "\(all.bodies)"),
            ("body_size", "\(all.bodyBytes)"), ("referenced_size", "\(all.referencedBytes)"),
            ("orphans", "\(all.orphans)"),
            ("oldest", all.oldest.map(String.init) ?? "null"), ("newest", all.newest.map(String.init) ?? "null"),
            ("methods", groups(all.methods)), ("statuses", groups(all.statuses)), ("upstreams", groups(all.origins)),
            ("slowest", "[" + slowest.joined(separator: ",") + "]"),
        ]
        return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }
}
