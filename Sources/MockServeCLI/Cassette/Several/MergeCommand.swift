import ArgumentParser
import CassetteStore
import MockServeCore

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Merge cassettes into one.",
        discussion: """
            Takes the interactions, stubs, rules and upstreams of all. What is in several of them is in the result once. If two \
            answer the same requests differently, that is a conflict: decide with --ours (the earlier one stays), --theirs \
            or --both, or afterwards with `mockserve cassette resolve`. With --base, what was removed or changed since then \
            is removed or changed, as in a merge of git.

            EXAMPLE
              mockserve cassette merge users.cassette orders.cassette -o all.cassette
              mockserve cassette merge ours.cassette theirs.cassette --base base.cassette -o merged.cassette
            """
    )

    @Argument(help: "The cassettes.", completion: .file(extensions: ["cassette"]))
    var cassettes: [String]

    @Option(name: [.short, .long], help: "Where to write the result.", completion: .file(extensions: ["cassette"]))
    var output: String

    @Option(help: "What two cassettes come from.", completion: .file(extensions: ["cassette"]))
    var base: String?

    @Flag(help: "What of a conflict stays.")
    var side: SideFlag?

    @Flag(help: "Replace the output if it is there.")
    var force = false

    func validate() throws {
        guard cassettes.count > 1 else { throw ValidationError("Which cassettes? Give two or more.") }
        guard base == nil || cassettes.count == 2 else { throw ValidationError("With --base, give two cassettes.") }
    }

    func run() throws {
        let conflicts = try ExitStatus.reporting {
            let older = try base.map { try CassetteReader(path: $0) }
            defer { older?.close() }
            let conflicts = try CassetteCopy.make(of: cassettes[0], to: output, overwrites: force) { copy in
                var conflicts: [Conflict] = []
                for path in cassettes.dropFirst() {
                    let reader = try CassetteReader(path: path)
                    defer { reader.close() }
                    let outcome = try Progress.during("merging \(Console.safe(path))") {
                        try CassetteMerger.merge(base: older, theirs: reader, into: copy)
                    }
                    Console.say(
                        "mockserve: \(path): \(outcome.added) added, \(outcome.changed) changed, \(outcome.removed) removed"
                    )
                    conflicts = outcome.conflicts
                    guard !conflicts.isEmpty else { continue }
                    guard let choice = side?.choice else {
                        if path == cassettes.last { break }
                        let what = Counted.text(conflicts.count, "conflict")
                        throw CassetteError(
                            .unwritable,
                            path: path,
                            "has \(what) with those before it. Merge two at a time, or decide with --ours, --theirs or --both."
                        )
                    }
                    _ = try CassetteMerger.resolve(choice, nil, in: copy)
                    Console.say("mockserve: \(Counted.text(conflicts.count, "conflict")) settled: \(choice.rawValue)")
                    conflicts = []
                }
                return conflicts
            }
            guard !conflicts.isEmpty else { return conflicts }
            let reader = try CassetteReader(path: output)
            defer { reader.close() }
            try ConflictReport.say(conflicts, reader, named: output)
            return conflicts
        }
        if !conflicts.isEmpty { throw ExitCode(1) }
    }
}

/// Which side of a conflict stays, as it is said on the command line.
enum SideFlag: String, EnumerableFlag {
    case ours
    case theirs
    case both

    static func help(for value: SideFlag) -> ArgumentHelp? {
        switch value {
        case .ours: "Of a conflict, our side stays: the earlier cassette, or the branch that is merged into."
        case .theirs: "Of a conflict, the other side stays."
        case .both: "Of a conflict, both sides stay, ours first."
        }
    }

    var choice: ConflictChoice {
        switch self {
        case .ours: .ours
        case .theirs: .theirs
        case .both: .both
        }
    }
}
