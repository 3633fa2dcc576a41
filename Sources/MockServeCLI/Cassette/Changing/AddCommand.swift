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
              mockserve cassette add demo.cassette --curl "curl -H 'Accept: text/csv' https://api.example.com/users" --text 'id,name'
              mockserve cassette add demo.cassette --request 'POST /users' --request-json '{"name": "Ada"}' --status 201
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Option(help: ArgumentHelp("The request it answers.", valueName: "method target"))
    var request: String?

    @Option(help: ArgumentHelp("The request it answers, as a command line of curl.", valueName: "command"))
    var curl: String?

    @Option(name: .customLong("request-json"), help: ArgumentHelp("The JSON body of that request.", valueName: "json"))
    var requestJSON: String?

    @OptionGroup var answer: AnswerOptions

    @Option(help: ArgumentHelp("Answer for this upstream only.", valueName: "url"))
    var upstream: String?

    @OptionGroup(title: "Secrets") var redaction: RedactOptions
    @OptionGroup(title: "Secrets") var secrets: SecretOptions

    func validate() throws {
        try AnswerOptions.checkJSON("--request-json", requestJSON)
        guard (request == nil) != (curl == nil) else {
            throw ValidationError("Which request? Give --request 'GET /users/1' or --curl 'curl …'.")
        }
        guard curl == nil || requestJSON == nil else {
            throw ValidationError("With --curl, the body is in its command line.")
        }
        _ = try asked
        if let upstream, Origin(upstream) == nil {
            throw ValidationError("--upstream takes scheme, host and port, such as https://api.example.com.")
        }
    }

    func run() throws {
        try ExitStatus.reporting {
            let (response, body) = try answer.response()
            var redacted: [String: Int] = [:]
            let number = try write(try asked, response, body, &redacted)
            Console.say("mockserve: interaction \(number) added to \(cassette)")
            WrittenAnswer.say(redacted: redacted)
        }
    }

    private func write(
        _ request: (head: RequestHead, body: [UInt8], origin: Origin?),
        _ response: ResponseHead,
        _ body: [UInt8],
        _ redacted: inout [String: Int]
    ) throws -> Int64 {
        let origin = try chosenUpstream(request.origin)
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let upstreams = origin.map { [Upstream(name: "default", origin: $0)] } ?? []
        let writer = try CassetteWriter(
            path: cassette,
            mode: .hand,
            upstreams: upstreams,
            rules: try WrittenAnswer.rules(redaction, secrets, for: cassette),
            secrets: KnownSecrets(try secrets.declared(), learned: LearnedSecrets()),
            now: now
        )
        let outcome = Mutex<Result<Int64, CassetteError>?>(nil)
        do {
            let interaction = try writer.interaction(
                origin: origin?.description ?? "",
                request: request.head,
                body: request.body,
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

    /// The given upstream; otherwise that of the request if the cassette knows it, or the only one that it knows; nil for
    /// any.
    private func chosenUpstream(_ asked: Origin?) throws -> Origin? {
        if let upstream { return Origin(upstream) }
        guard let reader = try WrittenAnswer.existing(cassette) else { return nil }
        defer { reader.close() }
        let known = try reader.upstreams()
        if let asked, known.contains(where: { $0.origin == asked }) { return asked }
        return known.count == 1 ? known[0].origin : nil
    }

    private var asked: (head: RequestHead, body: [UInt8], origin: Origin?) {
        get throws {
            if let curl { return try CurlCommandLine(curl).request() }
            return (try requestHead, requestJSON.map { Array($0.utf8) } ?? [], nil)
        }
    }

    private var requestHead: RequestHead {
        get throws {
            let request = request ?? ""
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
}
