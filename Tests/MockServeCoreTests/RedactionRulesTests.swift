import Foundation
import HTTPMessages
import Testing

@testable import MockServeCore

@Suite struct RedactionRulesTests {
    private func rules(_ texts: [String], catalog: Bool = true, _ book: PlaceholderBook? = nil) throws -> RuleSet {
        let all = try ((catalog ? ["catalog:4"] : []) + texts).map { try Rule(.redact, $0) } + [Rule(.require, "key:3")]
        return RuleSet(all, secrets: KnownSecrets([], learned: LearnedSecrets(), book: book))
    }

    private func login(_ password: String, _ target: String = "/login") -> Asked {
        var asked = Asked.json(#"{"user":"anna","password":"\#(password)"}"#)
        asked.target = target
        return asked
    }

    /// What is written of a request.
    private func written(_ asked: Asked, _ rules: RuleSet, _ book: PlaceholderBook) throws -> Asked {
        let redactor = try #require(rules.redactor).applying(to: asked.head)
        var (copy, notes) = (asked, RedactionNotes())
        let head = redactor.redact(asked.head, book, &notes)
        copy.target = Latin1.string(head.target)
        copy.fields = head.fields.map { (Latin1.string($0.name), Latin1.string($0.value)) }
        copy.body = redactor.redact(body: asked.body, asked.head.fields, book, &notes)
        return copy
    }

    // MARK: Told apart

    /// Recorded, recomputed from the file, and replayed with other values, the requests have the same keys.
    @Test(arguments: ["apart:json:password", "apart:cookie:session", "apart:field:X-API-Key", "apart:query:token"])
    func tellsApartInOrderOfFirstUse(_ rule: String) throws {
        func asked(_ value: String) -> Asked {
            switch rule {
            case "apart:json:password": login(value)
            case "apart:cookie:session": Asked.get("/").with("Cookie", "theme=dark; session=\(value)")
            case "apart:field:X-API-Key": Asked.get("/").with("X-API-Key", value)
            default: Asked.get("/?token=\(value)")
            }
        }
        let texts = rule.contains("json") ? [rule] : [rule, "keep:json:x"]
        func keys(_ values: [Asked], _ rules: RuleSet) throws -> [MatchKey] {
            let required = rules.adding(try ["field:Cookie", "field:X-API-Key"].map { try Rule(.require, $0) })
            return values.map { $0.key(required) }
        }
        let (book, values) = (PlaceholderBook(), ["wrong", "right-9A", "wrong", "third"])
        let recording = try rules(texts, book)
        let recorded = try keys(values.map(asked), recording)
        #expect(recorded[0] == recorded[2] && Set(recorded).count == 3)
        let file = try values.map { try written(asked($0), recording, book) }
        #expect(try keys(file, rules(texts)) == recorded)
        // What was recorded is compared within the run, too.
        #expect(try keys(file, recording) == recorded)
        #expect(try keys(["mine", "other", "mine", "more"].map(asked), rules(texts)) == recorded)
    }

    /// Whatever the value is: of a name that is judged by its value, too.
    @Test(arguments: [
        ("json:code", #"{"code":"482913"}"#), ("json:token", #"{"token":"two words here"}"#),
        ("json:session", #"{"session":"hunter2Pw"}"#), ("digest:json:code", #"{"code":"hunter2Pw"}"#),
        ("json:password", #"{"password":["hunter2Pw",{"a":"hunter2Pw"}]}"#), ("json:code", #"{"code":482913}"#),
    ])
    func nothingIsLeftOfWhatIsToldApart(_ rule: String, _ body: String) throws {
        let book = PlaceholderBook()
        let rules = try rules([rule.hasPrefix("digest") ? rule : "apart:\(rule)"], book)
        let asked = try written(Asked.json(body), rules, book)
        let text = String(decoding: asked.body, as: UTF8.self)
        for secret in ["482913", "two words here", "hunter2Pw"] { #expect(!text.contains(secret)) }
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(asked.body)) }
    }

    @Test(arguments: ["apart:field:Authorization", "digest:field:Authorization"])
    func tellsUsersOfBasicApart(_ rule: String) throws {
        let rules = try rules([rule]).adding([try Rule(.require, "field:Authorization")])
        func key(_ text: String) -> MatchKey {
            let coded = Data(text.utf8).base64EncodedString()
            return Asked.get("/").with("Authorization", "Basic \(coded)").key(rules)
        }
        let keys = ["anna:wrong-1x", "anna:right-9A", "anna:wrong-1x", "anna:right-9A"].map(key)
        #expect(keys[0] == keys[2] && keys[1] == keys[3] && keys[0] != keys[1])
    }

    /// What the client was given counts as it does in the recording, in whatever order it comes with values of its own.
    @Test func ownAndServedValuesAreNumberedTogether() throws {
        let book = PlaceholderBook()
        let recording = try rules(["apart:json:password"], book)
        let redactor = try #require(recording.redactor)
        var notes = RedactionNotes()
        let given = redactor.redact(
            body: Array(#"{"password":"giv3n-By-us"}"#.utf8),
            ["Content-Type": "application/json"],
            book,
            isRequest: false,
            &notes
        )
        let placeholder = try #require(notes.notes.first?.placeholder)
        #expect(String(decoding: given, as: UTF8.self).contains(placeholder))
        let recorded = ["stale", "giv3n-By-us", "stale"].map { login($0).key(recording) }
        let replaying = try rules(["apart:json:password"])
        #expect(["mine", placeholder, "mine"].map { login($0).key(replaying) } == recorded)
    }

    @Test func onlyTheNamedCookieIsToldApart() throws {
        let rules = try rules(["apart:cookie:session"]).adding([try Rule(.require, "field:Cookie")])
        func key(_ session: String, _ theme: String) -> MatchKey {
            Asked.get("/").with("Cookie", "session=\(session); theme=\(theme)").key(rules)
        }
        #expect(key("a1", "x") == key("a1", "y"))
        #expect(key("a1", "x") != key("b2", "x"))
    }

    @Test func digestsDoNotDependOnTheOrder() throws {
        let rule = "digest:00112233:json:password"
        let book = PlaceholderBook()
        let recording = try rules([rule], book)
        let recorded = ["wrong", "right-9A"].map { login($0).key(recording) }
        let file = try ["wrong", "right-9A"].map { try written(login($0), recording, book) }
        #expect(String(decoding: file[0].body, as: UTF8.self).contains("redacted.password.c90000000"))
        #expect(try file.map { $0.key(try rules([rule])) } == recorded)
        #expect(try ["right-9A", "wrong"].map { login($0).key(try rules([rule])) } == recorded.reversed())
        #expect(try login("wrong").key(rules(["digest:ffff:json:password"])) != recorded[0])
        // Numbers that are no digests go on where they were.
        #expect(book.highest == 0)
        let salted = try Rule(.redact, "digest:json:password").salted
        #expect(salted.partText.count == "digest::json:password".count + 16 && salted.scope == nil)
        #expect(try Rule(.redact, "digest:json:password").isMet(by: salted))
    }

    // MARK: For some requests

    @Test func rulesMayBeForSomeRequests() throws {
        let book = PlaceholderBook()
        let rules = try rules(["json:pin for POST /login", "keep:json:password for * /public/**"])
        func text(_ asked: Asked) throws -> String {
            String(decoding: try written(asked, rules, book).body, as: UTF8.self)
        }
        var pin = Asked.json(#"{"pin_code":"x","pin":"12"}"#)
        pin.target = "/login"
        #expect(try !text(pin).contains("12"))
        #expect(try text(login("hunter22", "/public/a")).contains("hunter22"))
        #expect(try !text(login("hunter22", "/private/a")).contains("hunter22"))
        #expect(login("a", "/public/a").key(rules) != login("b", "/public/a").key(rules))
        #expect(login("a", "/private/a").key(rules) == login("b", "/private/a").key(rules))
        #expect(throws: RuleError.self) { try Rule(.redact, "catalog:4 for GET /") }
        #expect(throws: RuleError.self) { try Rule(.redact, "secret:x for GET /") }
    }

    @Test func queryRulesCountInLinks() throws {
        let redactor = try #require(rules(["query:sid2"]).redactor)
        var notes = RedactionNotes()
        let fields = Fields([("Location", "https://a.example/cb?sid2=abc&x=1")])
        let output = redactor.redact(fields, "response", PlaceholderBook(), &notes)
        #expect(output.first("location").map { Latin1.string($0) } == "https://a.example/cb?sid2=redacted.sid2.1&x=1")
    }

    @Test func namesThatAreNearAreNoted() throws {
        let redactor = try #require(rules([]).redactor)
        var notes = RedactionNotes()
        let body = Array(#"{"token":"hello","password":"Your password","a":1}"#.utf8)
        _ = redactor.redact(
            body: body,
            ["Content-Type": "application/json"],
            PlaceholderBook(),
            isRequest: false,
            &notes
        )
        #expect(redactor.sparedNames == ["password", "token"] && notes.isEmpty)
    }
}
