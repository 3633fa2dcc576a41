import ArgumentParser
import CassetteStore

/// Numbers, and ranges of them, as `list` shows them.
enum NumberRanges {
    /// Ascending, and none twice.
    static func parse(_ texts: [String]) throws -> [ClosedRange<Int64>] {
        var ranges: [ClosedRange<Int64>] = []
        for range in try read(texts).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
        return ranges
    }

    private static func read(_ texts: [String]) throws -> [ClosedRange<Int64>] {
        try texts.map { text in
            let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
            guard let first = ends.first, let first, let last = ends.last, let last, ends.count <= 2,
                first <= last, first > 0
            else { throw ValidationError("`\(text)` is neither a number nor a range such as 7-9.") }
            return first...last
        }
    }
}

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
