import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

/// Interactions, and where they go.
struct CopyOptions: ParsableArguments {
    @Argument(help: "The cassette that they are in.", completion: .file(extensions: ["cassette"]))
    var source: String

    @Argument(help: "The other cassette, which is made if there is none.", completion: .file(extensions: ["cassette"]))
    var destination: String

    @Argument(help: ArgumentHelp("Numbers of interactions, or ranges of them.", valueName: "n|n-m"))
    var numbers: [String]

    @Flag(name: .customLong("dry-run"), help: "Say what would be done, and change nothing.")
    var dryRun = false

    func validate() throws {
        guard !numbers.isEmpty else { throw ValidationError("Which interactions? Give their numbers.") }
        _ = try NumberRanges.parse(numbers)
    }

    /// - Returns: how many there are.
    func copy() throws -> Int {
        guard CassetteFile.canonicalPath(source) != CassetteFile.canonicalPath(destination) else {
            throw MockServeError(.invalidConfiguration, "Both cassettes are the same file, \(source).")
        }
        let reader = try CassetteReader(path: source)
        defer { reader.close() }
        var chosen: [Int64] = []
        for range in try NumberRanges.parse(numbers) {
            for end in [range.lowerBound, range.upperBound] where try reader.interaction(end) == nil {
                throw MockServeError(.cassetteUnreadable, "\(source) has no interaction \(end); nothing was changed.")
            }
            try reader.forEach(in: [range]) { chosen.append($0.id) }
        }
        guard !dryRun else {
            Console.say("mockserve: would copy \(Counted.text(chosen.count, "interaction")) to \(destination)")
            return chosen.count
        }
        let copied = try CassetteEditor.copy(chosen, from: reader, to: destination)
        let numbers = copied.count == 1 ? "as #\(copied[0])" : "as #\(copied.first ?? 0) to #\(copied.last ?? 0)"
        Console.say("mockserve: \(Counted.text(copied.count, "interaction")) copied to \(destination), \(numbers)")
        return copied.count
    }
}

struct CopyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy",
        abstract: "Copy interactions into another cassette.",
        discussion: """
            They come after what is there. A new cassette gets the rules and stubs of the first one; in others, their own rules \
            hold, also those of redaction.

            EXAMPLE
              mockserve cassette copy github.cassette users.cassette 3 7-9
            """
    )

    @OptionGroup var options: CopyOptions

    func run() throws { try ExitStatus.reporting { _ = try options.copy() } }
}

struct MoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move",
        abstract: "Move interactions into another cassette.",
        discussion: """
            As `copy`, and then they are removed from the first one. The others keep their numbers.

            EXAMPLE
              mockserve cassette move github.cassette users.cassette 3 7-9
            """
    )

    @OptionGroup var options: CopyOptions

    func run() throws {
        try ExitStatus.reporting {
            _ = try options.copy()
            guard !options.dryRun else { return }
            let removed = try CassetteEditor.remove(try NumberRanges.parse(options.numbers), from: options.source)
            Console.say("mockserve: \(Counted.text(removed, "interaction")) removed from \(options.source)")
        }
    }
}

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
            let count = try CassetteEditor.renameOrigin(
                try Self.origin(old),
                to: try Self.origin(new),
                isDryRun: dryRun,
                in: cassette
            )
            let what = dryRun ? "would be changed" : "changed"
            Console.say("mockserve: \(Counted.text(count, "interaction")) \(what) in \(cassette)")
        }
    }
}
