import ArgumentParser
import CassetteStore
import HTTPMessages
import MockServe
import MockServeCore

struct UnusedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unused",
        abstract: "List the interactions that no run has used.",
        discussion: """
            Takes what `--coverage FILE` of `run`, `replay` and `record` has written, of any number of runs. What was \
            recorded anew since then counts as unused.

            EXAMPLE
              mockserve run github.cassette --coverage used.jsonl -- pytest
              mockserve cassette unused github.cassette --coverage used.jsonl
              mockserve cassette unused github.cassette --coverage used.jsonl --remove
              mockserve cassette unused github.cassette --coverage used.jsonl --fail
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Option(help: ArgumentHelp("A file written with --coverage; may be given more than once.", valueName: "file"))
    var coverage: [String]

    @Flag(help: "Remove them; what they held is overwritten.")
    var remove = false

    @Flag(help: "Exit with 4 if there are any.")
    var fail = false

    @Flag(help: "One JSON object a line.")
    var json = false

    func run() throws {
        try ExitStatus.reporting {
            let used = try coverage.reduce(into: Set<CoverageFile.Entry>()) { try $0.formUnion(CoverageFile.read($1)) }
            let reader = try CassetteReader(path: cassette)
            var unused: [ClosedRange<Int64>] = []
            var count = 0
            try reader.forEach { interaction in
                let entry = CoverageFile.Entry(number: interaction.id, recordedAt: interaction.content.recordedAt)
                count += 1
                if !used.contains(entry) {
                    unused.append(interaction.id...interaction.id)
                    Console.print(line(interaction))
                }
                return true
            }
            reader.close()
            let all = Counted.text(count, "interaction")
            Console.say("mockserve: \(unused.count) of \(all) \(Counted.were(unused.count)) not used")
            guard !unused.isEmpty else { return }
            if remove { try removeUnused(unused, of: count) }
            if fail { throw ExitStatus.unused.code }
        }
    }

    private func removeUnused(_ unused: [ClosedRange<Int64>], of count: Int) throws {
        guard unused.count < count || count == 0 else {
            throw MockServeError(
                .invalidConfiguration,
                "Nothing was removed: the coverage is of none of these interactions. Is it of this cassette?"
            )
        }
        Console.say("mockserve: \(try CassetteEditor.remove(unused, from: cassette)) removed from \(cassette)")
    }

    private func line(_ interaction: Interaction) -> String {
        let method = Latin1.string(interaction.request.method)
        let target = Latin1.string(interaction.request.target)
        guard json else { return "#\(interaction.id) \(method) \(Console.safe(target))" }
        return "{\"id\":\(interaction.id),\"method\":\(JSONText.string(method)),\"target\":\(JSONText.string(target))}"
    }
}
