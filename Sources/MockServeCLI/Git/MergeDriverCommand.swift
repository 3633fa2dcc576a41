import ArgumentParser
import CassetteStore
import Foundation
import MockServe
import MockServeCore

struct MergeDriverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Merge two versions of a cassette. Git calls this.",
        discussion: """
            Writes the result in the place of the second file, as git wants it, and ends with status 1 if there are conflicts. To \
            merge cassettes by hand, use `mockserve cassette merge`.

            EXAMPLE
              mockserve git merge base.cassette ours.cassette theirs.cassette api.cassette
            """
    )

    @Argument(help: "What both come from; an empty file if there is nothing.")
    var base: String

    @Argument(help: "Our version, which becomes the result.")
    var ours: String

    @Argument(help: "Their version.")
    var theirs: String

    @Argument(help: "The name of the cassette, for messages.")
    var name: String?

    @Option(
        name: .customLong("marker-size"),
        help: ArgumentHelp(
            "How long git's conflict markers are. In a merge of what is merged next they are longer than 7.",
            valueName: "n"
        )
    )
    var markerSize = 7

    func run() throws {
        let conflicts = try reporting {
            let older = try Self.isEmpty(base) ? nil : CassetteReader(path: base)
            defer { older?.close() }
            let reader = try CassetteReader(path: theirs)
            defer { reader.close() }
            let outcome = try CassetteMerger.merge(
                base: older,
                theirs: reader,
                allowsConflicts: markerSize > 7,
                into: ours
            )
            guard !outcome.conflicts.isEmpty else { return 0 }
            let result = try CassetteReader(path: ours)
            defer { result.close() }
            // Git first merges what the branches come from, if that is more than one thing: nobody has to settle that.
            if markerSize <= 7 { try ConflictReport.say(outcome.conflicts, result, named: name ?? ours) }
            return outcome.conflicts.count
        }
        if conflicts > 0 { throw ExitCode(1) }
    }

    /// An error is a conflict to git, which then has our side in the file: that must be said.
    private func reporting(_ body: () throws -> Int) throws -> Int {
        do {
            return try body()
        } catch let error as CassetteError {
            let path = name ?? ours
            Console.say("mockserve: \(path) was not merged, and is as our side has it: \(error.reason)")
            Console.say(
                "mockserve: take one side, git checkout --ours or --theirs \(ShellText.quoted(path)), or record it again."
            )
            throw ExitCode(1)
        }
    }

    private static func isEmpty(_ path: String) -> Bool {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int == 0
    }
}
