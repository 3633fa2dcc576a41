import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

struct ScanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract: "Look for secrets in cassettes.",
        discussion: """
            Lists where there is something that recording would have redacted, never what it is, and ends with status 3 if \
            there is anything: for continuous integration and for hooks that run before a commit. It goes on after a body \
            that cannot be read, and ends with status 66 then.

            EXAMPLE
              mockserve cassette scan cassettes/*.cassette
              mockserve cassette scan github.cassette --secret-env API_TOKEN
              mockserve cassette scan --sarif cassettes/*.cassette > secrets.sarif
            """
    )

    @Argument(help: "Cassette files.", completion: .file(extensions: ["cassette"]))
    var cassettes: [String]

    @OptionGroup var options: RedactOptions
    @OptionGroup var secrets: SecretOptions

    func validate() throws {
        guard !cassettes.isEmpty else { throw ValidationError("Which cassettes? Give their files.") }
        guard !json || !sarif else {
            throw ValidationError("--json and --sarif are two forms of the same: give one of them.")
        }
    }

    @Flag(help: "Print one JSON object a line: cassette, interaction or stub, place, and kind and how, or unread.")
    var json = false

    @Flag(help: "Print a SARIF 2.1.0 log, which hosts of code show beside the files.")
    var sarif = false

    func run() throws {
        let (found, unread) = try ExitStatus.reporting {
            var rules = try options.rules
            if !options.noDefaultRedaction {
                rules.append(try Rule(.redact, part: "catalog:\(RedactionCatalog.version)"))
            }
            let known = KnownSecrets(try secrets.declared(), learned: LearnedSecrets())
            var report = ScanReport(form: sarif ? .sarif : json ? .json : .text)
            for path in cassettes { try scan(path, rules, known, &report) }
            report.end()
            return (report.count, report.unreadCount)
        }
        // What could not be looked at may hold anything.
        if unread > 0 { throw ExitStatus.unreadable.code }
        if found > 0 { throw ExitStatus.misses.code }
    }

    private func scan(
        _ path: String,
        _ rules: [Rule],
        _ known: KnownSecrets,
        _ report: inout ScanReport
    ) throws {
        let reader = try CassetteReader(path: path)
        defer { reader.close() }
        let found = try SecretScan.findings(reader, rules, known)
        for (subject, note) in found.notes { report.add(note, path, subject) }
        for (subject, place, reason) in found.unread { report.add(unread: reason, path, subject, place) }
    }
}

/// What a scan has found, in one of the forms in which it is printed as it is found.
private struct ScanReport {
    enum Form {
        case text
        case json
        case sarif
    }

    private struct Line: Encodable {
        let cassette: String
        var interaction: Int64?
        var stub: Int64?
        let place: String
        var kind: String?
        var how: String?
        /// Why it could not be looked at.
        var unread: String?

        init(_ cassette: String, _ subject: SecretScan.Subject, _ place: String) {
            (self.cassette, self.place) = (cassette, place)
            switch subject {
            case .interaction(let number): interaction = number
            case .stub(let number): stub = number
            }
        }

        var subject: String { stub.map { "stub \($0)" } ?? "interaction \(interaction ?? 0)" }

        var shortSubject: String { stub.map { "stub \($0)" } ?? "#\(interaction ?? 0)" }
    }

    let form: Form
    private(set) var count = 0
    private(set) var unreadCount = 0
    private var lines: [Line] = []

    init(form: Form) { self.form = form }

    mutating func add(_ note: RedactionNotes.Note, _ path: String, _ subject: SecretScan.Subject) {
        count += 1
        var line = Line(path, subject, note.place)
        line.kind = SecretScan.kind(of: note)
        line.how = note.how
        add(line)
    }

    mutating func add(unread reason: String, _ path: String, _ subject: SecretScan.Subject, _ place: String) {
        unreadCount += 1
        var line = Line(path, subject, place)
        line.unread = reason
        add(line)
    }

    private mutating func add(_ line: Line) {
        switch form {
        case .text:
            let what = line.kind ?? "not looked at: \(line.unread ?? "")"
            Console.print(
                "\(Console.safe(line.cassette)): \(line.shortSubject): \(Console.safe(line.place)): \(Console.safe(what))"
            )
        case .json: Console.print(Self.encode(line))
        case .sarif: lines.append(line)
        }
    }

    private static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// SARIF is one document.
    func end() {
        guard form == .sarif else { return }
        let results = lines.map { line in
            let text = line.kind.map { "A secret (\($0)) in the \(line.place) of \(line.subject)" }
            let why = "The \(line.place) of \(line.subject) was not looked at: \(line.unread ?? "")"
            return Sarif.Result(
                ruleId: line.kind ?? "unread",
                level: line.kind == nil ? "warning" : "error",
                message: Sarif.Text(text: text ?? why),
                locations: [Sarif.Location(line.cassette)]
            )
        }
        Console.print(Self.encode(Sarif(results)))
    }
}

/// As much of the Static Analysis Results Interchange Format (OASIS, SARIF 2.1.0) as is needed.
private struct Sarif: Encodable {
    struct Text: Encodable {
        let text: String
    }

    struct Location: Encodable {
        struct Physical: Encodable {
            struct Artifact: Encodable {
                let uri: String
            }

            let artifactLocation: Artifact
        }

        let physicalLocation: Physical

        init(_ path: String) {
            let uri = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
            physicalLocation = Physical(artifactLocation: .init(uri: uri))
        }
    }

    struct Result: Encodable {
        let ruleId: String
        let level: String
        let message: Text
        let locations: [Location]
    }

    struct Run: Encodable {
        struct Tool: Encodable {
            struct Driver: Encodable {
                struct Rule: Encodable {
                    let id: String
                }

                var name = "mockserve"
                let rules: [Rule]
            }

            let driver: Driver
        }

        let tool: Tool
        let results: [Result]
    }

    private enum CodingKeys: String, CodingKey {
        case schema = "$schema"
        case version
        case runs
    }

    let schema = "https://json.schemastore.org/sarif-2.1.0.json"
    let version = "2.1.0"
    let runs: [Run]

    init(_ results: [Result]) {
        let rules = Set(results.map(\.ruleId)).sorted().map { Run.Tool.Driver.Rule(id: $0) }
        runs = [Run(tool: .init(driver: .init(rules: rules)), results: results)]
    }
}
