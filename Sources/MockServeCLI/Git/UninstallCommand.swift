import ArgumentParser
import Foundation
import MockServe
import MockServeCore

struct UninstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uninstall",
        abstract: "Undo what `install` did.",
        discussion: """
            EXAMPLE
              mockserve git uninstall
            """
    )

    @OptionGroup var setup: GitSetup

    func run() throws {
        try ExitStatus.reporting {
            let file = try setup.attributesFile()
            let lines = try AttributesFile.read(file).split(
                separator: UInt8(ascii: "\n"),
                omittingEmptySubsequences: false
            )
            let kept = lines.filter { $0 != Array(GitSetup.attributes.utf8)[...] }
            if kept.count < lines.count {
                if kept.allSatisfy(\.isEmpty) {
                    unlink(file)
                } else {
                    try AttributesFile.write(Array(kept.joined(separator: [UInt8(ascii: "\n")])), to: file)
                }
                Console.say("mockserve: taken out of \(file): \(GitSetup.attributes)")
            }
            for section in ["diff.mockserve", "merge.mockserve"] {
                let found = try Git.run(
                    ["config"] + setup.scope + ["--get-regexp", "^\(section)\\."],
                    statuses: [0, 1]
                )
                guard found.status == 0 else { continue }
                try Git.run(["config"] + setup.scope + ["--remove-section", section])
                Console.say("mockserve: git config \(setup.scope[0]) --remove-section \(section)")
            }
        }
    }
}
