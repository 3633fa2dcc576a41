import CassetteFormats
import HTTPMessages
import MockServeCore
import Testing

/// Stubs in the formats of other tools answer the same requests when they come back, unless it was said that something is lost.
@Suite struct StubRoundTripTests {
    struct Sample: Sendable {
        let pattern: String
        var conditions = StubConditions()
        /// `METHOD TARGET`, fields and body of requests that it answers, and of others that it does not.
        let met: [(String, [(String, String)], String)]
        let unmet: [(String, [(String, String)], String)]
        /// Formats that cannot say it.
        var lostBy: Set<String> = []
    }

    private static func pattern(_ text: String) -> TextCondition {
        (try? TextPattern(text)).map { .matches($0) } ?? .absent
    }

    private static let json = [("Content-Type", "application/json")]

    static let samples = [
        Sample(
            pattern: "GET /a",
            met: [("GET /a", [], ""), ("HEAD /a?x=1", [], "")],
            unmet: [("POST /a", [], ""), ("GET /a/b", [], "")]
        ),
        Sample(
            pattern: "* /users/{id}/keys",
            met: [("PUT /users/1/keys", [], "")],
            unmet: [("PUT /users/1/2/keys", [], "")]
        ),
        Sample(
            pattern: "GET /files/**",
            met: [("GET /files/a/b", [], ""), ("GET /files", [], "")],
            unmet: [("GET /file", [], "")]
        ),
        Sample(
            pattern: "GET /**",
            conditions: StubConditions(path: pattern("/a[0-9]+")),
            met: [("GET /a1?x", [], "")],
            unmet: [("GET /a", [], "")]
        ),
        Sample(
            pattern: "GET /t",
            conditions: StubConditions(target: "/t?x=1&y=a%20b"),
            met: [("GET /t?x=1&y=a%20b", [], "")],
            unmet: [("GET /t?x=2&y=a%20b", [], "")],
            lostBy: ["hoverfly", "httpmock"]
        ),
        Sample(
            pattern: "GET /q",
            conditions: StubConditions(query: ["a": "1", "b": .present]),
            met: [("GET /q?b&a=1&c=2", [], "")],
            unmet: [("GET /q?a=1", [], ""), ("GET /q?a=2&b", [], "")]
        ),
        Sample(
            pattern: "GET /h",
            conditions: StubConditions(fields: ["Accept": .contains("json")]),
            met: [("GET /h", [("accept", "text/json; q=1")], "")],
            unmet: [("GET /h", [("accept", "text")], ""), ("GET /h", [], "")],
            lostBy: ["httpmock"]
        ),
        Sample(
            pattern: "GET /not",
            conditions: StubConditions(query: ["a": .not("1"), "b": .absent]),
            met: [("GET /not?a=2", [], "")],
            unmet: [("GET /not?a=1", [], ""), ("GET /not?a=2&b=1", [], "")],
            lostBy: ["hoverfly", "httpmock"]
        ),
        Sample(
            pattern: "GET /any",
            conditions: StubConditions(fields: ["X": .any([.equals("a", ignoresCase: true), pattern("b+")])]),
            met: [("GET /any", [("X", "A")], ""), ("GET /any", [("X", "bb")], "")],
            unmet: [("GET /any", [("X", "c")], "")],
            lostBy: ["hoverfly", "httpmock"]
        ),
        Sample(
            pattern: "GET /c",
            conditions: StubConditions(cookies: ["s": "1"]),
            met: [("GET /c", [("Cookie", "a=b; s=1")], "")],
            unmet: [("GET /c", [("Cookie", "s=2")], "")],
            lostBy: ["hoverfly"]
        ),
        Sample(
            pattern: "POST /j",
            conditions: StubConditions(body: .json(["a": [1, 2], "b": nil])),
            met: [("POST /j", json, #"{"b": null, "a": [1, 2.0]}"#)],
            unmet: [("POST /j", json, #"{"b": null, "a": [2, 1]}"#)]
        ),
        Sample(
            pattern: "POST /p",
            conditions: StubConditions(body: .containing(["a": ["b": 1]])),
            met: [("POST /p", json, #"{"a": {"b": 1, "c": 2}}"#)],
            unmet: [("POST /p", json, #"{"a": {"b": 2}}"#)]
        ),
        Sample(
            pattern: "POST /u",
            conditions: StubConditions(body: .unordered([1, 2])),
            met: [("POST /u", json, "[2, 1]")],
            unmet: [("POST /u", json, "[2, 1, 3]")],
            lostBy: ["hoverfly", "httpmock"]
        ),
        Sample(
            pattern: "POST /text",
            conditions: StubConditions(bodies: [.text(.contains("one")), .text(pattern("(?s).*two.*"))]),
            met: [("POST /text", [], "one\ntwo")],
            unmet: [("POST /text", [], "one"), ("POST /text", [], "two")]
        ),
        Sample(
            pattern: "POST /exact",
            conditions: StubConditions(body: .bytes(Array("é\n".utf8))),
            met: [("POST /exact", [], "é\n")],
            unmet: [("POST /exact", [], "é")]
        ),
        Sample(
            pattern: "POST /form",
            conditions: StubConditions(body: .form(["a": "1"])),
            met: [],
            unmet: [],
            lostBy: ["hoverfly", "httpmock", "wiremock"]
        ),
    ]

    private func asked(_ request: (String, [(String, String)], String)) -> AskedRequest {
        let words = request.0.split(separator: " ")
        return AskedRequest(
            RequestHead(method: Array(words[0].utf8), target: Array(words[1].utf8), fields: Fields(request.1)),
            body: Array(request.2.utf8)
        )
    }

    private func answers(_ stub: StubDefinition, _ request: AskedRequest) -> Bool {
        let isMethod = stub.method.map { $0 == request.method || $0 == "GET" && request.method == "HEAD" } ?? true
        return isMethod && stub.path.match(request.path) != nil && stub.conditions.areMet(by: request)
    }

    @Test(arguments: ["wiremock", "hoverfly", "httpmock"], samples.map(\.pattern)) func answersTheSame(
        _ name: String,
        _ pattern: String
    ) throws {
        let sample = try #require(Self.samples.first { $0.pattern == pattern })
        let format = try #require(KnownFormats.writable(name))
        let reader = try #require(KnownFormats.readable(name))
        let fields = Fields([("Content-Type", "text/plain"), ("X-A", "1"), ("X-A", "2")])
        let head = ResponseHead(status: 203, reason: ReasonPhrase.standard(203), fields: fields)
        let stub = try StubDefinition(sample.pattern, sample.conditions, head, delay: 7)
        for request in sample.met { #expect(answers(stub, asked(request))) }
        for request in sample.unmet { #expect(!answers(stub, asked(request))) }
        let writing = try Writing(MemoryContents(stubs: [WholeStub(stub, body: Array("body".utf8))]), format)
        #expect(writing.losses.isEmpty != sample.lostBy.contains(name), "\(writing.losses)")
        let mapping = writing.files.first { $0.key.hasPrefix("mappings/0") }?.value
        guard let text = mapping ?? (writing.bytes.isEmpty ? nil : writing.bytes) else { return }
        let back = try Reading(text, format: reader)
        #expect(back.losses.isEmpty, "\(back.losses)")
        guard let read = back.stubs.first else {
            #expect(sample.lostBy.contains(name))
            return
        }
        #expect(read.definition.response == head && read.definition.delay == 7 && read.body == Array("body".utf8))
        for request in sample.met { #expect(answers(read.definition, asked(request)), "\(request)") }
        for request in sample.unmet { #expect(!answers(read.definition, asked(request)), "\(request)") }
    }

    @Test(
        arguments: [
            #"{"priority":1}"#, #"{"requires":{"a":null},"sets":{"a":"x"}}"#,
            #"{"requires":{"a":"x"},"sets":{"a":null}}"#,
            #"{"wait":"10ms..20ms"}"#, #"{"wait":"about 10ms sigma 0.25"}"#, #"{"fault":"reset"}"#,
            #"{"fault":"garbage"}"#,
            #"{"fault":"unfinished-chunks"}"#,
        ]
    )
    func behaviorComesBackFromWireMock(_ json: String) throws {
        let behavior = try StubBehavior(json: json)
        let stub = try StubDefinition("GET /a", StubConditions(), ResponseHead(status: 200), behavior: behavior)
        let writing = try Writing(MemoryContents(stubs: [WholeStub(stub, body: Array("body".utf8))]), WireMock())
        #expect(writing.losses.isEmpty)
        let text = try #require(writing.files["mappings/00001-get-a.json"])
        #expect(try Reading(text).stubs.map(\.definition.behavior) == [behavior])
    }

    @Test(arguments: ["wiremock", "hoverfly"]) func repeatedRequestsAreAnsweredInTurn(_ name: String) throws {
        let format = try #require(KnownFormats.writable(name))
        let interactions = ["one", "two", "three"].map { text in
            WholeInteraction(
                origin: "http://a",
                request: RequestHead(method: Array("GET".utf8), target: Array("/n".utf8)),
                response: ResponseHead(status: 200, reason: Array("OK".utf8)),
                responseBody: Array(text.utf8)
            )
        }
        let writing = try Writing(MemoryContents(interactions: interactions), format)
        let texts = writing.files.isEmpty ? [writing.bytes] : writing.files.sorted { $0.key < $1.key }.map(\.value)
        let stubs = try texts.flatMap { try Reading($0).stubs }
        var state: [String: String] = [:]
        var answers: [String] = []
        for _ in 0..<4 {
            let stub = try #require(stubs.first { $0.definition.behavior.requires.allSatisfy { state[$0] == $1 } })
            for (name, value) in stub.definition.behavior.sets { state[name] = value }
            answers.append(String(decoding: stub.body, as: UTF8.self))
        }
        #expect(answers == ["one", "two", "three", "three"])
    }
}
