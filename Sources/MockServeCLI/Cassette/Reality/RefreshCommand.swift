import ArgumentParser
import CassetteStore
import Foundation
import MockServe
import MockServeCore

struct RefreshCommand: AsyncParsableCommand {
    enum Degree: String, ExpressibleByArgument, CaseIterable {
        case values
        case shape
    }

    static let configuration = CommandConfiguration(
        commandName: "refresh",
        abstract: "Ask the upstream again, and take over the answers that have changed.",
        discussion: """
            As `verify`, and then the answers that differ take the place of the older ones, which keep their numbers. On a \
            terminal, each is shown and asked about, unless --yes is given. `mockserve cassette undo` takes it back.

            EXAMPLE
              mockserve cassette refresh github.cassette --yes
              mockserve cassette refresh github.cassette --only shape --select 3 7-9
            """
    )

    @OptionGroup var options: RealityOptions

    @Option(help: "Take over only what differs in this degree: values or shape.")
    var only: Degree?

    @Flag(name: [.long, .customShort("y")], help: "Take over everything that differs, without asking.")
    var yes = false

    @Flag(name: .customLong("dry-run"), help: "Say what would be taken over, and change nothing.")
    var dryRun = false

    func validate() throws {
        guard yes || dryRun || Console.isTerminal(STDIN_FILENO) else {
            throw ValidationError("There is no terminal to ask on: give --yes, or --dry-run.")
        }
    }

    func run() async throws {
        try await ExitStatus.reporting {
            try await options.ask { findings, reader, parts in
                let asks = !yes && !dryRun
                var chosen: [RealityOptions.Finding] = []
                for finding in findings where finding.drift != .same && finding.outcome.answer != nil {
                    if let only, only.rawValue != finding.drift.rawValue { continue }
                    Console.say(
                        "mockserve: \(finding.drift.rawValue): #\(finding.outcome.number) \(finding.outcome.request)"
                    )
                    for difference in finding.differences { Console.say("  \(Console.safe(difference))") }
                    if asks, !(try Self.isWanted(finding, reader, parts)) { continue }
                    chosen.append(finding)
                }
                for finding in findings where finding.outcome.answer == nil {
                    Console.say(
                        "mockserve: #\(finding.outcome.number) \(finding.outcome.request): \(Console.safe(finding.differences.joined(separator: "; ")))"
                    )
                }
                let what = Counted.text(chosen.count, "answer")
                guard !chosen.isEmpty, !dryRun else {
                    return Console.say(
                        "mockserve: \(dryRun ? "would take over \(what)" : "nothing to take over") in \(options.cassette)"
                    )
                }
                let groups = Dictionary(grouping: chosen, by: \.outcome.part).sorted { $0.key < $1.key }
                let answers = groups.compactMap { part, findings in
                    parts[part].map { source in
                        let pairs = findings.compactMap { finding in
                            finding.outcome.answer.map {
                                (old: finding.outcome.number, before: finding.before, new: $0)
                            }
                        }
                        return (source: source, pairs: pairs)
                    }
                }
                try CassetteEditor.takeOver(answers, in: options.cassette)
                Console.say(
                    "mockserve: \(what) taken over in \(options.cassette). To take that back: mockserve cassette undo \(ShellText.quoted(options.cassette))"
                )
            }
        }
    }

    private static func isWanted(
        _ finding: RealityOptions.Finding,
        _ reader: CassetteReader,
        _ parts: [Int: CassetteReader]
    ) throws -> Bool {
        for line in try finding.difference(reader, parts) { Console.say("  \(line)") }
        Console.say("Take it over? [y/N]")
        return readLine()?.lowercased().hasPrefix("y") ?? false
    }
}
