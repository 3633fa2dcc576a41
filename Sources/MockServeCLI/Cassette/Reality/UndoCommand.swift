import ArgumentParser
import CassetteStore
import Foundation
import MockServe
import MockServeCore

struct UndoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Take the last refresh or import back.",
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
            Console.say(
                "mockserve: \(cassette) \(dryRun ? "would be" : "is") as it was before its last refresh or import"
            )
        }
    }
}
