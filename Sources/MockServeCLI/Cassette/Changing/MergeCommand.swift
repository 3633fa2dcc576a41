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
                    let outcome = try CassetteMerger.merge(base: older, theirs: reader, into: copy)
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

struct ResolveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve",
        abstract: "Settle the conflicts that a merge has left.",
        discussion: """
            Without a choice, lists the conflicts with what both sides say. Until they are settled, the cassette cannot be \
            replayed or recorded into.

            EXAMPLE
              mockserve cassette resolve api.cassette
              mockserve cassette resolve api.cassette --theirs 1 3
              mockserve cassette resolve api.cassette --ours && git add api.cassette
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Argument(help: ArgumentHelp("Numbers of conflicts. Default: all.", valueName: "n"))
    var numbers: [Int64] = []

    @Flag(help: "What stays.")
    var side: SideFlag?

    @Flag(name: .customLong("dry-run"), help: "Say what would be settled, and change nothing.")
    var dryRun = false

    func run() throws {
        try ExitStatus.reporting {
            guard let choice = side?.choice else {
                let reader = try CassetteReader(path: cassette)
                defer { reader.close() }
                let conflicts = try reader.conflicts().filter { numbers.isEmpty || numbers.contains($0.number) }
                guard !conflicts.isEmpty else { return Console.say("mockserve: \(cassette) has no conflicts") }
                try Console.paged { output in
                    for (place, conflict) in conflicts.enumerated() {
                        output.write(try ConflictReport.lines(conflict, reader), isFirst: place == 0)
                    }
                }
                return
            }
            let chosen = numbers.isEmpty ? nil : Set(numbers)
            let settled = try CassetteMerger.resolve(choice, chosen, isDryRun: dryRun, in: cassette)
            Console.say(
                "mockserve: \(Counted.text(settled.count, "conflict")) \(dryRun ? "would be " : "")settled in \(cassette): \(choice.rawValue)"
            )
        }
    }
}

/// Tells a person of the conflicts of a merge.
enum ConflictReport {
    /// Conflicts that are shown with both sides.
    private static let limit = 10

    /// - Parameter name: of the cassette, for the command that settles them.
    static func say(_ conflicts: [Conflict], _ reader: CassetteReader, named name: String) throws {
        for conflict in conflicts.prefix(limit) {
            Console.say("")
            for line in try lines(conflict, reader) { Console.say(line) }
        }
        if conflicts.count > limit { Console.say("\n… and \(conflicts.count - limit) more conflicts") }
        let what = Counted.text(conflicts.count, "conflict")
        let path = ShellText.quoted(name)
        Console.say(
            "\nmockserve: \(what) in \(name). Settle \(conflicts.count == 1 ? "it" : "them"): mockserve cassette resolve \(path) --ours | --theirs | --both [N…]"
        )
    }

    /// What both sides say: `-` is ours, `+` is theirs.
    static func lines(_ conflict: Conflict, _ reader: CassetteReader) throws -> [String] {
        func text(_ number: Int64?) throws -> [String] {
            guard let number else { return [] }
            switch conflict.kind {
            case .interaction: return try reader.interaction(number).map { try reader.text(of: $0) } ?? []
            case .stub: return try reader.stubs().first { $0.number == number }.map { try reader.text(of: $0) } ?? []
            }
        }
        let (ours, theirs) = (try text(conflict.ours), try text(conflict.theirs))
        let name = "conflict \(conflict.number):"
        if ours.isEmpty { return ["\(name) removed by us, changed by them"] + theirs.map { "+" + $0 } }
        if theirs.isEmpty { return ["\(name) changed by us, removed by them"] + ours.map { "-" + $0 } }
        return ["\(name) - is ours, + is theirs"] + DiffCommand.difference(ours, theirs)
    }
}
