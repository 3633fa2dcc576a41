import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore
import Synchronization

struct AddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Write an answer by hand.",
        discussion: """
            The cassette is made if there is none. The body comes from --json, --text, --file or, with `--file -`, from \
            standard input; without any of them it is empty. Content-Length is set, and Content-Type unless --header \
            gives it. Several answers to the same request are given one after another. Secrets are redacted as when \
            recording: by the rules of the cassette, and in a new one by default.

            EXAMPLE
              mockserve cassette add demo.cassette --request 'GET /users/1' --json '{"id": 1}'
              mockserve cassette add demo.cassette --request 'POST /users' --request-json '{"name": "Ada"}' --status 201
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Option(help: ArgumentHelp("The request it answers.", valueName: "method target"))
    var request: String

    @Option(name: .customLong("request-json"), help: ArgumentHelp("The JSON body of that request.", valueName: "json"))
    var requestJSON: String?

    @Option(help: "Status of the answer, 200 to 599.")
    var status = 200

    @Option(name: [.long, .customShort("H")], help: ArgumentHelp("A field of the answer.", valueName: "name: value"))
    var header: [String] = []

    @Option(help: "A JSON body.")
    var json: String?

    @Option(help: "A text body.")
    var text: String?

    @Option(help: "A body from a file, or `-` for standard input.", completion: .file())
    var file: String?

    @Option(help: ArgumentHelp("Answer for this upstream only.", valueName: "url"))
    var upstream: String?

    @OptionGroup(title: "Secrets") var redaction: RedactOptions
    @OptionGroup(title: "Secrets") var secrets: SecretOptions

    func validate() throws {
        guard (200...599).contains(status) else { throw ValidationError("--status takes 200 to 599, not \(status).") }
        guard [json, text, file].compactMap({ $0 }).count <= 1 else {
            throw ValidationError("Give one of --json, --text and --file.")
        }
        for (name, value) in [("--json", json), ("--request-json", requestJSON)] {
            guard let value else { continue }
            do {
                _ = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
            } catch {
                throw ValidationError("\(name) is not JSON: \(value.prefix(60))")
            }
        }
        _ = try requestHead
        _ = try fields
        if let upstream, Origin(upstream) == nil {
            throw ValidationError("--upstream takes scheme, host and port, such as https://api.example.com.")
        }
    }

    func run() throws {
        try ExitStatus.reporting {
            let body = try body
            let head = try requestHead
            var response = ResponseHead(status: status, reason: ReasonPhrase.standard(status), fields: try fields)
            if let type = defaultType, !response.fields.contains("content-type") {
                response.fields.append("Content-Type", type)
            }
            if !ResponseHead.isBodyless(status: status), !response.fields.contains("content-length") {
                response.fields.append("Content-Length", String(body.count))
            }
            var redacted: [String: Int] = [:]
            let number = try write(head, response, body, &redacted)
            Console.say("mockserve: interaction \(number) added to \(cassette)")
            let told = redacted.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            if !told.isEmpty { Console.say("mockserve: redacted: " + told.joined(separator: ", ")) }
        }
    }

    /// The rules to add: what was asked for, and in a new or empty cassette the default redaction, as in a recording.
    private var rules: [Rule] {
        get throws {
            let asked = try redaction.rules + secrets.declared().map { try Rule(.redact, part: "secret:\($0.kind)") }
            let older = try existing()
            defer { older?.close() }
            guard !redaction.noDefaultRedaction else {
                if let error = try older.flatMap({ try MockServeError(stoppingRedactionOf: $0) }) { throw error }
                return asked
            }
            guard try older?.isEmpty() ?? true else { return asked }
            return [try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")] + asked
        }
    }

    /// Nil if there is no file, or it is empty.
    private func existing() throws -> CassetteReader? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: cassette)
        guard let size = attributes?[.size] as? Int, size > 0 else { return nil }
        return try CassetteReader(path: cassette)
    }

    private func write(
        _ request: RequestHead,
        _ response: ResponseHead,
        _ body: [UInt8],
        _ redacted: inout [String: Int]
    ) throws -> Int64 {
        let origin = try chosenUpstream()
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let upstreams = origin.map { [Upstream(name: "default", origin: $0)] } ?? []
        let writer = try CassetteWriter(
            path: cassette,
            mode: .hand,
            upstreams: upstreams,
            rules: try rules,
            secrets: KnownSecrets(try secrets.declared(), learned: LearnedSecrets()),
            now: now
        )
        let outcome = Mutex<Result<Int64, CassetteError>?>(nil)
        do {
            let interaction = try writer.interaction(
                origin: origin?.description ?? "",
                request: request,
                body: requestJSON.map { Array($0.utf8) } ?? [],
                response: response,
                responseBody: body,
                recordedAt: now
            )
            redacted = interaction.content.redactions.counts
            writer.commit(interaction) { result in outcome.withLock { $0 = result } }
        } catch {
            // A refused answer leaves nothing behind.
            _ = try? writer.finish(keeping: false, now: now)
            throw error
        }
        try writer.finish(keeping: true, now: now)
        guard let result = outcome.withLock({ $0 }) else {
            throw CassetteError(.unwritable, path: cassette, "the answer was not written.")
        }
        return try result.get()
    }

    /// The given upstream; otherwise the only one that the cassette knows; nil for any.
    private func chosenUpstream() throws -> Origin? {
        if let upstream { return Origin(upstream) }
        guard let reader = try existing() else { return nil }
        defer { reader.close() }
        let known = try reader.upstreams()
        return known.count == 1 ? known[0].origin : nil
    }

    private var requestHead: RequestHead {
        get throws {
            let words = request.split(separator: " ")
            guard words.count == 2, isToken(Array(words[0].utf8)), words[1].hasPrefix("/"),
                words[1].utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
            else {
                throw ValidationError("--request takes method and target, such as 'GET /users/1', not `\(request)`.")
            }
            var fields = Fields()
            if requestJSON != nil { fields.append("Content-Type", "application/json") }
            return RequestHead(
                method: Array(words[0].uppercased().utf8),
                target: Array(words[1].utf8),
                fields: fields
            )
        }
    }

    private var fields: Fields {
        get throws {
            var fields = Fields()
            for line in header {
                guard let colon = line.firstIndex(of: ":"), isToken(Array(line[..<colon].utf8)) else {
                    throw ValidationError("--header takes 'Name: value', not `\(line)`.")
                }
                let value = trimmingSpace(Array(line[line.index(after: colon)...].utf8))
                guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                    throw ValidationError("--header has a control character in its value: `\(line[..<colon])`.")
                }
                fields.append(name: line[..<colon].utf8, value: value)
            }
            return fields
        }
    }

    private var defaultType: String? {
        if json != nil { return "application/json" }
        if text != nil { return "text/plain; charset=utf-8" }
        return file == nil ? nil : "application/octet-stream"
    }

    private var body: [UInt8] {
        get throws {
            if let json { return Array(json.utf8) }
            if let text { return Array(text.utf8) }
            guard let file else { return [] }
            do {
                if file == "-" { return Array(try FileHandle.standardInput.readToEnd() ?? Data()) }
                return Array(try Data(contentsOf: URL(fileURLWithPath: file)))
            } catch {
                throw MockServeError(
                    .cassetteUnreadable,
                    "--file \(file) cannot be read: \(error.localizedDescription)",
                    cause: error
                )
            }
        }
    }
}
