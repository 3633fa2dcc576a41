import ArgumentParser
import CassetteStore
import Foundation
import MockServe
import MockServeCore

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Ask the upstream again, and say where its answers have moved away from the recording.",
        discussion: """
            Sends the recorded requests that change nothing, in recorded order, and compares the answers in three degrees: the \
            same; the same shape (names, types, class of the status) with other values; another shape. What changes with every \
            recording does not count. Ends with status 5 if the shape of an answer has changed, with 69 if nothing was \
            answered. Credentials are not in a cassette: give them with --secret-env, under the name that they were \
            recorded with.

            EXAMPLE
              mockserve cassette verify github.cassette
              mockserve cassette verify github.cassette --upstream https://staging.example.com --secret-env API_TOKEN
              mockserve cassette verify github.cassette --junit drift.xml
            """
    )

    @OptionGroup var options: RealityOptions

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: ArgumentHelp("Write a report in JUnit's XML.", valueName: "file"), completion: .file())
    var junit: String?

    @Flag(help: "Show how answers differ.")
    var diff = false

    func run() async throws {
        let hasDrifted = try await ExitStatus.reporting {
            try await options.ask { findings, reader, parts in
                for finding in findings {
                    if json { Console.print(Self.object(finding)) } else { Self.printText(finding) }
                    if diff, !json, finding.drift != .same {
                        for line in try finding.difference(reader, parts) { Console.print("         \(line)") }
                    }
                }
                let counts = AnswerDrift.allCases.map { degree in findings.count { $0.drift == degree } }
                Console.say(
                    "mockserve: \(counts[0]) the same, \(counts[1]) with other values, \(counts[2]) of another shape"
                )
                if let junit { try Self.write(findings, to: junit, options.cassette) }
                return counts[2] > 0
            }
        }
        if hasDrifted { throw ExitStatus.drift.code }
    }

    private static func printText(_ finding: RealityOptions.Finding) {
        guard finding.drift != .same else { return }
        Console.print("\(finding.drift.rawValue.padded(7))#\(finding.outcome.number) \(finding.outcome.request)")
        for difference in finding.differences { Console.print("         \(Console.safe(difference))") }
    }

    private static func object(_ finding: RealityOptions.Finding) -> String {
        let differences = finding.differences.map(JSONText.string).joined(separator: ",")
        return "{\"id\":\(finding.outcome.number),\"request\":\(JSONText.string(finding.outcome.request)),"
            + "\"drift\":\"\(finding.drift.rawValue)\",\"answered\":\(finding.outcome.answer != nil),\"differences\":[\(differences)]}"
    }

    private static func write(_ findings: [RealityOptions.Finding], to file: String, _ cassette: String) throws {
        func escaped(_ text: String) -> String {
            VisibleText.of(text).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
                .replacing(
                    "\"",
                    with: "&quot;"
                )
        }
        let failures = findings.count { $0.drift == .shape }
        var lines = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<testsuite name=\"\(escaped(cassette))\" tests=\"\(findings.count)\" failures=\"\(failures)\" errors=\"0\" skipped=\"0\">",
        ]
        for finding in findings {
            let name = "#\(finding.outcome.number) \(finding.outcome.request)"
            guard finding.drift == .shape else {
                lines.append("  <testcase classname=\"\(escaped(cassette))\" name=\"\(escaped(name))\"/>")
                continue
            }
            let text = escaped(finding.differences.joined(separator: "\n"))
            lines.append("  <testcase classname=\"\(escaped(cassette))\" name=\"\(escaped(name))\">")
            lines.append("    <failure message=\"another shape\">\(text)</failure>")
            lines.append("  </testcase>")
        }
        lines.append("</testsuite>")
        do {
            try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        } catch {
            throw MockServeError(
                .cassetteUnwritable,
                "\(file) cannot be written: \(error.localizedDescription)",
                cause: error
            )
        }
    }
}

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

struct UndoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Take the last refresh back.",
        discussion: """
            EXAMPLE
              mockserve cassette undo github.cassette
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Flag(help: "Also if the cassette has been changed since; that is taken back with it.")
    var force = false

    @Flag(name: .customLong("dry-run"), help: "Say whether it can be taken back, and change nothing.")
    var dryRun = false

    func run() throws {
        try ExitStatus.reporting {
            try CassetteEditor.undo(cassette, force: force, isDryRun: dryRun)
            Console.say("mockserve: \(cassette) \(dryRun ? "would be" : "is") as it was before its last refresh")
        }
    }
}
