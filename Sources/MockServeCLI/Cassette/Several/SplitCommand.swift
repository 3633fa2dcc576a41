import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

struct SplitCommand: ParsableCommand {
    enum Criterion: String, ExpressibleByArgument, CaseIterable {
        case host
        case path
        case episode
    }

    static let configuration = CommandConfiguration(
        commandName: "split",
        abstract: "Split a cassette into several.",
        discussion: """
            By the host that was recorded from, by the first segment of the path, or by the recording run. Every part gets the \
            rules and stubs. The cassette itself stays.

            EXAMPLE
              mockserve cassette split all.cassette --by host -o cassettes/
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Option(help: "By what: host, path or episode.")
    var by: Criterion

    @Option(name: [.short, .long], help: "The folder of the parts.", completion: .directory)
    var output: String

    @Flag(name: .customLong("dry-run"), help: "Say what would be made, and make nothing.")
    var dryRun = false

    func run() throws {
        try ExitStatus.reporting {
            let reader = try CassetteReader(path: cassette)
            defer { reader.close() }
            var order: [String] = []
            var parts: [String: [Int64]] = [:]
            let episodes = try by == .episode ? reader.episodes() : [:]
            try reader.forEach { interaction in
                let name = group(interaction, episodes)
                if parts[name] == nil { order.append(name) }
                parts[name, default: []].append(interaction.id)
                return true
            }
            // On some file systems, names that differ only in case are the same.
            var taken: Set<String> = []
            let files = order.map { group in
                var name = Self.fileName(group)
                var number = 2
                while !taken.insert(name.lowercased()).inserted {
                    name = "\(Self.fileName(group))-\(number)"
                    number += 1
                }
                return (name: group, path: "\(output)/\(name).cassette")
            }
            for file in files where FileManager.default.fileExists(atPath: file.path) {
                throw CassetteError(.unwritable, path: file.path, "is there already; nothing was made.")
            }
            for file in files {
                let numbers = parts[file.name] ?? []
                let what = Counted.text(numbers.count, "interaction")
                if dryRun {
                    Console.say("mockserve: would make \(file.path): \(what)")
                } else {
                    _ = try CassetteCopy.make(of: nil, to: file.path) {
                        try CassetteEditor.copy(numbers, from: reader, to: $0)
                    }
                    Console.say("mockserve: \(file.path): \(what)")
                }
            }
        }
    }

    private func group(_ interaction: Interaction, _ episodes: [Int64: Int64]) -> String {
        switch by {
        case .host: return Origin(interaction.content.origin)?.authority ?? "any"
        case .path:
            let path = Latin1.string(Target(Target.originForm(interaction.request.target)).path)
            return path.split(separator: "/").first.map(String.init) ?? "root"
        case .episode: return "episode-\(episodes[interaction.id] ?? 0)"
        }
    }

    private static func fileName(_ text: String) -> String {
        let kept = text.unicodeScalars.map { scalar -> Character in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || "-_.".unicodeScalars.contains(scalar))
                ? Character(scalar) : "-"
        }
        let name = String(kept).trimmingCharacters(in: CharacterSet(charactersIn: ".-"))
        return name.isEmpty ? "part" : String(name.prefix(100))
    }
}
