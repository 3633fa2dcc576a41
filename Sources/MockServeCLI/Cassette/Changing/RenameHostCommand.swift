import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

struct RenameHostCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename-host",
        abstract: "Give an upstream another origin.",
        discussion: """
            Changes what was recorded from it, and its origin where that occurs in fields and in bodies that are text. For a \
            service that has moved.

            EXAMPLE
              mockserve cassette rename-host github.cassette https://old.example.com https://api.example.com
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Argument(help: ArgumentHelp("The origin that it has.", valueName: "old url"))
    var old: String

    @Argument(help: ArgumentHelp("The origin that it gets.", valueName: "new url"))
    var new: String

    @Flag(name: .customLong("dry-run"), help: "Say what would be changed, and change nothing.")
    var dryRun = false

    func validate() throws { _ = (try Self.origin(old), try Self.origin(new)) }

    private static func origin(_ text: String) throws -> Origin {
        guard let origin = Origin(text) else {
            throw ValidationError("`\(text)` is not scheme, host and port, such as https://api.example.com.")
        }
        return origin
    }

    func run() throws {
        try ExitStatus.reporting {
            let (from, to) = (try Self.origin(old), try Self.origin(new))
            let count = try Progress.during("renaming") {
                try CassetteEditor.renameOrigin(from, to: to, isDryRun: dryRun, in: cassette)
            }
            let what = dryRun ? "would be changed" : "changed"
            Console.say("mockserve: \(Counted.text(count, "interaction")) \(what) in \(cassette)")
        }
    }
}
