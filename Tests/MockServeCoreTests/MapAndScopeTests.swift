import ContentCoding
import HTTPMessages
import MockServeCore
import Testing

@Suite struct MapAndScopeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let action: Rule.Action
        let rule: String
        /// Under the rule, the first two are the same and the third differs.
        let one: Asked
        let two: Asked
        let other: Asked

        init(_ action: Rule.Action, _ rule: String, _ one: Asked, _ two: Asked, other: Asked) {
            self.action = action
            self.rule = rule
            self.one = one
            self.two = two
            self.other = other
        }

        var testDescription: String { "\(action.rawValue) \(rule)" }
    }

    static let maps: [Case] = [
        Case(.map, "query:at s/[0-9]+/N/", .get("/?at=1"), .get("/?at=22"), other: .get("/?at=x")),
        Case(.map, "query s/[0-9]+/N/", .get("/?a=1&b=2"), .get("/?b=3&a=4"), other: .get("/?a=1&c=2")),
        Case(
            .map,
            "path s#/[0-9a-f]{8}-[0-9a-f-]{27}#/UUID#",
            .get("/users/0b6b6a0e-8f2c-4c57-9c93-0a6a4b1a0001/posts"),
            .get("/users/6b6a0e0b-2c8f-574c-939c-4b1a00010a6a/posts"),
            other: .get("/users/me/posts")
        ),
        Case(
            .map,
            "json:$..id s/.*/X/",
            .json("{\"id\":\"a\",\"n\":1}"),
            .json("{\"n\":1.0,\"id\":\"b\"}"),
            other: .json("{\"id\":\"a\",\"n\":2}")
        ),
        // Numbers are mapped by their spelling, strings by their content; both may give the same.
        Case(
            .map,
            "json:$.t s/^[0-9.]+$/T/",
            .json("{\"t\":1}"),
            .json("{\"t\":\"23.5\"}"),
            other: .json("{\"t\":\"x\"}")
        ),
        Case(
            .map,
            "json:$[*].at s/T.*//",
            .json("[{\"at\":\"2026-01-01T10:00Z\"}]"),
            .json("[{\"at\":\"2026-01-01T11:00Z\"}]"),
            other: .json("[{\"at\":\"2026-01-02T10:00Z\"}]")
        ),
        Case(.map, "form:t s/[0-9]+/N/", .form("t=1&a=1"), .form("a=1&t=2"), other: .form("t=1&a=2")),
        Case(
            .map,
            "part:file s/[0-9]+/N/",
            .multipart("A", [("file", "v1"), ("k", "1")]),
            .multipart("B", [("file", "v2"), ("k", "1")]),
            other: .multipart("A", [("file", "v1"), ("k", "2")])
        ),
        Case(
            .map,
            "body s/<at>[^<]*/<at>/",
            .text("<a><at>1</at></a>"),
            .text("<a><at>2</at></a>"),
            other: .text("<b><at>1</at></b>")
        ),
        Case(
            .map,
            "field:X-Day s/(..)-../\\1/",
            Asked.get("/").with("x-day", "01-02"),
            Asked.get("/").with("X-Day", "01-03"),
            other: Asked.get("/").with("X-Day", "02-02")
        ),
        // A backslash makes the separator an ordinary character, and stays before any other character.
        Case(.map, "path s/\\/v\\d+\\//\\/v\\//", .get("/v1/a"), .get("/v22/a"), other: .get("/vx/a")),
    ]

    @Test(arguments: maps) func mapsBeforeComparing(_ example: Case) throws {
        let rules = RuleSet([try Rule(example.action, example.rule)])
        #expect(example.one.key(rules) == example.two.key(rules))
        #expect(example.one.key(rules) != example.other.key(rules))
        // Fields do not count without a rule.
        #expect((example.one.key == example.two.key) == example.rule.hasPrefix("field:"))
    }

    @Test func mapsACompressedBody() throws {
        let rules = RuleSet([try Rule(.map, "json:$.id s/.*/X/")])
        let plain = Asked.json("{\"id\":1}")
        let packed = Asked.json("{\"id\":2}").coded(.zstd)
        #expect(packed.key(rules) == plain.key(rules))
    }

    /// An expression may match nothing everywhere, and its replacement may be of any length: memory stays bounded.
    @Test func boundsWhatAMapMakes() throws {
        let long = String(repeating: "x", count: 4000)
        let rules = RuleSet([try Rule(.map, "body s/(a|b)*/\(long)/")])
        let (one, two) = (
            Asked.text(String(repeating: "c", count: 100_000)), Asked.text(String(repeating: "d", count: 100_000))
        )
        #expect(one.key(rules) == one.key(rules) && one.key(rules) != two.key(rules))
    }

    static let scoped: [Case] = [
        Case(.ignore, "query:ts for GET /a/*", .get("/a/b?ts=1"), .get("/a/b?ts=2"), other: .get("/a/c?ts=1")),
        Case(.ignore, "query for * /x/**", .get("/x/1/2?a"), .get("/x/1/2?b"), other: .get("/x/1/3?b")),
        Case(.ignore, "body for POST /", .json("[1]"), .json("[2]"), other: .get("/")),
    ]

    @Test(arguments: scoped) func holdsForSomeRequestsOnly(_ example: Case) throws {
        try mapsBeforeComparing(example)
        let elsewhere = RuleSet([
            try Rule(example.action, example.rule.split(separator: " for ")[0] + " for GET /other")
        ])
        #expect(example.one.key(elsewhere) != example.two.key(elsewhere))
    }

    @Test(arguments: [
        ("GET /users/*", "GET", "/users/1", true), ("GET /users/*", "GET", "/users/1?a=/b", true),
        ("GET /users/*", "GET", "/users/1/2", false), ("GET /users/*", "POST", "/users/1", false),
        ("GET /users/*", "GET", "/users", false), ("GET /users/*", "GET", "/users/", true),
        ("* /users", "DELETE", "/users", true), ("* /**", "GET", "/", true), ("* /**", "GET", "/a/b/c", true),
        ("GET /v1/**", "GET", "/v1", true), ("GET /v1/**", "GET", "/v1x", false),
        ("GET /**/raw", "GET", "/raw", true), ("GET /**/raw", "GET", "/a/b/raw", true),
        ("GET /**/raw", "GET", "/a/b/raw/c", false), ("GET /a*c", "GET", "/abbc", true),
        ("GET /a*c", "GET", "/ac", true),
        ("GET /a*c", "GET", "/abcd", false), ("GET /*.json", "GET", "/a.json", true), ("GET /a*a", "GET", "/a", false),
        ("GET /%7Euser", "GET", "/~user", true), ("GET /~user", "GET", "/%7euser", true),
        ("GET /a*b*c", "GET", "/axxbyybc", true), ("GET /a*b*c", "GET", "/axxbyyb", false),
        ("GET /**/a/**/b", "GET", "/x/a/y/z/b", true), ("GET /**/a/**/b", "GET", "/x/a/y/z", false),
    ])
    func knowsRequestsByAPattern(_ pattern: String, _ method: String, _ target: String, _ matches: Bool) throws {
        let pattern = try #require(RequestPattern(pattern))
        #expect(pattern.matches(method: Array(method.utf8), target: Array(target.utf8)) == matches)
    }

    @Test(arguments: ["", "GET", "GET ", "GET a", "GET /a b", "G ET /", " /", "GET /a?b", "GE(T /"])
    func refusesWhatIsNoPattern(_ text: String) { #expect(RequestPattern(text) == nil) }

    @Test(arguments: [
        (Rule.Action.map, "query:a"), (.map, "query:a s/b"), (.map, "query:a s/b/c"), (.map, "query:a s/(/x/"),
        (.map, "query:a s/b/\\2/"), (.map, "query:a s//x/"), (.map, "nothing s/a/b/"), (.map, "query:a s/a{1001}/b/"),
        (.map, "query:a s/((a{100}){100}){100}/b/"), (.require, "query:a"), (.require, "field:a b"), (.ignore, "path"),
        (.ignore, "query:a for GET"), (.play, "cycle"), (.play, "strict for GET /"), (.play, "often for GET /"),
    ])
    func refusesWhatIsNoRule(_ action: Rule.Action, _ text: String) {
        if action == .ignore, text.hasSuffix("GET") {
            // Without a path, that is a parameter with an odd name.
            #expect((try? Rule(action, text))?.scope == nil)
        } else {
            #expect(throws: RuleError.self) { try Rule(action, text) }
        }
    }

    @Test(
        arguments: maps.map { ($0.action, $0.rule) } + scoped.map { ($0.action, $0.rule) } + [
            (Rule.Action.map, "path s/a\\/#|!,~@%/b/ for GET /x"), (.play, "cycle for GET /a"),
            (.require, "field:Accept for * /**"),
        ]
    )
    func readsWhatItWrote(_ action: Rule.Action, _ text: String) throws {
        let rule = try Rule(action, text)
        #expect(try Rule(action, rule.text) == rule)
    }

    @Test func playsSomeAnswersInAWayOfTheirOwn() throws {
        let rules = RuleSet([try Rule(.play, "cycle for GET /a"), try Rule(.play, "once for * /**")])
        #expect(rules.playback(MatchKeyBuilder(Asked.get("/a?x").head)) == .cycle)
        #expect(rules.playback(MatchKeyBuilder(Asked.get("/b").head)) == .once)
        #expect(RuleSet.none.playback(MatchKeyBuilder(Asked.get("/b").head)) == nil)
    }
}

@Suite struct NestedMultipartTests {
    private func mail(_ outer: String, _ inner: String, text: String = "hi") -> Asked {
        let nested = "--\(inner)\r\nContent-Type: text/plain\r\n\r\n\(text)\r\n--\(inner)--"
        let body =
            "--\(outer)\r\nContent-Type: multipart/alternative; boundary=\"\(inner)\"\r\n\r\n\(nested)\r\n"
            + "--\(outer)\r\nContent-Disposition: attachment; name=f\r\n\r\ndata\r\n--\(outer)--\r\n"
        var asked = Asked(method: "POST", target: "/")
        asked.fields = [("Content-Type", "multipart/mixed; boundary=\(outer)")]
        asked.body = Array(body.utf8)
        return asked
    }

    @Test func noBoundaryCounts() {
        #expect(mail("A", "B").key == mail("C", "D").key)
        #expect(mail("A", "B").key != mail("A", "B", text: "ho").key)
    }

    /// Beyond a depth bodies are compared by bytes.
    @Test func nestingIsBounded() {
        func nested(_ depth: Int, _ boundary: String) -> Asked {
            var body = "x"
            for level in 0..<depth {
                let type = level == 0 ? "text/plain" : "multipart/mixed; boundary=\(boundary)\(level - 1)"
                body = "--\(boundary)\(level)\r\nContent-Type: \(type)\r\n\r\n\(body)\r\n--\(boundary)\(level)--"
            }
            var asked = Asked(method: "POST", target: "/")
            asked.fields = [("Content-Type", "multipart/mixed; boundary=\(boundary)\(depth - 1)")]
            asked.body = Array(body.utf8)
            return asked
        }
        #expect(nested(8, "A").key == nested(8, "B").key)
        #expect(nested(200, "A").key != nested(200, "B").key)
    }
}

@Suite struct VariantTests {
    @Test func agreesByTheFieldsOfVary() throws {
        let recorded: Fields = ["Accept-Language": "de", "X": "1"]
        let variant = try #require(Variant(of: ["Vary": "Origin, ACCEPT-language"], to: recorded, .none))
        #expect(variant.names == "accept-language,origin")
        #expect(Variant(variant.names, of: ["accept-language": " de", "x": "2"]) == variant)
        #expect(Variant(variant.names, of: ["Accept-Language": "en"]) != variant)
        #expect(Variant(variant.names, of: ["Accept-Language": "de", "Origin": ""]) != variant)
        #expect(Variant("a", of: Fields([("A", "1"), ("A", "2")])) == Variant("a", of: ["A": "1, 2"]))
    }

    @Test func doesNotVaryByEverythingOrNothing() {
        #expect(Variant(of: ["Vary": "*"], to: [:], .none) == nil)
        #expect(Variant(of: ["Vary": "Accept, *"], to: [:], .none) == nil)
        #expect(Variant(of: ["Vary": " , "], to: [:], .none) == nil)
        #expect(Variant(of: [:], to: [:], .none) == nil)
    }
}
