import ContentCoding
import HTTPMessages
import Testing

@testable import MockServeCore

/// What keys of version 2 are made of, and that those of version 1 stay as they are.
@Suite struct KeyVersionTests {
    private static func rules(_ texts: String...) throws -> RuleSet {
        let ignored = try texts.map { try Rule(.ignore, $0) }
        return RuleSet([try Rule(.require, "key:2")] + ignored)
    }

    private func post(_ fields: [(String, String)], _ body: String = "{}") -> Asked {
        Asked(method: "POST", fields: fields, body: Array(body.utf8))
    }

    @Test(arguments: [
        "X-Amz-Target", "SOAPAction", "soapaction", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override",
        "X-RestLi-Method", "Depth", "Destination", "X-Amz-Copy-Source", "x-amz-copy-source-range", "x-ms-copy-source",
        "x-goog-copy-source", "X-Goog-Upload-Command", "X-Goog-Upload-Offset", "Upload-Offset", "Content-Range",
    ])
    func fieldsThatNameTheOperationCount(_ name: String) throws {
        let (one, other, none) = (post([(name, "A")]), post([(name, "B")]), post([]))
        let rules = try Self.rules()
        #expect(one.key(rules) != other.key(rules) && one.key(rules) != none.key(rules))
        #expect(one.key(rules) == post([("X-Other", "1"), (name, "A")]).key(rules))
        // Unless a rule says that they do not count.
        let relaxed = try Self.rules("field:\(name)")
        #expect(one.key(relaxed) == other.key(relaxed) && one.key(relaxed) == none.key(relaxed))
        // As in version 1.
        #expect(one.key == other.key && one.key == none.key)
    }

    @Test func secretsInThemDoNotCount() throws {
        let rules = RuleSet([try Rule(.require, "key:2"), try Rule(.redact, "catalog:2")])
        func copy(_ secret: String) -> Asked { post([("X-Ms-Copy-Source", "https://a.example/c/b?v=1&sig=\(secret)")]) }
        #expect(copy("one").key(rules) == copy("other").key(rules))
        #expect(copy("one").key(rules) == copy("[redacted:sig:1]").key(rules))
        #expect(copy("one").key(rules) != post([("X-Ms-Copy-Source", "https://a.example/c/d?v=1&sig=one")]).key(rules))
    }

    @Test func theOperationOfSOAP12Counts() throws {
        func soap(_ action: String) -> Asked {
            post([("Content-Type", "application/soap+xml; action=\"\(action)\"")], "<a/>")
        }
        let rules = try Self.rules()
        #expect(soap("urn:a").key(rules) != soap("urn:b").key(rules))
    }

    @Test(arguments: [
        "application/json", "application/x-amz-json-1.0", "application/vnd.api+json", "text/plain",
        "application/octet-stream", "application/x-www-form-urlencoded", "application/x-ndjson", "",
    ])
    func JSONIsComparedAsJSONWhateverItIsCalled(_ type: String) throws {
        let rules = try Self.rules()
        func asked(_ body: String) -> Asked { post(type.isEmpty ? [] : [("Content-Type", type)], body) }
        #expect(asked(#"{"a": 1, "b": [2]}"#).key(rules) == asked(#" {"b":[2.0],"a":1}"#).key(rules))
        #expect(asked(#"{"a": 1}"#).key(rules) != asked(#"{"a": 2}"#).key(rules))
        #expect(asked(#"{"a": 1}"#).coded(.gzip).key(rules) == asked(#"{"a":1}"#).coded(.gzip).key(rules))
        let relaxed = try Self.rules("json:$.a")
        #expect(asked(#"{"a": 1, "b": 2}"#).key(relaxed) == asked(#"{"a": 7, "b": 2}"#).key(relaxed))
    }

    @Test func linesOfJSONAreComparedByTheirValues() throws {
        let rules = try Self.rules()
        func lines(_ body: String) -> MatchKey { post([("Content-Type", "application/x-ndjson")], body).key(rules) }
        #expect(lines("{\"a\":1,\"b\":2}\n{\"c\":3}\n") == lines("{\"b\":2,\"a\":1}\r\n{ \"c\": 3 }"))
        #expect(lines("{\"a\":1}\n{\"c\":3}") != lines("{\"c\":3}\n{\"a\":1}"))
        #expect(lines("{\"a\":1}\n") == lines("{\"a\":1}"))
    }

    @Test func whatOnlyBeginsLikeJSONIsComparedByItsLabel() throws {
        let rules = try Self.rules()
        func form(_ body: String) -> MatchKey {
            post([("Content-Type", "application/x-www-form-urlencoded")], body).key(rules)
        }
        #expect(form("{x}=1&b=2") == form("b=2&%7Bx%7D=1"))
        #expect(Asked.text("{ one").key(rules) != Asked.text("{one").key(rules))
    }

    @Test(arguments: [0, 300 << 10, 9 << 20])
    func aKeyDoesNotDependOnHowABodyIsCut(_ spaces: Int) throws {
        let rules = try Self.rules()
        for end in ["{\"a\":1}", "x"] {
            let body = [UInt8](repeating: 0x20, count: spaces) + Array(end.utf8)
            let head = Asked(method: "POST").head
            let keys = Set(
                [1 << 12, 65536, 1 << 24].map { size in
                    let builder = MatchKeyBuilder(head, rules)
                    for start in stride(from: 0, to: body.count, by: size) {
                        body[start..<min(start + size, body.count)].withUnsafeBytes { builder.update($0) }
                    }
                    return builder.key(origin: "")
                }
            )
            #expect(keys.count == 1)
        }
    }

    @Test(arguments: [
        ("AWSAccessKeyId=A&Signature=b&Expires=1", "AWSAccessKeyId=C&Signature=d&Expires=2"),
        ("GoogleAccessId=A&Signature=b&Expires=1", "GoogleAccessId=A&Signature=d&Expires=2"),
        ("Key-Pair-Id=K&Signature=b&Policy=p", "Key-Pair-Id=K&Signature=d&Policy=q"),
    ])
    func signaturesOfVersion2DoNotCount(_ one: String, _ other: String) throws {
        let rules = try Self.rules()
        #expect(Asked.get("/b/k?\(one)&v=1").key(rules) == Asked.get("/b/k?v=1&\(other)").key(rules))
        #expect(Asked.get("/b/k?\(one)&v=1").key(rules) != Asked.get("/b/k?\(one)&v=2").key(rules))
        // One of the names alone is an ordinary one.
        #expect(Asked.get("/b?Expires=1").key(rules) != Asked.get("/b?Expires=2").key(rules))
    }

    @Test func signedFormsAreComparedWithoutTheirSignature() throws {
        let rules = try Self.rules()
        func upload(_ date: String, _ file: String) -> Asked {
            .multipart(
                "b",
                [
                    ("key", "k"), ("policy", "p\(date)"), ("x-amz-signature", "s\(date)"), ("x-amz-date", date),
                    ("x-amz-credential", "c"), ("file", file),
                ]
            )
        }
        #expect(upload("1", "x").key(rules) == upload("2", "x").key(rules))
        #expect(upload("1", "x").key(rules) != upload("1", "y").key(rules))
    }

    @Test func requestsAreAnsweredByThoseWithTheSameCondition() throws {
        let rules = try Self.rules()
        let names = try #require(Variant(of: ["Vary": "Accept"], to: ["If-None-Match": "a", "Accept": "b"], rules))
            .names
        #expect(names == "accept;if-none-match" && Variant.conditions(of: names) == "if-none-match")
        #expect(Variant(of: [:], to: ["If-None-Match": "a"], .none) == nil)
        func choose(_ fields: Fields, _ lists: [String], _ admitted: [PlaybackKey.Choice]) -> PlaybackKey.Choice {
            PlaybackKey.choose(lists, for: fields) { admitted.contains($0) }
        }
        let same = PlaybackKey.Choice.variant(Variant(";if-none-match", of: ["If-None-Match": "a"]))
        #expect(choose(["If-None-Match": "a"], [";if-none-match"], [same, .unconditional]) == same)
        #expect(choose(["If-None-Match": "b"], [";if-none-match"], [same, .unconditional]) == .unconditional)
        #expect(choose([:], [";if-none-match"], [same, .unconditional]) == .unconditional)
        #expect(choose([:], [";if-none-match"], [same]) == .independent)
        #expect(choose(["If-Range": "b"], [";if-range"], []) == .whole)
        #expect(
            !PlaybackKey.Choice.independent.admits(nil, status: 304)
                && PlaybackKey.Choice.whole.admits(nil, status: 200)
        )
    }

    @Test func theVersionIsOneForAllRequests() {
        #expect(throws: RuleError.self) { try Rule(.require, "key:2 for GET /a") }
        #expect(throws: RuleError.self) { try Rule(.require, "key:5") }
        #expect(throws: RuleError.self) { try Rule(.ignore, "key:2") }
    }
}
