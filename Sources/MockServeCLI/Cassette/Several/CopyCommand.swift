import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

/// Interactions, and where they go.
struct CopyOptions: ParsableArguments {
    @Argument(help: "The cassette that they are in.", completion: .file(extensions: ["cassette"]))
    var source: String

    @Argument(help: "The other cassette, which is made if there is none.", completion: .file(extensions: ["cassette"]))
    var destination: String

    @Argument(help: ArgumentHelp("Numbers of interactions, or ranges of them.", valueName: "n|n-m"))
    var numbers: [String]

    @Flag(name: .customLong("dry-run"), help: "Say what would be done, and change nothing.")
    var dryRun = false

    func validate() throws {
        guard !numbers.isEmpty else { throw ValidationError("Which interactions? Give their numbers.") }
        _ = try NumberRanges.parse(numbers)
    }

    /// - Returns: how many there are.
    func copy() throws -> Int {
        guard !CassetteFile.isSame(source, destination) else {
            throw MockServeError(.invalidConfiguration, "Both cassettes are the same file, \(source).")
        }
        let reader = try CassetteReader(path: source)
        defer { reader.close() }
        var chosen: [Int64] = []
        for range in try NumberRanges.parse(numbers) {
            for end in [range.lowerBound, range.upperBound] where try reader.interaction(end) == nil {
                throw MockServeError(.cassetteUnreadable, "\(source) has no interaction \(end); nothing was changed.")
            }
            try reader.forEach(in: [range]) { chosen.append($0.id) }
        }
        guard !dryRun else {
            Console.say("mockserve: would copy \(Counted.text(chosen.count, "interaction")) to \(destination)")
            return chosen.count
        }
        let copied = try Progress.during("copying") { try CassetteEditor.copy(chosen, from: reader, to: destination) }
        let numbers = copied.count == 1 ? "as #\(copied[0])" : "as #\(copied.first ?? 0) to #\(copied.last ?? 0)"
        Console.say("mockserve: \(Counted.text(copied.count, "interaction")) copied to \(destination), \(numbers)")
        return copied.count
    }
}

struct CopyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy",
        abstract: "Copy interactions into another cassette.",
        discussion: """
            They come after what is there. A new cassette gets the rules and stubs of the first one; in others, their own rules \
            hold, also those of redaction.

            EXAMPLE
              mockserve cassette copy github.cassette users.cassette 3 7-9
            """
    )

    @OptionGroup var options: CopyOptions

    func run() throws { try ExitStatus.reporting { _ = try options.copy() } }
}

struct MoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move",
        abstract: "Move interactions into another cassette.",
        discussion: """
            As `copy`, and then they are removed from the first one. The others keep their numbers.

            EXAMPLE
              mockserve cassette move github.cassette users.cassette 3 7-9
            """
    )

    @OptionGroup var options: CopyOptions

    func run() throws {
        try ExitStatus.reporting {
            _ = try options.copy()
            guard !options.dryRun else { return }
            let removed = try CassetteEditor.remove(try NumberRanges.parse(options.numbers), from: options.source)
            Console.say("mockserve: \(Counted.text(removed, "interaction")) removed from \(options.source)")
        }
    }
}
