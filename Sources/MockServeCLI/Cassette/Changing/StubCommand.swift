import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

struct StubCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stub",
        abstract: "Write answers for patterns of requests.",
        discussion: """
            A stub answers every request of its pattern, before the recordings are looked at, whenever the cassette is \
            replayed: also in the mode missing. Of several that fit, the one with the lowest priority number answers, and of \
            these the newest. A replay that is running \
            notices what is added and removed.

            EXAMPLE
              mockserve cassette stub add demo.cassette 'GET /users/{id}' --json '{"name": "Ada"}'
              mockserve cassette stub list demo.cassette
              mockserve cassette stub remove demo.cassette 1
            """,
        subcommands: [AddStubCommand.self, ListStubsCommand.self, RemoveStubCommand.self]
    )
}

struct AddStubCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a stub.",
        discussion: """
            The cassette is made if there is none. In the path, {name} is any segment, and ** at the end any number of \
            them; the method * is any. GET answers HEAD, too. All conditions must be met. The body comes from --json, \
            --text, --file or, with `--file -`, from standard input; without any of them it is empty. Content-Length is set, \
            and Content-Type unless --header gives it. Secrets in the answer are redacted as when recording; none may be \
            in a condition.

            EXAMPLE
              mockserve cassette stub add demo.cassette 'GET /users/{id}' --json '{"name": "Ada"}'
              mockserve cassette stub add demo.cassette 'POST /charges' --request-json-containing '{"amount": 5}' --status 402
              mockserve cassette stub add demo.cassette '* /metrics/**' --status 204 --delay 200ms
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Argument(help: ArgumentHelp("The requests it answers.", valueName: "method path"))
    var pattern: String

    @Option(help: ArgumentHelp("A parameter that the query must have, among others.", valueName: "name=value"))
    var query: [String] = []

    @Option(
        name: .customLong("request-header"),
        help: ArgumentHelp("A field that the request must have.", valueName: "name: value")
    )
    var requestHeader: [String] = []

    @Option(
        name: .customLong("request-json"),
        help: ArgumentHelp("What the JSON of its body must be.", valueName: "json")
    )
    var requestJSON: String?

    @Option(
        name: .customLong("request-json-containing"),
        help: ArgumentHelp("What the JSON of its body must have in it, at least.", valueName: "json")
    )
    var requestJSONContaining: String?

    @Option(
        name: .customLong("request-form"),
        help: ArgumentHelp("A field that the form in its body must have, among others.", valueName: "name=value")
    )
    var requestForm: [String] = []

    @Option(name: .customLong("request-text"), help: ArgumentHelp("What its body must be.", valueName: "text"))
    var requestText: String?

    @Option(
        name: .customLong("if"),
        help: ArgumentHelp(
            """
            What else the request must have, as `stub list` shows it: {"fields": {"Accept": {"contains": "json"}}}. Not with the \
            options above.
            """,
            valueName: "json"
        )
    )
    var conditionsJSON: String?

    @Option(
        name: .customLong("with"),
        help: ArgumentHelp(
            #"What it does besides, as `stub list` shows it: {"priority": 1}, {"fault": "reset"}, {"sets": {"job": "done"}}."#,
            valueName: "json"
        )
    )
    var behavior: String?

    @Option(help: ArgumentHelp("How long the answer waits, such as 200ms or 1.5s.", valueName: "time"))
    var delay: String?

    @OptionGroup(title: "Answer") var answer: AnswerOptions
    @OptionGroup(title: "Secrets") var redaction: RedactOptions
    @OptionGroup(title: "Secrets") var secrets: SecretOptions

    func validate() throws {
        _ = try stub(ResponseHead(status: 200))
    }

    func run() throws {
        try ExitStatus.reporting {
            let (head, body) = try answer.response()
            let (number, redacted) = try CassetteEditor.add(
                try stub(head),
                body: body,
                rules: try WrittenAnswer.rules(redaction, secrets, for: cassette),
                secrets: try secrets.declared(),
                to: cassette
            )
            Console.say("mockserve: stub \(number) added to \(cassette)")
            WrittenAnswer.say(redacted: redacted)
        }
    }

    private func stub(_ head: ResponseHead) throws -> StubDefinition {
        let words = pattern.split(separator: " ", maxSplits: 1)
        let pattern = words.count == 2 ? words[0].uppercased() + " " + words[1] : pattern
        var wait = 0
        if let delay {
            guard let time = FaultWait.time(delay[...]) else {
                throw ValidationError("--delay takes a time, such as 200ms or 1.5s, an hour at most, not `\(delay)`.")
            }
            wait = Int((time / .milliseconds(1)).rounded(.up))
        }
        do {
            let behavior = try behavior.map { json throws(StubError) in try StubBehavior(json: json) } ?? StubBehavior()
            return try StubDefinition(pattern, try conditions, head, delay: wait, behavior: behavior)
        } catch let error as StubError {
            throw ValidationError("This is no stub: \(error).")
        }
    }

    private var conditions: StubConditions {
        get throws {
            var fields: [String: String] = [:]
            for line in requestHeader {
                let (name, value) = try AnswerOptions.field(line, "--request-header")
                let text = String(decoding: name, as: UTF8.self)
                guard !fields.keys.contains(where: { equalsIgnoringCase($0.utf8, name) }) else {
                    throw ValidationError("--request-header has \(text) twice.")
                }
                fields[text] = String(decoding: value, as: UTF8.self)
            }
            var bodies: [BodyCondition] = []
            if let requestJSON { bodies.append(.json(try Self.json(requestJSON, "--request-json"))) }
            if let requestJSONContaining {
                bodies.append(.containing(try Self.json(requestJSONContaining, "--request-json-containing")))
            }
            if !requestForm.isEmpty {
                bodies.append(.form(try Self.pairs(requestForm, "--request-form").mapValues { .equals($0) }))
            }
            if let requestText { bodies.append(.bytes(Array(requestText.utf8))) }
            guard bodies.count <= 1 else {
                throw ValidationError(
                    "Give one of --request-json, --request-json-containing, --request-form and --request-text."
                )
            }
            let conditions = StubConditions(query: try Self.pairs(query, "--query"), fields: fields, body: bodies.first)
            guard let conditionsJSON else { return conditions }
            guard conditions.isEmpty else { throw ValidationError("Give all conditions in --if, or none.") }
            return try StubConditions(json: conditionsJSON)
        }
    }

    private static func json(_ text: String, _ option: String) throws -> JSONValue {
        guard let value = JSONValue(Array(text.utf8)) else {
            throw ValidationError("\(option) is not JSON: \(text.prefix(60))")
        }
        return value
    }

    private static func pairs(_ texts: [String], _ option: String) throws -> [String: String] {
        var pairs: [String: String] = [:]
        for text in texts {
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw ValidationError("\(option) takes NAME=VALUE, not `\(text)`.")
            }
            let name = String(text[..<equals])
            guard pairs.updateValue(String(text[text.index(after: equals)...]), forKey: name) == nil else {
                throw ValidationError("\(option) has \(name) twice.")
            }
        }
        return pairs
    }
}

struct ListStubsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the stubs of a cassette.",
        discussion: """
            With --json every line is a JSON object with the whole answer in it.

            EXAMPLE
              mockserve cassette stub list demo.cassette
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Flag(help: "One JSON object a line.")
    var json = false

    func run() throws {
        try ExitStatus.reporting {
            let reader = try CassetteReader(path: cassette)
            defer { reader.close() }
            if !json { Console.print("   # STUB                             STATUS TYPE             SIZE") }
            for stored in try reader.stubs() {
                Console.print(json ? object(stored, try reader.body(of: stored)) : line(stored))
            }
        }
    }

    private func line(_ stored: StoredStub) -> String {
        let stub = stored.stub
        let type = stub.response.fields.first("content-type").map { Latin1.string(MediaType($0).essence.utf8) } ?? "-"
        var line = [
            String(stored.number).padded(4, right: true), Console.safe(stub.pattern).padded(32),
            String(stub.response.status).padded(6), Console.safe(type).padded(16),
            ByteCount.text(stored.body?.size ?? 0),
        ].joined(separator: " ")
        if stub.delay > 0 { line += " after \(stub.delay)ms" }
        if !stub.behavior.isUsual { line += " with " + Console.safe(stub.behavior.json) }
        if !stub.conditions.isEmpty { line += " if " + Console.safe(stub.conditions.json) }
        return line
    }

    private func object(_ stored: StoredStub, _ body: [UInt8]) -> String {
        let stub = stored.stub
        let text = String(validating: body, as: UTF8.self)
        let members: [(String, String)] = [
            ("id", String(stored.number)),
            ("pattern", JSONText.string(stub.pattern)),
            ("conditions", stub.conditions.isEmpty ? "null" : stub.conditions.json),
            ("status", String(stub.response.status)),
            ("reason", stub.response.reason.map { JSONText.string(Latin1.string($0)) } ?? "null"),
            ("response_fields", FieldsJSON.encode(stub.response.fields)),
            (text == nil ? "body_base64" : "body", JSONText.string(text ?? Data(body).base64EncodedString())),
            ("response_trailers", stub.trailers.isEmpty ? "null" : FieldsJSON.encode(stub.trailers)),
            ("delay_ms", String(stub.delay)),
            ("behavior", stub.behavior.isUsual ? "null" : stub.behavior.json),
        ]
        return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }
}

struct RemoveStubCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove stubs.",
        discussion: """
            Takes numbers and ranges as `list` shows them. If one of the numbers, or of the ends of a range, does not exist, \
            nothing is removed.

            EXAMPLE
              mockserve cassette stub remove demo.cassette 1 3-5
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Argument(help: ArgumentHelp("Numbers of stubs, or ranges of them.", valueName: "n|n-m"))
    var numbers: [String]

    @Flag(name: .customLong("dry-run"), help: "Say what would be removed, and remove nothing.")
    var dryRun = false

    func validate() throws {
        guard !numbers.isEmpty else { throw ValidationError("Which stubs? Give their numbers.") }
        _ = try NumberRanges.parse(numbers)
    }

    func run() throws {
        try ExitStatus.reporting {
            let removed = try CassetteEditor.removeStubs(
                try NumberRanges.parse(numbers),
                isDryRun: dryRun,
                from: cassette
            )
            Console.say(
                "mockserve: \(Counted.text(removed, "stub")) \(dryRun ? "would be " : "")removed from \(cassette)"
            )
        }
    }
}
