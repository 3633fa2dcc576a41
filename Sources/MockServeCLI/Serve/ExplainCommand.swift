import ArgumentParser
import CassetteStore
import Foundation
import MockServe
import MockServeCore

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain why a request had no recorded answer.",
        discussion: """
            Explains the last miss, or the Nth, of the last server with misses that was started in this folder, or that served \
            --cassette; with --journal, of all those that were noted there. Tells the nearest recordings, what differs, and the \
            command that would change that. With --all, tells all of them by what they differ in, and one command with the rules \
            that would answer them.

            EXAMPLE
              mockserve explain
              mockserve explain --all --cassette github.cassette
              mockserve run github.cassette --journal journal.jsonl -- pytest
              mockserve explain 1 --journal journal.jsonl
            """
    )

    @Argument(help: ArgumentHelp("Which of the misses, counted from 1. Default: the last.", valueName: "n"))
    var number: Int?

    @Flag(help: "All of them, by what they differ in, with one list of rules.")
    var all = false

    @Option(help: "The cassette that was served.", completion: .file(extensions: ["cassette"]))
    var cassette: String?

    @Option(help: ArgumentHelp("A file written with --journal.", valueName: "file"), completion: .file())
    var journal: String?

    @Flag(help: "The miss as problem details, in JSON.")
    var json = false

    func validate() throws {
        guard number ?? 1 > 0 else { throw ValidationError("Misses are counted from 1.") }
        guard !all || number == nil && !json else {
            throw ValidationError("--all goes with neither a number nor --json.")
        }
    }

    func run() throws {
        try ExitStatus.reporting {
            let misses = try JournalReader(path).misses(upTo: number ?? .max, of: journal == nil ? nil : cassette)
            guard let miss = misses.last else {
                let (whose, place) = (cassette.map { " to \($0)" } ?? "", journal.map { " in \($0)" } ?? "")
                return Console.say("mockserve: no request\(whose) was missed\(place)")
            }
            guard number == nil || number == misses.count else {
                throw MockServeError(
                    .invalidConfiguration,
                    "There is no miss \(number ?? 0): \(misses.count == 1 ? "there is one" : "there are \(misses.count)")."
                )
            }
            if all { return explainAll(misses) }
            if let cassette = miss.cassette {
                let which =
                    number == nil
                    ? "the last of \(Counted.text(misses.count, "miss", "misses"))" : "miss \(misses.count)"
                Console.say("mockserve: \(which) of \(Console.safe(cassette))")
            }
            Console.print(json ? miss.problem : Console.safe(lines: miss.explanation).trimmingCharacters(in: .newlines))
        }
    }

    /// A journal may have misses of several cassettes.
    private func explainAll(_ misses: [JournalReader.Miss]) {
        var cassettes: [String] = []
        for miss in misses {
            let cassette = miss.cassette ?? ""
            if !cassettes.contains(cassette) { cassettes.append(cassette) }
        }
        for (index, cassette) in cassettes.enumerated() {
            let own = misses.filter { ($0.cassette ?? "") == cassette }
            if index > 0 { Console.print("") }
            let overview = MissOverview(own.map(\.told), cassette: shortened(cassette))
            for line in overview.lines(limit: nil) { Console.print(Console.safe(lines: line)) }
        }
    }

    /// The path as seen from this folder.
    private func shortened(_ path: String) -> String {
        let folder = FileManager.default.currentDirectoryPath + "/"
        return path.hasPrefix(folder) ? String(path.dropFirst(folder.count)) : path
    }

    private var path: String {
        get throws {
            if let journal { return journal }
            if let path = MissFile.newest(cassette) { return path }
            let what = cassette.map { "serving \($0)" } ?? "started in this folder"
            throw MockServeError(
                .cassetteUnreadable,
                "No server \(what) has had a miss yet. "
                    + "To explain others, go to their folder, or give --cassette FILE or --journal FILE."
            )
        }
    }
}

/// Reads what `--journal` wrote.
struct JournalReader {
    struct Miss {
        let explanation: String
        let problem: String
        let told: ToldMiss
        /// Nil in journals of earlier versions.
        let cassette: String?
    }

    private let path: String

    init(_ path: String) { self.path = path }

    /// The misses in the order in which they happened, up to a number of them.
    ///
    /// - Parameter cassette: only its misses; nil for those of all cassettes.
    /// - Throws: `MockServeError` if the file cannot be read, or a line of it is not a journal entry.
    func misses(upTo limit: Int, of cassette: String? = nil) throws -> [Miss] {
        var misses: [Miss] = []
        let wanted = cassette.map(CassetteFile.canonicalPath)
        for (index, line) in try Data(contentsOf: url, options: .mappedIfSafe).split(separator: 0x0A).enumerated() {
            guard misses.count < limit else { break }
            guard let entry = try? JSONSerialization.jsonObject(with: line) as? [String: Any] else {
                // A killed server may have left part of a line.
                let start = Data("{\"number\":".utf8)
                guard line.starts(with: start) || start.starts(with: line) else {
                    throw MockServeError(
                        .cassetteUnreadable,
                        "\(path), line \(index + 1), is not what `--journal` writes."
                    )
                }
                Console.say("mockserve: \(path), line \(index + 1), is not complete and is left out")
                continue
            }
            guard entry["outcome"] as? String == "missed", let explanation = entry["explanation"] as? String else {
                continue
            }
            let cassette = entry["cassette"] as? String
            guard wanted == nil || wanted == cassette else { continue }
            let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let problem = try JSONSerialization.data(withJSONObject: entry["problem"] ?? [:], options: options)
            misses.append(
                Miss(
                    explanation: explanation,
                    problem: String(decoding: problem, as: UTF8.self),
                    told: ToldMiss(entry["problem"] as? [String: Any] ?? [:]),
                    cassette: cassette
                )
            )
        }
        return misses
    }

    private var url: URL {
        get throws {
            guard FileManager.default.isReadableFile(atPath: path) else {
                throw MockServeError(.cassetteUnreadable, "The journal \(path) is not there, or cannot be read.")
            }
            return URL(fileURLWithPath: path)
        }
    }
}
