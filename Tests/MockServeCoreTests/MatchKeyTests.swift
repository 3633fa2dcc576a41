import ContentCoding
import HTTPMessages
import MockServeCore
import Testing

/// A request to be matched.
struct Asked: Sendable {
    var method = "GET"
    var target = "/"
    var fields: [(String, String)] = []
    var body: [UInt8] = []
    var origin = "http://a"

    var key: MatchKey { key(.none) }

    var head: RequestHead {
        RequestHead(method: Array(method.utf8), target: Latin1.bytes(target) ?? [], fields: Fields(fields))
    }

    func key(_ rules: RuleSet) -> MatchKey {
        let builder = MatchKeyBuilder(head, rules)
        // In two pieces, as it may come in.
        let middle = body.count / 2
        body[..<middle].withUnsafeBytes { builder.update($0) }
        body[middle...].withUnsafeBytes { builder.update($0) }
        return builder.key(origin: origin)
    }

    static func get(_ target: String) -> Asked { Asked(target: target) }

    static func json(_ body: String, _ type: String = "application/json") -> Asked {
        Asked(method: "POST", fields: [("Content-Type", type)], body: Array(body.utf8))
    }

    static func text(_ body: String) -> Asked {
        Asked(method: "POST", fields: [("Content-Type", "text/plain")], body: Array(body.utf8))
    }

    static func form(_ body: String) -> Asked {
        Asked(method: "POST", fields: [("Content-Type", "application/x-www-form-urlencoded")], body: Array(body.utf8))
    }

    static func multipart(_ boundary: String, _ parts: [(name: String, body: String)]) -> Asked {
        var body = ""
        for part in parts {
            body += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(part.name)\"\r\n\r\n\(part.body)\r\n"
        }
        return Asked(
            method: "POST",
            fields: [("Content-Type", "multipart/form-data; boundary=\(boundary)")],
            body: Array((body + "--\(boundary)--\r\n").utf8)
        )
    }

    func coded(_ coding: ContentCoding) -> Asked {
        var copy = self
        copy.body = coding.encode(body) ?? []
        copy.fields.append(("Content-Encoding", coding.name))
        return copy
    }

    func with(_ name: String, _ value: String) -> Asked {
        var copy = self
        copy.fields.append((name, value))
        return copy
    }
}

struct Pair: Sendable, CustomStringConvertible {
    let reason: String
    let one: Asked
    let two: Asked

    var description: String { reason }

    init(_ reason: String, _ one: Asked, _ two: Asked) {
        (self.reason, self.one, self.two) = (reason, one, two)
    }
}

@Suite struct MatchKeyTests {
    static let same: [Pair] = [
        Pair("query order", .get("/a?b=1&c=2"), .get("/a?c=2&b=1")),
        Pair("order of equal names", .get("/a?b=2&b=1"), .get("/a?b=1&b=2")),
        Pair("plus and %20 in a query", .get("/a?b=x+y"), .get("/a?b=x%20y")),
        Pair("case of escapes in a query", .get("/a?b=%c3%bc"), .get("/a?b=%C3%BC")),
        Pair("an escaped and a raw byte in a query", .get("/a?b=\u{E9}"), .get("/a?b=%E9")),
        Pair("a name without a value", .get("/a?b"), .get("/a?b=")),
        Pair("empty pairs", .get("/a?&b=1&&"), .get("/a?b=1")),
        Pair("an empty query", .get("/a?"), .get("/a")),
        Pair("case of escapes in a path", .get("/%c3%bc"), .get("/%C3%BC")),
        Pair("an escaped unreserved character in a path", .get("/%41%7eb"), .get("/A~b")),
        Pair("absolute form", .get("http://any/a?b"), .get("/a?b")),
        Pair("fields that do not count", .get("/").with("Accept", "a"), .get("/").with("User-Agent", "b")),
        Pair("JSON white space", .json("{\"a\": [1, 2]}"), .json("\n{ \"a\":[1,2] }\t")),
        Pair(
            "JSON member order",
            .json("{\"a\":1,\"b\":{\"c\":2,\"d\":3}}"),
            .json("{\"b\":{\"d\":3,\"c\":2},\"a\":1}")
        ),
        Pair("JSON numbers", .json("[100, 1.50, 0]"), .json("[1e2, 15E-1, -0.0]")),
        Pair("JSON escapes", .json("[\"\\u00fc\\/\\u0041\"]"), .json("[\"ü/A\"]")),
        Pair("JSON surrogate pairs", .json("[\"\\ud83d\\ude00\"]"), .json("[\"😀\"]")),
        Pair("JSON with a byte order mark", .json("\u{FEFF}[1]"), .json("[1]")),
        Pair(
            "JSON of a +json type",
            .json("{\"a\":1,\"b\":2}", "application/problem+json"),
            .json("{\"b\":2,\"a\":1}", "application/problem+json; charset=utf-8")
        ),
        Pair("form order", .form("a=1&b=2"), .form("b=2&a=1")),
        Pair("form escapes", .form("a=x+y%21"), .form("a=x%20y!")),
        Pair(
            "multipart boundary",
            .multipart("AaB", [("f", "1"), ("g", "2")]),
            .multipart("XyZ", [("f", "1"), ("g", "2")])
        ),
        Pair("gzip of the same JSON", .json("{\"a\":1,\"b\":2}").coded(.gzip), .json("{\"b\":2,\"a\":1}").coded(.gzip)),
        Pair("deflate and brotli", .json("[1,2,3]").coded(.deflate), .json("[1, 2, 3]").coded(.brotli)),
    ]

    static let different: [Pair] = [
        Pair("method", Asked(method: "GET"), Asked(method: "POST")),
        Pair("case of the method", Asked(method: "GET"), Asked(method: "get")),
        Pair("origin", Asked(origin: "http://a"), Asked(origin: "http://b")),
        Pair("path", .get("/a"), .get("/b")),
        Pair("case of the path", .get("/a"), .get("/A")),
        Pair("a final slash", .get("/a"), .get("/a/")),
        Pair("an escaped slash", .get("/a%2Fb"), .get("/a/b")),
        Pair("dot segments", .get("/a/../b"), .get("/b")),
        Pair("raw bytes in a path", .get("/\u{E9}"), .get("/\u{E8}")),
        Pair("a query value", .get("/?a=1"), .get("/?a=2")),
        Pair("a repeated pair", .get("/?a=1"), .get("/?a=1&a=1")),
        Pair("where the equals sign stands", .get("/?a=b"), .get("/?ab=")),
        Pair("name and value across pairs", .get("/?a=b&c=d"), .get("/?a=d&c=b")),
        Pair("range", .get("/").with("Range", "bytes=0-1"), .get("/").with("Range", "bytes=0-2")),
        Pair("range or none", .get("/").with("Range", "bytes=0-1"), .get("/")),
        Pair("a JSON value", .json("{\"a\":1}"), .json("{\"a\":2}")),
        Pair("JSON number and string", .json("[1]"), .json("[\"1\"]")),
        Pair("large JSON integers", .json("[9007199254740993]"), .json("[9007199254740992]")),
        Pair("JSON array order", .json("[1,2]"), .json("[2,1]")),
        Pair("JSON nesting", .json("[[1],2]"), .json("[[1,2]]")),
        Pair("null and nothing", .json("{\"a\":null}"), .json("{}")),
        Pair("order of duplicate JSON members", .json("{\"a\":1,\"a\":2}"), .json("{\"a\":2,\"a\":1}")),
        Pair("lone surrogates", .json("[\"\\ud800\"]"), .json("[\"\\ud801\"]")),
        Pair("malformed JSON, by bytes", .json("{\"a\":1,}"), .json("{\"a\":1, }")),
        Pair("JSON with more after it", .json("[1] x"), .json("[1]  x")),
        Pair("a form value", .form("a=1"), .form("a=2")),
        Pair("a multipart body", .multipart("X", [("f", "1")]), .multipart("X", [("f", "2")])),
        Pair("a multipart name", .multipart("X", [("f", "1")]), .multipart("X", [("g", "1")])),
        Pair("text, by bytes", Asked(method: "POST", body: [0x61]), Asked(method: "POST", body: [0x61, 0x20])),
        Pair("a body or none", Asked(method: "POST", body: [0]), Asked(method: "POST")),
    ]

    @Test func theCorpusIsLargeEnough() {
        let rulePairs = RuleTests.cases.count * 2
        let count = Self.same.count + Self.different.count + MatchKeyCorpus.same.count + MatchKeyCorpus.different.count
        #expect(count + rulePairs >= 150)
    }

    @Test(arguments: same + MatchKeyCorpus.same) func isTheSame(_ pair: Pair) { #expect(pair.one.key == pair.two.key) }

    @Test(arguments: different + MatchKeyCorpus.different) func isDifferent(_ pair: Pair) {
        #expect(pair.one.key != pair.two.key)
    }

    @Test func aDeepOrLongBodyIsComparedByItsBytes() {
        let deep = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        #expect(Asked.json(deep).key == Asked.json(deep).key)
        #expect(Asked.json(deep).key != Asked.json(deep + " ").key)
        let long = Array(repeating: UInt8(ascii: " "), count: MatchKeyBuilder.structuredLimit) + Array("[1]".utf8)
        let one = Asked(method: "POST", fields: [("Content-Type", "application/json")], body: long)
        let two = Asked(method: "POST", fields: [("Content-Type", "application/json")], body: [0x20] + long)
        #expect(one.key != two.key)
    }

    @Test func aHEADCanBeAskedForAsAGET() {
        let head = MatchKeyBuilder(RequestHead(method: Array("HEAD".utf8), target: Array("/a".utf8)))
        #expect(head.key(origin: "x", asGET: true) == Asked(target: "/a", origin: "x").key)
    }

    @Test func keysAreStableAcrossVersions() {
        // A change of this value makes all existing cassettes miss: it needs a migration.
        #expect(Asked(target: "/a?b=c").key.description == "c9dd70bb9c857da0db4862da1fd22321")
    }
}

/// What a key must not depend on, and what it must, for generated requests.
@Suite struct MatchKeyPropertyTests {
    /// A small generator of repeatable numbers.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    private indirect enum Value {
        case number(Int)
        case string(String)
        case array([Value])
        case object([(String, Value)])

        static func random(_ generator: inout Generator, depth: Int = 3) -> Value {
            switch Int.random(in: 0..<(depth > 0 ? 4 : 2), using: &generator) {
            case 0: .number(Int.random(in: -1000...1000, using: &generator))
            case 1: .string(String("aü\"\\\n😀/".shuffled(using: &generator).prefix(3)))
            case 2:
                .array((0..<Int.random(in: 0..<4, using: &generator)).map { _ in random(&generator, depth: depth - 1) })
            default:
                .object(
                    (0..<Int.random(in: 0..<4, using: &generator)).map {
                        ("k\($0)", random(&generator, depth: depth - 1))
                    }
                )
            }
        }

        /// One of the many spellings of the same value.
        func spelled(_ generator: inout Generator) -> String {
            let space = ["", " ", "\n"].randomElement(using: &generator) ?? ""
            switch self {
            case .number(let number):
                return [String(number), "\(number).0", "\(number)e0", "\(number).00E+0"].randomElement(
                    using: &generator
                )
                    ?? ""
            case .string(let text):
                let characters = text.unicodeScalars.map { scalar -> String in
                    let mustEscape = scalar == "\"" || scalar == "\\" || scalar.value < 0x20
                    guard mustEscape || Bool.random(using: &generator) else { return String(scalar) }
                    return String(scalar).utf16.map { "\\u" + String(String(Int($0) + 0x10000, radix: 16).dropFirst()) }
                        .joined()
                }
                return "\"\(characters.joined())\""
            case .array(let elements):
                return "[\(space)" + elements.map { $0.spelled(&generator) }.joined(separator: ",\(space)") + "]"
            case .object(let members):
                let parts = members.shuffled(using: &generator).map { name, value in
                    "\"\(name)\"\(space):" + value.spelled(&generator)
                }
                return "{" + parts.joined(separator: "\(space),") + "\(space)}"
            }
        }

        /// The same with one leaf changed.
        func changed(_ generator: inout Generator) -> Value {
            switch self {
            case .number(let number): return .number(number + 1)
            case .string(let text): return .string(text + "x")
            case .array(var elements):
                guard let index = elements.indices.randomElement(using: &generator) else { return .array([.number(0)]) }
                elements[index] = elements[index].changed(&generator)
                return .array(elements)
            case .object(var members):
                guard let index = members.indices.randomElement(using: &generator) else {
                    return .object([("new", .number(0))])
                }
                members[index].1 = members[index].1.changed(&generator)
                return .object(members)
            }
        }
    }

    @Test func spellingOfJSONDoesNotCountAndEveryLeafDoes() {
        var generator = Generator(state: 5)
        for _ in 0..<1500 {
            let value = Value.random(&generator)
            let one = Asked.json(value.spelled(&generator))
            let two = Asked.json(value.spelled(&generator))
            #expect(one.key == two.key, "\(String(decoding: one.body, as: UTF8.self))")
            let other = Asked.json(value.changed(&generator).spelled(&generator))
            #expect(one.key != other.key, "\(String(decoding: other.body, as: UTF8.self))")
        }
    }

    @Test func compressionAndBoundariesDoNotCount() {
        var generator = Generator(state: 6)
        for number in 0..<200 {
            let value = Value.random(&generator)
            let plain = Asked.json(value.spelled(&generator)).coded(.gzip)
            let other = Asked.json(value.spelled(&generator)).coded([.gzip, .deflate, .brotli][number % 3])
            #expect(plain.key == other.key)
            let parts = (0..<3).map { (name: "f\($0)", body: value.spelled(&generator)) }
            #expect(Asked.multipart("one\(number)", parts).key == Asked.multipart("two\(number)", parts).key)
        }
    }

    @Test func orderOfAQueryDoesNotCountAndEveryByteDoes() {
        var generator = Generator(state: 7)
        let alphabet = Array("abcXYZ019-_.~")
        func word() -> String { String((0..<4).map { _ in alphabet.randomElement(using: &generator) ?? "a" }) }
        for _ in 0..<500 {
            let pairs = (0..<4).map { _ in "\(word())=\(word())" }
            let path = "/\(word())/\(word())"
            let one = Asked.get("\(path)?\(pairs.joined(separator: "&"))")
            #expect(one.key == Asked.get("\(path)?\(pairs.shuffled(using: &generator).joined(separator: "&"))").key)
            var target = Array(one.target)
            let place =
                target.indices.dropFirst().filter { !"/?&=".contains(target[$0]) }.randomElement(using: &generator) ?? 1
            target[place] = target[place] == "!" ? "*" : "!"
            #expect(one.key != Asked.get(String(target)).key, "\(one.target)")
        }
    }
}

@Suite struct RuleTests {
    struct Case: Sendable, CustomStringConvertible {
        let rule: String
        let one: Asked
        let two: Asked
        let other: Asked

        var description: String { rule }
    }

    /// With the rule, the first two are the same and the third differs; without it all three differ.
    static let cases: [Case] = [
        Case(rule: "query:ts", one: .get("/?a=1&ts=1"), two: .get("/?ts=2&a=1"), other: .get("/?a=2&ts=1")),
        Case(rule: "query:ts", one: .get("/?a=1&ts=1&ts=2"), two: .get("/?a=1"), other: .get("/?a=1&TS=1")),
        Case(rule: "query:t%s", one: .get("/?t%25s=1"), two: .get("/?t%25s=2"), other: .get("/?ts=1")),
        Case(rule: "query", one: .get("/a?x"), two: .get("/a?y=2"), other: .get("/b?x")),
        Case(rule: "body", one: .json("[1]"), two: .json("[2]"), other: Asked(method: "PUT", body: [1])),
        Case(
            rule: "json:$.id",
            one: .json("{\"id\":1,\"a\":1}"),
            two: .json("{\"a\":1}"),
            other: .json("{\"id\":1,\"a\":2}")
        ),
        Case(
            rule: "json:$.a.b",
            one: .json("{\"a\":{\"b\":1}}"),
            two: .json("{\"a\":{\"b\":[2]}}"),
            other: .json("{\"b\":1}")
        ),
        Case(
            rule: "json:$..n",
            one: .json("{\"n\":1,\"a\":[{\"n\":2}]}"),
            two: .json("{\"a\":[{\"n\":{}}]}"),
            other: .json("{\"a\":[{\"m\":2}]}")
        ),
        Case(rule: "json:$[1]", one: .json("[1,2]"), two: .json("[1,3]"), other: .json("[2,2]")),
        Case(
            rule: "json:$.items[*].at",
            one: .json("{\"items\":[{\"at\":1}]}"),
            two: .json("{\"items\":[{\"at\":2}]}"),
            other: .json("{\"items\":[{\"at\":1},{}]}")
        ),
        Case(
            rule: "json:$['a b'].*",
            one: .json("{\"a b\":{\"x\":1}}"),
            two: .json("{\"a b\":{\"y\":2}}"),
            other: .json("{\"a b\":[]}")
        ),
        Case(
            rule: "json:$..a..b",
            one: .json("[{\"a\":{\"c\":{\"b\":1}}}]"),
            two: .json("[{\"a\":{\"c\":{\"b\":2}}}]"),
            other: .json("[{\"b\":1}]")
        ),
        Case(rule: "json:$", one: .json("[1]"), two: .json("{}"), other: .json("not JSON")),
        Case(rule: "form:csrf", one: .form("a=1&csrf=x"), two: .form("csrf=y&a=1"), other: .form("a=2&csrf=x")),
        Case(
            rule: "part:file",
            one: .multipart("A", [("file", "1"), ("k", "v")]),
            two: .multipart("B", [("file", "2"), ("k", "v")]),
            other: .multipart("A", [("file", "1"), ("k", "w")])
        ),
    ]

    @Test(arguments: cases) func leavesOut(_ example: Case) throws {
        let rules = RuleSet([try Rule(.ignore, example.rule)])
        #expect(example.one.key(rules) == example.two.key(rules))
        #expect(example.one.key(rules) != example.other.key(rules))
        #expect(example.one.key != example.two.key && example.one.key != example.other.key)
    }

    @Test func takesAFieldIn() throws {
        let rules = RuleSet([try Rule(.require, "field:Accept")])
        let json = Asked.get("/").with("accept", "application/json")
        #expect(json.key(rules) == Asked.get("/").with("Accept", "application/json").with("X", "y").key(rules))
        #expect(json.key(rules) != Asked.get("/").with("Accept", "text/html").key(rules))
        #expect(json.key(rules) != Asked.get("/").key(rules))
    }

    @Test(arguments: [
        "", "query:", "header:x", "json:", "json:a", "json:$.", "json:$a", "json:$['a", "json:$[a]", "json:$[-1]",
        "json:$...a",
        "json:$.a b", "field:x y", "body:x", "json:$.1",
    ])
    func refusesWhatIsNoRule(_ text: String) {
        #expect(throws: RuleError.self) { try Rule(.ignore, text) }
    }

    @Test(arguments: [
        Pair(
            "AWS",
            .get("/k?X-Amz-Algorithm=A&X-Amz-Signature=1&X-Amz-Date=1&X-Amz-Credential=c&x=1"),
            .get("/k?x=1&X-Amz-Algorithm=A&X-Amz-Signature=2&X-Amz-Date=2&X-Amz-Credential=d&X-Amz-Expires=9")
        ),
        Pair(
            "Google",
            .get("/k?X-Goog-Algorithm=A&X-Goog-Signature=1&X-Goog-Date=1"),
            .get("/k?X-Goog-Algorithm=A&X-Goog-Signature=2&X-Goog-Date=2")
        ),
        Pair("Azure", .get("/k?sv=2022&sp=r&se=1&sig=a"), .get("/k?sv=2022&sp=r&se=2&sig=b")),
    ])
    func signaturesOfURLsDoNotCount(_ pair: Pair) {
        #expect(pair.one.key == pair.two.key)
    }

    @Test func aSignatureThatIsNoneCounts() {
        #expect(Asked.get("/?sig=a").key != Asked.get("/?sig=b").key)
        #expect(Asked.get("/?X-Amz-Date=1").key != Asked.get("/?X-Amz-Date=2").key)
    }
}
