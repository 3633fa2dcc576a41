import ArgumentParser
import CassetteStore
import Foundation
import MockServe
import MockServeCore

struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Bring cassettes up to the newest version of the schema.",
        discussion: """
            Older cassettes are read as they are, so this is needed only for programs that read the tables. The cassette as it \
            was stays next to it, as NAME.v1.cassette and so on: put it back under the name to go back.

            EXAMPLE
              mockserve cassette upgrade github.cassette
              mv github.v1.cassette github.cassette
            """
    )

    @Argument(help: "Cassette files.", completion: .file(extensions: ["cassette"]))
    var cassettes: [String]

    @Flag(name: .customLong("no-backup"), help: "Keep no copy of the older version.")
    var noBackup = false

    func run() throws {
        try ExitStatus.reporting {
            let newest = CassetteReader.newestVersion
            for path in cassettes {
                let reader = try CassetteReader(path: path)
                let version = try reader.version()
                reader.close()
                guard version < newest else {
                    Console.say("mockserve: \(path) has version \(version), the newest")
                    continue
                }
                let stem = path.hasSuffix(".cassette") ? String(path.dropLast(".cassette".count)) : path
                let backup = noBackup ? nil : "\(stem).v\(version).cassette"
                _ = try CassetteEditor.upgrade(path, backup: backup)
                let kept = backup.map { "; as it was: \($0)" } ?? ""
                Console.say("mockserve: \(path) had version \(version), has version \(newest)\(kept)")
            }
        }
    }
}
