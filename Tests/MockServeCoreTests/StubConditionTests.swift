import HTTPMessages
import Testing

@testable import MockServeCore

/// What stubs can ask for besides equality.
@Suite struct StubConditionTests {
    private static func pattern(_ text: String) -> TextCondition {
        (try? TextPattern(text)).map { .matches($0) } ?? .absent
    }

    @Test(
        arguments: [
            (TextCondition.equals("a"), [["a"], ["b", "a"]], [[], ["b"], ["A"], ["a "]]),
            (.equals("Äb", ignoresCase: true), [["äB"]], [["ab"]]),
            (.contains("b"), [["abc"], ["x", "b"]], [[], ["ac"]]),
            (.contains(""), [["x"], [""]], [[]]), (pattern("a.*"), [["a"], ["abc"]], [["ba"], ["a\nb"], []]),
            (pattern("a|b"), [["a"], ["b"]], [["ab"]]), (.present, [[""], ["x"]], [[]]), (.absent, [[]], [[""]]),
            (.not(.equals("a")), [[], ["b"]], [["a"], ["b", "a"]]),
            (.all([.contains("a"), .contains("b")]), [["ab"], ["a", "b"]], [["a"]]),
            (.any([.equals("a"), .equals("b")]), [["b"]], [["c"], []]), (.all([]), [[], ["x"]], []),
        ] as [(TextCondition, [[String]], [[String]])]
    )
    func textsAreCompared(_ condition: TextCondition, _ met: [[String]], _ unmet: [[String]]) throws {
        for values in met { #expect(condition.isMet(by: values.map { Array($0.utf8) }), "\(values)") }
        for values in unmet { #expect(!condition.isMet(by: values.map { Array($0.utf8) }), "\(values)") }
        #expect(try TextCondition(condition.json) == condition)
    }

    private func request(_ target: String, _ fields: [(String, String)] = [], _ body: String = "") -> AskedRequest {
        AskedRequest(
            RequestHead(method: Array("POST".utf8), target: Array(target.utf8), fields: Fields(fields)),
            body: Array(body.utf8)
        )
    }

    @Test func pathsTargetsAndCookiesAreLookedAt() {
        let path = StubConditions(path: Self.pattern("/a/[0-9]+"))
        #expect(path.areMet(by: request("/a/1?x=/b")) && !path.areMet(by: request("/a/b")))
        let target = StubConditions(target: "/a?x=1")
        #expect(target.areMet(by: request("/a?x=1")) && !target.areMet(by: request("/a?x=1&y")))
        #expect(target.areMet(by: request("http://host/a?x=1")))
        let cookies = StubConditions(cookies: ["b": "2", "c": .absent])
        #expect(cookies.areMet(by: request("/", [("Cookie", "a=1; b=2")])))
        #expect(cookies.areMet(by: request("/", [("Cookie", "a=1"), ("cookie", "b=2;d")])))
        #expect(!cookies.areMet(by: request("/", [("Cookie", "b=2; c=")])))
        let several = StubConditions(fields: ["X": "two"])
        #expect(several.areMet(by: request("/", [("x", "one"), ("X", "two")])))
    }

    /// - Parameter condition: of what is there; nil if it is enough that something is.
    private static func at(_ text: String, _ condition: TextCondition? = nil) -> BodyCondition {
        JSONPath(text).map { .path($0, condition) } ?? .bytes([])
    }

    @Test(
        arguments: [
            (BodyCondition.unordered([1, ["a": [2, 3]]]), #"[{"a": [3, 2]}, 1.0]"#, #"[{"a": [3, 2, 4]}, 1]"#),
            (.containingUnordered(["a": [2]]), #"{"a": [1, 2], "b": 0}"#, #"{"a": [1]}"#),
            (at("$.a[*].b"), #"{"a": [{}, {"b": null}]}"#, #"{"a": [{}]}"#),
            (at("$..b", "x"), #"{"a": [{"b": 1}, {"b": "x"}]}"#, #"{"b": "y"}"#),
            (at("$.n", "1"), #"{"n": 1}"#, #"{"n": 2}"#), (.text(.contains("x")), "axb", "ab"),
            (.text(.absent), "", "a"), (.text("a"), "a", "b"),
        ]
    )
    func bodiesAreCompared(_ condition: BodyCondition, _ met: String, _ unmet: String) throws {
        #expect(condition.isMet(by: request("/", [], met)))
        #expect(!condition.isMet(by: request("/", [], unmet)))
        let conditions = StubConditions(body: condition)
        #expect(try StubConditions(json: conditions.json) == conditions)
        let two = StubConditions(path: "/", bodies: [condition, .bytes([0xFF])])
        #expect(try StubConditions(json: two.json) == two)
    }

    @Test(
        arguments: [
            #"{}"#, #"{"priority":-3}"#, #"{"requires":{"a":null,"b":"x"},"sets":{"a":"y","b":null}}"#,
            #"{"wait":"100ms..2s"}"#, #"{"wait":"about 200ms sigma 0.25"}"#, #"{"fault":"close after 10"}"#,
            #"{"fault":"reset"}"#,
        ]
    )
    func behaviorIsReadAsItIsWritten(_ json: String) throws {
        #expect(try StubBehavior(json: json).json == json)
    }

    @Test(
        arguments: [
            "[]", "{", #"{"newer":1}"#, #"{"priority":1.5}"#, #"{"priority":9999999999}"#, #"{"requires":{"a":1}}"#,
            #"{"wait":"x"}"#,
            #"{"fault":"delay 1s"}"#, #"{"fault":"status 500"}"#, #"{"fault":"reset times 2"}"#,
        ]
    )
    func otherBehaviorIsRefused(_ json: String) { #expect(throws: StubError.self) { try StubBehavior(json: json) } }

    @Test(arguments: ["a)|(b", "(", "a{2,1}", "[", "(?=a)"]) func otherExpressionsAreRefused(_ text: String) {
        #expect(throws: StubError.self) { try TextPattern(text) }
    }

    /// Wherever it stands.
    @Test(
        arguments: [
            StubConditions(query: ["a": .not(.contains("SECRET"))]),
            StubConditions(fields: ["X": .any(["b", "SECRET"])]),
            StubConditions(path: .all([.contains("b"), .not("/x/SECRET")])),
            StubConditions(cookies: ["c": .any(["d", "SECRET"])]),
            StubConditions(target: .not("/a?q=SECRET")),
            StubConditions(body: .text(.not(.any(["x", "SECRET"])))),
            StubConditions(bodies: [.bytes([1]), .form(["a": .any(["b", "SECRET"])])]),
            StubConditions(body: at("$.a", .not("SECRET"))),
            StubConditions(body: .unordered([["a": "SECRET"]])),
        ]
    )
    func secretsAreFoundInAllThatIsAskedFor(_ conditions: StubConditions) throws {
        let redactor = try #require(RuleSet([try Rule(.redact, "catalog:\(RedactionCatalog.version)")]).redactor)
        let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
        let written = try StubConditions(json: conditions.json.replacing("SECRET", with: secret))
        let asking = try StubDefinition("GET /x", written, ResponseHead(status: 200))
        #expect(try asking.asksForSecret(redactor, PlaceholderBook()))
        let plain = try StubConditions(json: conditions.json.replacing("SECRET", with: "plain"))
        // Cookies are secrets, whatever they are.
        let isPlain = try !StubDefinition("GET /x", plain, ResponseHead(status: 200)).asksForSecret(
            redactor,
            PlaceholderBook()
        )
        #expect(isPlain == conditions.cookies.isEmpty)
        var behavior = StubBehavior()
        behavior.sets["step"] = secret
        let keeping = try StubDefinition("GET /x", StubConditions(), ResponseHead(status: 200), behavior: behavior)
        #expect(try keeping.asksForSecret(redactor, PlaceholderBook()))
    }

    @Test func deepConditionsAreRefused() {
        let deep = String(repeating: #"{"not":"#, count: 100) + #""a""# + String(repeating: "}", count: 100)
        #expect(throws: StubError.self) { try StubConditions(json: #"{"path":\#(deep)}"#) }
    }

    @Test func secretsThatAreAskedForCanBeRelaxed() throws {
        let redactor = try #require(RuleSet([try Rule(.redact, "catalog:\(RedactionCatalog.version)")]).redactor)
        let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
        func stub(_ conditions: StubConditions) throws -> StubDefinition {
            try StubDefinition("GET /x", conditions, ResponseHead(status: 200))
        }
        let asking = try stub(
            StubConditions(query: ["a": "1"], fields: ["Authorization": .equals("Bearer \(secret)"), "X": "y"])
        )
        #expect(try asking.asksForSecret(redactor, PlaceholderBook()))
        let relaxed = try asking.acceptingAnySecret(redactor, PlaceholderBook())
        #expect(
            relaxed?.conditions == StubConditions(query: ["a": "1"], fields: ["Authorization": .present, "X": "y"])
        )
        let target = try stub(StubConditions(target: .equals("/x?api_key=\(secret)&b=2")))
        #expect(
            try target.acceptingAnySecret(redactor, PlaceholderBook())?.conditions
                == StubConditions(query: ["api_key": .present, "b": "2"])
        )
        let body = try stub(StubConditions(body: .text(.contains(secret))))
        #expect(try body.acceptingAnySecret(redactor, PlaceholderBook()) == nil)
        #expect(try !stub(StubConditions(fields: ["X": "y"])).asksForSecret(redactor, PlaceholderBook()))
    }
}
