import ArgumentParser
import CassetteStore
import Foundation
import MockServe
import MockServeCore

struct GitCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the cassettes of a repository, before a commit or in continuous integration.",
        discussion: """
            Looks at every cassette that git knows, or at those that are given: whether it is whole, holds secrets, has \
            conflicts of a merge, is too long for git, and is covered by the attributes of `mockserve git install`. Ends with \
            status 3 if there is anything.

            EXAMPLE
              mockserve git check
              mockserve git check --staged
            """
    )

    @Argument(help: "Cassette files. Default: all that git knows.", completion: .file(extensions: ["cassette"]))
    var cassettes: [String] = []

    @Flag(help: "Look at what is about to be committed, not at the files.")
    var staged = false

    @Option(name: .customLong("max-size"), help: ArgumentHelp("How long a cassette may be.", valueName: "MiB"))
    var maxSize = 50

    @Flag(name: .customLong("no-attributes"), help: "Do not look at attributes.")
    var noAttributes = false

    func validate() throws {
        guard maxSize > 0 else { throw ValidationError("--max-size takes a number of MiB.") }
        guard !staged || cassettes.isEmpty else { throw ValidationError("--staged looks at all that is staged.") }
    }

    func run() throws {
        let count = try ExitStatus.reporting {
            let top = try cassettes.isEmpty ? Git.topFolder() : nil
            let paths = try files(top)
            var count = 0
            func say(_ path: String, _ finding: String) {
                count += 1
                Console.print("\(Console.safe(path)): \(finding)")
            }
            for path in paths {
                try withContent(path, top) { file in
                    let findings = Progress.during("checking \(Console.safe(path))") {
                        CassetteCheck.findings(file, maxSize: maxSize << 20)
                    }
                    for finding in findings { say(path, finding) }
                }
            }
            if let top {
                let unmerged = try Git.run(["ls-files", "-u", "-z", "--", "*.cassette"], in: top).output
                for path in Set(Git.files(unmerged).compactMap { $0.split(separator: "\t").last.map(String.init) })
                    .sorted()
                {
                    say(path, "is not merged yet, as git says: settle it, then git add")
                }
            }
            if !noAttributes {
                for path in try uncovered(paths, top) { say(path, "no attribute covers it: mockserve git install") }
            }
            Console.say(
                "mockserve: \(Counted.text(paths.count, "cassette")) checked, \(Counted.text(count, "finding"))"
            )
            return count
        }
        if count > 0 { throw ExitStatus.misses.code }
    }

    /// Names are those from the top of the repository, wherever in it we are.
    private func files(_ top: String?) throws -> [String] {
        guard let top else { return cassettes }
        if staged {
            let names = ["diff", "--cached", "--name-only", "-z", "--diff-filter=ACMR", "--", "*.cassette"]
            return Git.files(try Git.run(names, in: top).output)
        }
        let names = Set(Git.files(try Git.run(["ls-files", "-z", "--", "*.cassette"], in: top).output))
        return names.filter { FileManager.default.fileExists(atPath: "\(top)/\($0)") }.sorted()
    }

    private func withContent(_ path: String, _ top: String?, _ body: (String) throws -> Void) throws {
        guard staged, let top else { return try body(top.map { "\($0)/\(path)" } ?? path) }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "mockserve-\(UUID().uuidString).cassette"
        ).path
        defer { unlink(file) }
        let content = try Git.data(["cat-file", "blob", ":\(path)"], in: top).output
        guard FileManager.default.createFile(atPath: file, contents: content, attributes: [.posixPermissions: 0o600])
        else {
            throw MockServeError(.cassetteUnwritable, "What is staged cannot be written to \(file).")
        }
        try body(file)
    }

    private func uncovered(_ paths: [String], _ top: String?) throws -> [String] {
        guard !paths.isEmpty else { return [] }
        var found: [String: Set<String>] = [:]
        for some in stride(from: 0, to: paths.count, by: 200).map({ paths[$0..<min($0 + 200, paths.count)] }) {
            let output = try Git.run(["check-attr", "-z", "diff", "merge", "--"] + some, in: top).output
            let fields = output.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
            for place in stride(from: 0, to: fields.count - 2, by: 3) where fields[place + 2] == "mockserve" {
                found[fields[place], default: []].insert(fields[place + 1])
            }
        }
        return paths.filter { found[$0]?.count != 2 }
    }
}
