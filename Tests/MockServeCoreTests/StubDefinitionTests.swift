import HTTPMessages
import MockServeCore
import Testing

/// Stubs as a cassette keeps them.
@Suite struct StubDefinitionTests {
    private func request(
        _ method: String = "POST",
        _ target: String = "/",
        _ fields: [(String, String)] = [],
        _ body: String = ""
    ) -> AskedRequest {
        AskedRequest(
            RequestHead(method: Array(method.utf8), target: Array(target.utf8), fields: Fields(fields)),
            body: Array(body.utf8)
        )
    }

    private let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8")

    @Test func conditionsAreMetByWhatHasThem() {
        let query = StubConditions(query: ["q": "a b", "page": "2"])
        #expect(query.areMet(by: request("GET", "/?page=2&q=a+b&x=1")))
        #expect(query.areMet(by: request("GET", "/?page=1&page=2&q=a%20b")))
        #expect(!query.areMet(by: request("GET", "/?page=2")))
        #expect(query.areMet(by: request("GET", "http://host/?page=2&q=a+b")))
        let fields = StubConditions(fields: ["X-Kind": "one, two"])
        #expect(fields.areMet(by: request("GET", "/", [("x-kind", "one"), ("X-KIND", "two")])))
        #expect(!fields.areMet(by: request("GET", "/", [("x-kind", "One, two")])))
        let json = StubConditions(body: .json(["a": 1, "b": [nil, 2.5]]))
        #expect(json.areMet(by: request("POST", "/", [], #"{ "b": [null, 2.50], "a": 1.0 }"#)))
        #expect(!json.areMet(by: request("POST", "/", [], #"{"a": 1, "b": [null, 2.5], "c": 0}"#)))
        #expect(!json.areMet(by: request("POST", "/", [], "{")))
        let containing = StubConditions(body: .containing(["a": ["b": 1]]))
        #expect(containing.areMet(by: request("POST", "/", [], #"{"a": {"b": 1, "c": 2}, "d": 3}"#)))
        #expect(!containing.areMet(by: request("POST", "/", [], #"{"a": 1}"#)))
        let pairs = StubConditions(body: .form(["a": "1 2"]))
        #expect(pairs.areMet(by: request("POST", "/", [form], "b=&a=1+2")))
        #expect(!pairs.areMet(by: request("POST", "/", [], "b=&a=1+2")))
        let bytes = StubConditions(body: .bytes([0xFF, 0]))
        #expect(bytes.areMet(by: AskedRequest(request().head, body: [0xFF, 0])))
        #expect(!bytes.areMet(by: AskedRequest(request().head, body: [0xFF])))
        #expect(StubConditions().areMet(by: request()))
    }

    @Test(
        arguments: [
            StubConditions(), StubConditions(query: ["a": "é\""], fields: ["X-A": "b"]),
            StubConditions(body: .json([1, nil, true, "x", 1.5])), StubConditions(body: .containing(["a": [:]])),
            StubConditions(body: .form(["a": "b"])), StubConditions(body: .bytes(Array("text".utf8))),
            StubConditions(body: .bytes([0xFF, 0xFE])), StubConditions(body: .bytes([])),
            StubConditions(body: .json(nil)),
        ]
    )
    func conditionsAreReadAsTheyAreWritten(_ conditions: StubConditions) throws {
        #expect(try StubConditions(json: conditions.json) == conditions)
    }

    @Test(
        arguments: [
            ("{", "cannot be read"), ("[]", "not of a shape"),
            (#"{"query": {"a": 1}}"#, "neither a string nor an object"),
            (#"{"newer": "/a"}"#, "`newer` is not a condition that is known"),
            (#"{"path": {"newer": "/a"}}"#, "`newer` is not a condition that is known"),
            (#"{"path": {"equals": "a", "contains": "b"}}"#, "not exactly one kind: contains, equals"),
            (#"{"query": {"a": {"matches": "("}}}"#, "the expression `(` cannot be used"),
            (#"{"query": {"a": {"contains": "a", "ignore_case": true}}}"#, "not exactly one kind"),
            (#"{"json_path": "a"}"#, "is not a path into JSON"),
            (#"{"json": 1, "is": "a"}"#, "`is` goes with `json_path`"),
            (#"{"json": 1, "text": "a"}"#, "more than one condition of the body"),
            (#"{"body": [1]}"#, "not a list of objects"), (#"{"base64": "?"}"#, "not base64"),
        ]
    )
    func otherConditionsAreRefused(_ json: String, _ reason: String) {
        let error = #expect(throws: StubError.self) { try StubConditions(json: json) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test(
        arguments: [
            ("GET", 200, 0, "no method and path"), ("GET users", 200, 0, "does not begin with `/`"),
            ("GET /a?b=1", 200, 0, "more than a path"), ("GET /a/*/b", 200, 0, "write a name in braces"),
            ("G T /a", 200, 0, "does not begin"),
            ("GET /{a", 200, 0, "a segment of its own"), ("GET /a", 199, 0, "its status is 199"),
            ("GET /a", 1000, 0, "its status is 1000"), ("GET /a", 200, -1, "an hour is the most"),
            ("GET /" + String(repeating: "a", count: 5000), 200, 0, "no method and path"),
        ]
    )
    func whatIsNoStubIsRefused(_ pattern: String, _ status: Int, _ delay: Int, _ reason: String) {
        let error = #expect(throws: StubError.self) {
            try StubDefinition(pattern, StubConditions(), ResponseHead(status: status), delay: delay)
        }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    /// What a field shows to be secret, in all the other places.
    @Test func whatOnePartShowsIsReplacedInTheOthers() throws {
        let secret = "Qx7LmPz93kVbNt55rWyUeHh21"
        let fields = Fields([("X-Before", secret), ("Set-Cookie", "session=\(secret)")])
        let stub = try StubDefinition("GET /x", StubConditions(), ResponseHead(status: 200, fields: fields))
        let (changed, body, _) = try redacted(stub, "your session is \(secret)")
        #expect(!body.contains(secret))
        #expect(!FieldsJSON.encode(changed.response.fields).contains(secret))
        for conditions in [
            StubConditions(query: ["z": secret], body: nil), StubConditions(fields: ["X": secret], body: nil),
            StubConditions(body: .bytes(Array(secret.utf8))),
            StubConditions(fields: ["Content-Type": "image/png"], body: .json(["password": .string(secret)])),
        ] {
            let asking = try StubDefinition("GET /x", conditions, ResponseHead(status: 200, fields: fields))
            #expect(try redacted(asking, "").2.contains { $0.hasPrefix("request") }, "\(conditions)")
        }
        let path = try StubDefinition("GET /a/\(secret)", StubConditions(), ResponseHead(status: 200, fields: fields))
        #expect(try redacted(path, "").2.contains { $0.hasPrefix("request") })
    }

    @Test(
        arguments: [
            ("null", JSONValue.null), (" [1, -0, 1.5e1, 1E-2] ", [1, 0, 15, 0.01]),
            (#""a\"\\\/\n\u00e9\ud83d\ude00\ud83d""#, "a\"\\/\né😀\u{FFFD}"),
            ("\u{FEFF}{\"a\":{\"b\":[]},\"a\":1}", ["a": 1]), ("9223372036854775807", JSONValue.integer(.max)),
            ("18446744073709551616", JSONValue.number(18446744073709551616)),
        ] as [(String, JSONValue)]
    )
    func jsonIsRead(_ text: String, _ value: JSONValue) {
        #expect(JSONValue(Array(text.utf8)) == value)
    }

    @Test(
        arguments: [
            "", "nul", "01", "1.", "+1", "1e", "[1,]", "{\"a\":1,}", "{a:1}", "\"\u{1}\"", #""\x""#, #""\u12g4""#,
            #""\u+123""#, "1 2", "[",
            "\"", "1e999", String(repeating: "[", count: 600) + String(repeating: "]", count: 600),
        ]
    )
    func whatIsNoJSONIsNotRead(_ text: String) { #expect(JSONValue(Array(text.utf8)) == JSONValue?.none) }

    @Test func stringsAreComparedAsTheyAre() {
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
        #expect(
            JSONValue(Array(String(repeating: "[", count: 511).utf8) + Array(String(repeating: "]", count: 511).utf8))
                != nil
        )
        let text = JSONValue.object(["b": [1, nil, "x"], "a": 1.5])
        #expect(JSONValue(text.text) == text)
    }

    @Test func howAnAnswerIsFramedIsNotSaid() {
        let chunked = ResponseHead(status: 200, fields: Fields([("Transfer-Encoding", "chunked")]))
        #expect(throws: StubError.self) { try StubDefinition("GET /a", StubConditions(), chunked) }
        let trailers = Fields([("Content-Length", "5")])
        #expect(throws: StubError.self) {
            try StubDefinition("GET /a", StubConditions(), ResponseHead(status: 200), trailers: trailers)
        }
        #expect(throws: StubError.self) {
            try StubDefinition(
                "GET " + String(repeating: "/a", count: 300),
                StubConditions(),
                ResponseHead(status: 200)
            )
        }
        #expect(throws: StubError.self) {
            try StubDefinition(
                "GHP_0123456789ABCDEFGHIJABCDEFGHIJ012345 /a",
                StubConditions(),
                ResponseHead(status: 200)
            )
        }
    }

    @Test func whatCannotBeWrittenIsRefused() {
        let conditions = StubConditions(body: .json(.number(.infinity)))
        #expect(throws: StubError.self) { try StubDefinition("GET /a", conditions, ResponseHead(status: 200)) }
    }

    @Test func cookiesAreJoinedInTheirOwnWay() {
        let conditions = StubConditions(fields: ["Cookie": "a=1; b=2"])
        #expect(conditions.areMet(by: request("GET", "/", [("Cookie", "a=1"), ("cookie", "b=2")])))
    }

    @Test func anyMethodIsAStar() throws {
        #expect(try StubDefinition("* /a/**", StubConditions(), ResponseHead(status: 204)).method == nil)
        #expect(try StubDefinition("* /a/**", StubConditions(), ResponseHead(status: 204)).pattern == "* /a/**")
        #expect(try StubDefinition("GET /{x}", StubConditions(), ResponseHead(status: 204)).pattern == "GET /{x}")
    }

    private func redacted(_ stub: StubDefinition, _ text: String) throws -> (StubDefinition, String, [String]) {
        let secrets = KnownSecrets([], learned: LearnedSecrets())
        let rules = RuleSet([try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")], secrets: secrets)
        let redactor = try #require(rules.redactor)
        var (stub, body) = (stub, Array(text.utf8))
        let notes = try stub.redact(redactor, &body, PlaceholderBook([:]))
        return (stub, String(decoding: body, as: UTF8.self), notes.notes.map(\.place))
    }

    @Test func secretsOfTheAnswerAreReplaced() throws {
        let fields = Fields([("Set-Cookie", "sid=0123456789abcdef0123"), ("Content-Length", "44")])
        let stub = try StubDefinition("GET /t", StubConditions(), ResponseHead(status: 200, fields: fields))
        let (changed, body, places) = try redacted(stub, #"{"access_token":"tz9Lk2mQ8vXw4Rb7"}"#)
        #expect(!body.contains("tz9Lk2mQ8vXw4Rb7"))
        #expect(body.contains("redacted."))
        #expect(changed.response.fields.first("content-length").map { Latin1.string($0) } == String(body.utf8.count))
        #expect(
            changed.response.fields.first("set-cookie").map { Latin1.string($0) }?.contains("0123456789abcdef") == false
        )
        #expect(Set(places) == ["response field Set-Cookie", "response body"])
        let (same, text, none) = try redacted(stub, "plain")
        #expect(text == "plain")
        #expect(none == ["response field Set-Cookie"])
        #expect(same.pattern == stub.pattern)
    }

    @Test(
        arguments: [
            StubConditions(query: ["access_token": "tz9Lk2mQ8vXw4Rb7"]),
            StubConditions(fields: ["Authorization": "Bearer tz9Lk2mQ8vXw4Rb7"]),
            StubConditions(body: .containing(["password": "tz9Lk2mQ8vXw4Rb7"])),
            StubConditions(body: .form(["client_secret": "tz9Lk2mQ8vXw4Rb7"])),
            StubConditions(body: .bytes(Array("ghp_0123456789abcdefghijABCDEFGHIJ012345".utf8))),
        ]
    )
    func secretsOfConditionsAreTold(_ conditions: StubConditions) throws {
        let (changed, _, places) = try redacted(
            try StubDefinition("POST /t", conditions, ResponseHead(status: 200)),
            "ok"
        )
        #expect(!places.isEmpty && places.allSatisfy { $0.hasPrefix("request") }, "\(places)")
        #expect(changed.conditions == conditions)
    }
}
