import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check cassettes: whether they are whole, and whether all of their answers can be given.",
        discussion: """
            Says what is damaged, which request would not find its own answer, which answers are told apart by nothing, which are \
            never given, what holds a secret or a conflict of a merge, what nothing refers to, and with --max-age what is old. \
            Ends with status 3 if there is anything.

            EXAMPLE
              mockserve cassette check cassettes/*.cassette
              mockserve cassette check --max-age 180 cassettes/*.cassette
            """
    )

    @Argument(help: "Cassette files.", completion: .file(extensions: ["cassette"]))
    var cassettes: [String]

    @Option(name: .customLong("max-age"), help: ArgumentHelp("How old recordings may be.", valueName: "days"))
    var maxAge: Int?

    func validate() throws {
        guard maxAge ?? 1 > 0 else { throw ValidationError("--max-age takes a number of days.") }
    }

    func run() throws {
        let count = try ExitStatus.reporting {
            var count = 0
            for path in cassettes {
                let findings = Progress.during("checking \(Console.safe(path))") {
                    CassetteCheck.findings(path) + CassetteCheck.answers(path, maxAge: maxAge)
                }
                for finding in findings { Console.print("\(Console.safe(path)): \(finding)") }
                count += findings.count
            }
            Console.say(
                "mockserve: \(Counted.text(cassettes.count, "cassette")) checked, \(Counted.text(count, "finding"))"
            )
            return count
        }
        if count > 0 { throw ExitStatus.misses.code }
    }
}
