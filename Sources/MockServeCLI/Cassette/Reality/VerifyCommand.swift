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
