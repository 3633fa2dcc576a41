import ArgumentParser
import CassetteStore
import Foundation
import MockServe
import MockServeCore

struct EditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit",
        abstract: "Edit interactions as text.",
        discussion: """
            Opens the text of interactions in the program that VISUAL or EDITOR names, or vi, and takes over what was changed \
            there. What was not touched stays as it was, byte for byte; Content-Length and compression follow the body, and \
            the match key follows the request. If the text is wrong, nothing is changed: it is said in which line and why, and \
            the text is kept; --from takes it up again, and reads edits made by a script.

            EXAMPLE
              mockserve cassette edit github.cassette 3
              mockserve cassette edit github.cassette 3 --print > three.txt
              mockserve cassette edit github.cassette --from three.txt
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Argument(help: ArgumentHelp("Numbers of interactions, or ranges of them. Default: all.", valueName: "n|n-m"))
    var numbers: [String] = []

    @Option(
        help: ArgumentHelp("Take the edited text from a file, or `-` for standard input.", valueName: "file"),
        completion: .file()
    )
    var from: String?

    @Flag(name: .customLong("print"), help: "Print the text that would be edited, and do nothing else.")
    var isPrinted = false

    @Flag(name: .customLong("dry-run"), help: "Say what would be changed, and change nothing.")
    var dryRun = false

    func validate() throws {
        _ = try NumberRanges.parse(numbers)
        guard from == nil || !isPrinted else { throw ValidationError("Give one of --from and --print.") }
    }

    func run() throws {
        try ExitStatus.reporting {
            if isPrinted { return Console.write(Array(try text().utf8)) }
            if let from { return try apply(try Self.read(from), keptAt: nil) }
            let text = try text()
            let file = FileManager.default.temporaryDirectory.appendingPathComponent(
                "edit-\(UUID().uuidString).mockserve"
            ).path
            guard
                FileManager.default.createFile(
                    atPath: file,
                    contents: Data(text.utf8),
                    attributes: [.posixPermissions: 0o600]
                )
            else { throw MockServeError(.cassetteUnwritable, "The text cannot be written to \(file).") }
            try Self.open(file)
            let edited = try Self.read(file)
            guard edited != text else {
                try? FileManager.default.removeItem(atPath: file)
                return Console.say("mockserve: nothing was changed")
            }
            try apply(edited, keptAt: file)
            try? FileManager.default.removeItem(atPath: file)
        }
    }

    /// The text that is edited.
    private func text() throws -> String {
        let reader = try CassetteReader(path: cassette)
        defer { reader.close() }
        var blocks: [String] = []
        let ranges = try NumberRanges.parse(numbers)
        for range in ranges {
            guard try reader.interaction(range.lowerBound) != nil, try reader.interaction(range.upperBound) != nil
            else {
                let whole =
                    range.count == 1 ? "\(range.lowerBound)" : "at an end of \(range.lowerBound)-\(range.upperBound)"
                throw MockServeError(.cassetteUnreadable, "\(cassette) has no interaction \(whole).")
            }
        }
        try reader.forEach(in: ranges.isEmpty ? [1...Int64.max - 1] : ranges) { interaction in
            var lines = try reader.text(of: interaction)
            lines.insert(EditedText.remark(interaction.id, lines), at: 1)
            blocks.append(lines.joined(separator: "\n") + "\n")
        }
        guard !blocks.isEmpty else { throw MockServeError(.cassetteUnreadable, "\(cassette) has no interactions.") }
        return blocks.joined(separator: "\n")
    }

    private static func read(_ file: String) throws -> String {
        do {
            let data =
                file == "-"
                ? try FileHandle.standardInput.readToEnd() ?? Data() : try Data(contentsOf: URL(fileURLWithPath: file))
            return String(decoding: data, as: UTF8.self)
        } catch {
            throw MockServeError(
                .cassetteUnreadable,
                "\(file) cannot be read: \(error.localizedDescription)",
                cause: error
            )
        }
    }

    private static func open(_ file: String) throws {
        let environment = ProcessInfo.processInfo.environment
        let editor = [environment["VISUAL"], environment["EDITOR"]].compactMap { $0 }.first { !$0.isEmpty } ?? "vi"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "\(editor) \"$1\"", "sh", file]
        do {
            try process.run()
        } catch {
            throw MockServeError(
                .invalidConfiguration,
                "The editor cannot be started: \(error.localizedDescription)",
                cause: error
            )
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw MockServeError(
                .invalidConfiguration,
                "The editor `\(editor)` ended with \(process.terminationStatus); nothing was changed. The text is in \(file)."
            )
        }
    }

    /// - Parameter file: where the text stays if it is wrong.
    private func apply(_ text: String, keptAt file: String?) throws {
        do {
            let edits = try edits(text)
            guard !edits.isEmpty else { return Console.say("mockserve: nothing was changed") }
            let numbers = edits.map { "#\($0.number)" }.joined(separator: " ")
            if dryRun { return Console.say("mockserve: would change \(numbers) in \(cassette)") }
            let (redactions, keys) = try CassetteEditor.replace(edits, in: cassette)
            Console.say("mockserve: changed \(numbers) in \(cassette)")
            WrittenAnswer.say(redacted: redactions)
            RuleChanges.say(keys)
        } catch let problem as EditProblem {
            let place = file ?? from ?? "the text"
            if let file {
                let again = "mockserve cassette edit \(ShellText.quoted(cassette)) --from \(ShellText.quoted(file))"
                Console.say("mockserve: The text is kept. Mend it, then: \(again)")
            }
            throw MockServeError(.invalidConfiguration, "\(place), \(problem). Nothing was changed.")
        }
    }

    /// The first interaction that was to be edited and is not there.
    private func missing(_ found: [Int64], _ ranges: [ClosedRange<Int64>], _ reader: CassetteReader) throws -> Int64? {
        let found = Set(found)
        var missing: Int64?
        try reader.forEach(in: ranges.isEmpty ? [1...Int64.max - 1] : ranges) { interaction in
            if missing == nil, !found.contains(interaction.id) { missing = interaction.id }
        }
        return missing
    }

    private func edits(_ text: String) throws -> [(
        number: Int64, before: InteractionFingerprint, edit: InteractionEdit
    )] {
        let reader = try CassetteReader(path: cassette)
        defer { reader.close() }
        var edits: [(number: Int64, before: InteractionFingerprint, edit: InteractionEdit)] = []
        let ranges = try NumberRanges.parse(numbers)
        let blocks = try EditedText.blocks(text)
        if from == nil || !ranges.isEmpty {
            // Who takes a block away may want the interaction to be removed.
            let missing = try missing(blocks.map(\.number), ranges, reader)
            if let number = missing {
                Console.say(
                    "mockserve: #\(number) is not in the text; it stays as it is (mockserve cassette remove removes it)"
                )
            }
        }
        for (number, digest, lines) in blocks {
            guard ranges.isEmpty || ranges.contains(where: { $0.contains(number) }) else {
                throw EditProblem(
                    line: lines[0].number,
                    reason: "interaction \(number) is not one of those that are edited"
                )
            }
            guard let interaction = try reader.interaction(number) else {
                throw EditProblem(line: lines[0].number, reason: "there is no interaction \(number)")
            }
            let original = try reader.text(of: interaction)
            guard EditedText.isCurrent(digest, original) else {
                throw EditProblem(
                    line: lines[0].number,
                    reason: "interaction \(number) has been changed since this text was made"
                )
            }
            let edit = try InteractionEdit(
                lines,
                original: original,
                interaction.content,
                requestBody: try reader.bytes(of: interaction.requestBody, limit: BodyText.limit),
                responseBody: try reader.bytes(of: interaction.responseBody, limit: BodyText.limit)
            )
            if let edit { edits.append((number, try reader.fingerprint(of: number), edit)) }
        }
        return edits
    }
}
