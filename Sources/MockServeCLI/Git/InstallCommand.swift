import ArgumentParser
import Foundation
import MockServe
import MockServeCore

struct InstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Set git up for cassettes.",
        discussion: """
            Adds a line to .gitattributes, which you commit, and the drivers that it names to the configuration of this clone. \
            Where that was not done, as in a clone without mockserve, git treats cassettes as the binary files that they are. \
            Doing it again changes nothing.

            EXAMPLE
              mockserve git install
              mockserve git install --global
            """
    )

    @OptionGroup var setup: GitSetup

    func run() throws {
        try ExitStatus.reporting {
            let file = try setup.attributesFile()
            if try Self.add(GitSetup.attributes, to: file) {
                Console.say("mockserve: added to \(file): \(GitSetup.attributes)")
            } else {
                Console.say("mockserve: already in \(file): \(GitSetup.attributes)")
            }
            let program = GitSetup.program
            let settings = [
                ("diff.mockserve.textconv", "\(program) git textconv --"), ("diff.mockserve.xfuncname", "^=== .*$"),
                ("merge.mockserve.name", "cassettes, by interaction"),
                ("merge.mockserve.driver", "\(program) git merge --marker-size %L -- %O %A %B %P"),
            ]
            for (name, value) in settings {
                try Git.run(["config"] + setup.scope + [name, value])
                Console.say("mockserve: git config \(setup.scope[0]) \(name) '\(value)'")
            }
        }
    }

    /// - Returns: whether it was not there yet.
    private static func add(_ line: String, to file: String) throws -> Bool {
        let bytes = try AttributesFile.read(file)
        guard !bytes.split(separator: UInt8(ascii: "\n")).contains(Array(line.utf8)[...]) else { return false }
        let start = bytes.isEmpty || bytes.last == UInt8(ascii: "\n") ? bytes : bytes + [UInt8(ascii: "\n")]
        try AttributesFile.write(start + Array((line + "\n").utf8), to: file)
        return true
    }
}
