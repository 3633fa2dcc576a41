import ArgumentParser
import CassetteStore

struct RemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove interactions from a cassette.",
        discussion: """
            Takes numbers and ranges as `list` shows them. Bodies that nothing else refers to are removed too, and what \
            they held is overwritten. If one of the numbers, or of the ends of a range, does not exist, nothing is removed.

            EXAMPLE
              mockserve cassette remove github.cassette 3 7-9
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Argument(help: ArgumentHelp("Numbers of interactions, or ranges of them.", valueName: "n|n-m"))
    var numbers: [String]

    func validate() throws {
        guard !numbers.isEmpty else { throw ValidationError("Which interactions? Give their numbers.") }
        _ = try ranges
    }

    private var ranges: [ClosedRange<Int64>] { get throws { try NumberRanges.parse(numbers) } }

    @Flag(name: .customLong("dry-run"), help: "Say what would be removed, and remove nothing.")
    var dryRun = false

    func run() throws {
        try ExitStatus.reporting {
            let removed = try CassetteEditor.remove(try ranges, isDryRun: dryRun, from: cassette)
            Console.say("mockserve: \(removed) \(dryRun ? "would be " : "")removed from \(cassette)")
        }
    }
}
