import ArgumentParser
import CassetteStore
import MockServeCore

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
