import ArgumentParser
import Foundation
import MockServe

/// Where the misses of the last server that had any are kept, for `explain`.
enum MissFile {
    /// In the folder for state (XDG Base Directory Specification); nil if there is no home.
    static var path: String? {
        let environment = ProcessInfo.processInfo.environment
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return "\(state)/mockserve/misses.jsonl" }
        return environment["HOME"].flatMap { $0.hasPrefix("/") ? "\($0)/.local/state/mockserve/misses.jsonl" : nil }
    }
}

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain why a request had no recorded answer.",
        discussion: """
            Explains the last miss, or the Nth, of the last server that had any; with --journal, of all those that were \
            noted there. Tells the nearest recordings, what differs, and the command that would change that.

            EXAMPLE
              mockserve explain
              mockserve run github.cassette --journal journal.jsonl -- pytest
              mockserve explain 1 --journal journal.jsonl
            """
    )

    @Argument(help: ArgumentHelp("Which of the misses, counted from 1. Default: the last.", valueName: "n"))
    var number: Int?

    @Option(help: ArgumentHelp("A file written with --journal.", valueName: "file"), completion: .file())
    var journal: String?

    @Flag(help: "The miss as problem details, in JSON.")
    var json = false

    func validate() throws {
        guard number ?? 1 > 0 else { throw ValidationError("Misses are counted from 1.") }
    }

    func run() throws {
        try ExitStatus.reporting {
            let misses = try JournalReader(path).misses(upTo: number ?? .max)
            guard let miss = misses.last else {
                return Console.say("mockserve: no request was missed\(journal.map { " in \($0)" } ?? "")")
            }
            guard number == nil || number == misses.count else {
                throw MockServeError(
                    .invalidConfiguration,
                    "There is no miss \(number ?? 0): \(misses.count == 1 ? "there is one" : "there are \(misses.count)")."
                )
            }
            Console.print(json ? miss.problem : Console.safe(miss.explanation).trimmingCharacters(in: .newlines))
        }
    }

    private var path: String {
        get throws {
            if let journal { return journal }
            if let path = MissFile.path, FileManager.default.fileExists(atPath: path) { return path }
            throw MockServeError(
                .cassetteUnreadable,
                "No server has had a miss yet. To explain those of another machine or user, give --journal FILE."
            )
        }
    }
}

/// Reads what `--journal` wrote.
struct JournalReader {
    struct Miss {
        let explanation: String
        let problem: String
    }

    private let path: String

    init(_ path: String) { self.path = path }

    /// The misses in the order in which they came, up to a number of them.
    ///
    /// - Throws: `MockServeError` if the file cannot be read, or a line of it is no journal entry.
    func misses(upTo limit: Int) throws -> [Miss] {
        var misses: [Miss] = []
        for (index, line) in try Data(contentsOf: url, options: .mappedIfSafe).split(separator: 0x0A).enumerated() {
            guard misses.count < limit else { break }
            guard let entry = try? JSONSerialization.jsonObject(with: line) as? [String: Any] else {
                throw MockServeError(
                    .cassetteUnreadable,
                    "\(path), line \(index + 1), is not what `--journal` writes."
                )
            }
            guard entry["outcome"] as? String == "missed", let explanation = entry["explanation"] as? String else {
                continue
            }
            let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let problem = try JSONSerialization.data(withJSONObject: entry["problem"] ?? [:], options: options)
            misses.append(Miss(explanation: explanation, problem: String(decoding: problem, as: UTF8.self)))
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
