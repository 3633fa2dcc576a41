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

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check cassettes: whether they are whole, and whether all of their answers can be given.",
        discussion: """
            Says what is damaged, which request would not find its own answer, which answers are told apart by nothing, which are \
            never given, what holds a secret or a conflict of a merge, what nothing refers to, and with --max-age what is old. \
            Ends with status 3 if there is anything.

            EXAMPLE
              mockserve cassette check cassettes/*.cassette
              mockserve cassette check --max-age 180 cassettes/*.cassette
            """
    )

    @Argument(help: "Cassette files.", completion: .file(extensions: ["cassette"]))
    var cassettes: [String]

    @Option(name: .customLong("max-age"), help: ArgumentHelp("How old recordings may be.", valueName: "days"))
    var maxAge: Int?

    func validate() throws {
        guard maxAge ?? 1 > 0 else { throw ValidationError("--max-age takes a number of days.") }
    }

    func run() throws {
        let count = try ExitStatus.reporting {
            var count = 0
            for path in cassettes {
                let findings = CassetteCheck.findings(path) + CassetteCheck.answers(path, maxAge: maxAge)
                for finding in findings { Console.print("\(Console.safe(path)): \(finding)") }
                count += findings.count
            }
            Console.say(
                "mockserve: \(Counted.text(cassettes.count, "cassette")) checked, \(Counted.text(count, "finding"))"
            )
            return count
        }
        if count > 0 { throw ExitStatus.misses.code }
    }
}

struct ExportBodyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export-body",
        abstract: "Write the body of an interaction to a file.",
        discussion: """
            EXAMPLE
              mockserve cassette export-body shop.cassette 3 -o logo.png
              mockserve cassette export-body shop.cassette 3 --decoded | less
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Argument(help: "Number of the interaction, as `list` shows it.")
    var number: Int64

    @Flag(help: "The body of the request, instead of that of the response.")
    var request = false

    @Flag(help: "Without its content coding, such as gzip.")
    var decoded = false

    @Option(name: [.short, .long], help: "Where to write it. Default: standard output.", completion: .file())
    var output: String?

    func run() throws {
        try ExitStatus.reporting {
            let reader = try CassetteReader(path: cassette)
            defer { reader.close() }
            guard let interaction = try reader.interaction(number) else {
                throw MockServeError(
                    .cassetteUnreadable,
                    "\(cassette) has no interaction \(number); the newest is \(try reader.newestID())."
                )
            }
            let body = request ? interaction.requestBody : interaction.responseBody
            let fields = request ? interaction.request.fields : interaction.response.fields
            guard let output else {
                try write(body, fields, reader) { Console.write($0) }
                return
            }
            let draft = output + ".mockserve-draft"
            guard FileManager.default.createFile(atPath: draft, contents: nil),
                let file = FileHandle(forWritingAtPath: draft)
            else {
                throw MockServeError(.cassetteUnwritable, "\(output) cannot be written.")
            }
            do {
                try write(body, fields, reader) { try file.write(contentsOf: Data($0)) }
                try file.close()
                guard rename(draft, output) == 0 else {
                    throw MockServeError(
                        .cassetteUnwritable,
                        "\(output) cannot be written: \(String(cString: strerror(errno)))."
                    )
                }
            } catch {
                unlink(draft)
                throw error
            }
        }
    }

    private func write(
        _ body: BodyReference?,
        _ fields: Fields,
        _ reader: CassetteReader,
        _ write: ([UInt8]) throws -> Void
    ) throws {
        guard let body else { return }
        if decoded {
            guard let bytes = try reader.bytes(of: body, limit: 256 << 20),
                let plain = BodyText.decoded(bytes, fields, limit: 1 << 30)
            else {
                throw MockServeError(
                    .cassetteUnreadable,
                    "The body cannot be decoded; without --decoded it is written as it is."
                )
            }
            return try write(plain)
        }
        for number in 0..<BodySlices.count(of: body.size) { try write(try reader.slice(number, of: body)) }
    }
}
