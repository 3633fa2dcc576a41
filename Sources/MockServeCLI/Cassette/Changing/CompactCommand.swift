import ArgumentParser
import CassetteStore
import Foundation
import MockServe
import MockServeCore

struct CompactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Make cassettes as short as they can be.",
        discussion: """
            Removes what nothing refers to, and writes the file anew without unused pages. What is in it stays.

            EXAMPLE
              mockserve cassette compact cassettes/*.cassette
            """
    )

    @Argument(help: "Cassette files.", completion: .file(extensions: ["cassette"]))
    var cassettes: [String]

    func run() throws {
        try ExitStatus.reporting {
            for path in cassettes {
                let before = Self.size(path)
                try Progress.during("compacting \(Console.safe(path))") { try CassetteEditor.compact(path) }
                let after = Self.size(path)
                Console.say("mockserve: \(path): \(ByteCount.text(before)), now \(ByteCount.text(after))")
            }
        }
    }

    private static func size(_ path: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int ?? 0
    }
}
