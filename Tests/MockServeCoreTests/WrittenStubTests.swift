import HTTPMessages
import MockServeCore
import Testing

/// Stubs as a cassette keeps them.
@Suite struct WrittenStubTests {
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
            ("{", "cannot be read"), ("[]", "not of a shape"), (#"{"query": {"a": 1}}"#, "not of a shape"),
            (#"{"path": "/a"}"#, "`path` is no condition that is known"),
            (#"{"json": 1, "text": "a"}"#, "more than one condition of the body"),
            (#"{"base64": "?"}"#, "cannot be read"),
        ]
    )
    func otherConditionsAreRefused(_ json: String, _ reason: String) {
        let error = #expect(throws: StubError.self) { try StubConditions(json: json) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test(
        arguments: [
            ("GET", 200, 0, "no method and path"), ("GET users", 200, 0, "does not begin with `/`"),
            ("GET /a?b=1", 200, 0, "more than a path"), ("G T /a", 200, 0, "does not begin"),
            ("GET /{a", 200, 0, "a segment of its own"), ("GET /a", 199, 0, "its status is 199"),
            ("GET /a", 1000, 0, "its status is 1000"), ("GET /a", 200, -1, "an hour is the most"),
            ("GET /" + String(repeating: "a", count: 5000), 200, 0, "no method and path"),
        ]
    )
    func whatIsNoStubIsRefused(_ pattern: String, _ status: Int, _ delay: Int, _ reason: String) {
        let error = #expect(throws: StubError.self) {
            try WrittenStub(pattern, StubConditions(), ResponseHead(status: status), delay: delay)
        }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func anyMethodIsAStar() throws {
        #expect(try WrittenStub("* /a/**", StubConditions(), ResponseHead(status: 204)).method == nil)
        #expect(try WrittenStub("* /a/**", StubConditions(), ResponseHead(status: 204)).pattern == "* /a/**")
        #expect(try WrittenStub("GET /{x}", StubConditions(), ResponseHead(status: 204)).pattern == "GET /{x}")
    }

    private func redacted(_ stub: WrittenStub, _ text: String) throws -> (WrittenStub, String, [String]) {
        let rules = RuleSet([try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")])
        let redactor = try #require(rules.redactor)
        var (stub, body) = (stub, Array(text.utf8))
        let notes = try stub.redact(redactor, &body, PlaceholderBook([:]))
        return (stub, String(decoding: body, as: UTF8.self), notes.notes.map(\.place))
    }

    @Test func secretsOfTheAnswerAreReplaced() throws {
        let fields = Fields([("Set-Cookie", "sid=0123456789abcdef0123"), ("Content-Length", "44")])
        let stub = try WrittenStub("GET /t", StubConditions(), ResponseHead(status: 200, fields: fields))
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
        let (changed, _, places) = try redacted(try WrittenStub("POST /t", conditions, ResponseHead(status: 200)), "ok")
        #expect(!places.isEmpty && places.allSatisfy { $0.hasPrefix("request") }, "\(places)")
        #expect(changed.conditions == conditions)
    }
}
