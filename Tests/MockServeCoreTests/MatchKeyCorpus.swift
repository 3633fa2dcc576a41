import ContentCoding

/// Further pairs of requests, each the same or different, with the reason.
enum MatchKeyCorpus {
    private static func json(_ reason: String, _ one: String, _ two: String) -> Pair {
        Pair(reason, .json(one), .json(two))
    }

    private static func form(_ reason: String, _ one: String, _ two: String) -> Pair {
        Pair(reason, .form(one), .form(two))
    }

    private static func get(_ reason: String, _ one: String, _ two: String) -> Pair {
        Pair(reason, .get(one), .get(two))
    }

    static let same: [Pair] = queriesSame + bodiesSame

    static let different: [Pair] = pathsDifferent + queriesDifferent + jsonDifferent + othersDifferent

    private static let queriesSame: [Pair] = [
        get("three pairs in any order", "/?a=1&b=2&c=3", "/?c=3&a=1&b=2"),
        get("repeated names in any order among others", "/?a=1&b=2&a=3", "/?a=3&a=1&b=2"),
        get("an escaped ampersand", "/?a=%26", "/?a=%2526".replacing("%2526", with: "%26")),
        get("an escaped name", "/?%61=1", "/?a=1"),
        get("an escaped plus", "/?a=%2B", "/?a=%2b"),
        get("spaces both ways in a name", "/?a+b=1", "/?a%20b=1"),
        get("a percent sign that is no escape", "/?a=100%", "/?a=100%25"),
        get("an equals sign in a value", "/?a=b=c", "/?a=b%3Dc"),
        get("a raw UTF-8 value", "/?a=\u{C3}\u{BC}", "/?a=%C3%BC"),
        get("an escaped tilde in a path", "/%7Ea", "/~a"),
        get("escaped digits and letters in a path", "/%31%4A", "/1J"),
        get("absolute form with a port", "http://x:8080/a", "/a"),
        get("absolute form without a path", "http://x?b", "/?b"),
    ]

    private static let bodiesSame: [Pair] = [
        json("an empty object and space in it", "{}", " { } "),
        json("an empty array and space in it", "[]", "[\n]"),
        json("a scalar at the top", "1", " 1.0 "),
        json("zeros of every kind", "[0,0,0]", "[-0,0.0,0e5]"),
        json("an exponent and its digits", "[12300]", "[1.23e4]"),
        json("a small number", "[0.001]", "[1e-3]"),
        json("trailing zeros", "[1.5]", "[1.5000]"),
        json("a capital exponent", "[1e+2]", "[1E2]"),
        json("an escaped solidus", "[\"a/b\"]", "[\"a\\/b\"]"),
        json("escaped control characters", "[\"\\n\\t\"]", "[\"\\u000a\\u0009\"]"),
        json("case of hexadecimal escapes", "[\"\\u00FC\"]", "[\"\\u00fc\"]"),
        json("an escaped member name", "{\"a\":1}", "{\"\\u0061\":1}"),
        json("order at every depth", "[{\"a\":{\"x\":1,\"y\":2},\"b\":3}]", "[{\"b\":3,\"a\":{\"y\":2,\"x\":1}}]"),
        json("order of an object with empty names", "{\"\":1,\"a\":2}", "{\"a\":2,\"\":1}"),
        Pair("JSON of text/json", .json("[1 ]", "text/json"), .json("[1]", "text/json")),
        Pair("case of the media type", .json("[1 ]", "Application/JSON"), .json("[1]", "application/json")),
        Pair("parameters of the media type", .json("[1 ]", "application/json ; charset=\"utf-8\""), .json("[1]")),
        form("repeated fields in any order", "a=1&a=2", "a=2&a=1"),
        form("an empty field", "a=&b=1", "b=1&a"),
        form("escapes of UTF-8 in a form", "a=%c3%bc", "a=\u{FC}".replacing("\u{FC}", with: "%C3%BC")),
        Pair("a form in gzip and in deflate", .form("a=1&b=2").coded(.gzip), .form("b=2&a=1").coded(.deflate)),
        Pair("text in gzip and in brotli", text("hello").coded(.gzip), text("hello").coded(.brotli)),
        Pair("an explicit identity coding", .json("[1]").with("Content-Encoding", "identity"), .json("[1]")),
        Pair("a quoted boundary", .multipart("AB", [("f", "1")]), quotedBoundary("AB", "f", "1")),
        Pair(
            "a GraphQL document over JSON",
            .json("{\"query\":\"{a}\",\"variables\":{\"x\":1}}"),
            .json("{\"variables\":{\"x\":1.0},\"query\":\"{a}\"}")
        ),
    ]

    private static func text(_ text: String) -> Asked {
        Asked(method: "POST", fields: [("Content-Type", "text/plain")], body: Array(text.utf8))
    }

    private static func quotedBoundary(_ boundary: String, _ name: String, _ value: String) -> Asked {
        var asked = Asked.multipart(boundary, [(name, value)])
        asked.fields = [("Content-Type", "multipart/form-data; charset=utf-8; Boundary=\"\(boundary)\"")]
        return asked
    }

    private static let pathsDifferent: [Pair] = [
        get("an empty segment", "/a/b", "/a//b"),
        get("a dot segment", "/a/./b", "/a/b"),
        get("a plus in a path is no space", "/a+b", "/a%20b"),
        get("an escaped question mark", "/a%3Fb", "/a?b"),
        get("an escaped percent sign", "/%2541", "/A"),
        get("case of a host in the path", "/Example", "/example"),
        get("an escaped semicolon", "/a;b", "/a%3Bb"),
        Pair("asterisk form", Asked(method: "OPTIONS", target: "*"), Asked(method: "OPTIONS", target: "/")),
        Pair("scheme of the origin", Asked(origin: "http://a"), Asked(origin: "https://a")),
        Pair("port of the origin", Asked(origin: "http://a"), Asked(origin: "http://a:81")),
    ]

    private static let queriesDifferent: [Pair] = [
        get("case of a query name", "/?A=1", "/?a=1"),
        get("case of a query value", "/?a=X", "/?a=x"),
        get("a space more", "/?a=b", "/?a=b+"),
        get("a plus and an escaped plus", "/?a=1+1", "/?a=1%2B1"),
        get("one of two equal names less", "/?a=1&a=2", "/?a=1"),
        get("a semicolon is no separator", "/?a=1;b=2", "/?a=1&b=2"),
        get("an array by brackets and without", "/?a[]=1", "/?a=1"),
        get("numbers in a query are text", "/?a=1", "/?a=1.0"),
        get("NUL in a value", "/?a=%00", "/?a="),
    ]

    private static let jsonDifferent: [Pair] = [
        json("true and false", "[true]", "[false]"),
        json("null and zero", "[null]", "[0]"),
        json("false and null", "[false]", "[null]"),
        json("an empty string and null", "[\"\"]", "[null]"),
        json("an empty object and an empty array", "{}", "[]"),
        json("the sign of a number", "[1]", "[-1]"),
        json("the last digit of a long fraction", "[0.1000000000000000055]", "[0.1000000000000000056]"),
        json("the exponent", "[1e2]", "[1e3]"),
        json("case of a string", "[\"a\"]", "[\"A\"]"),
        json("composed and decomposed characters", "[\"\u{E9}\"]", "[\"e\u{301}\"]"),
        json("white space in a string", "[\"a b\"]", "[\"a  b\"]"),
        json("an element more", "[1]", "[1,1]"),
        json("a member more", "{\"a\":1}", "{\"a\":1,\"b\":1}"),
        json("the place of a member", "{\"a\":{\"b\":1}}", "{\"b\":{\"a\":1}}"),
        json("name and value swapped", "{\"a\":\"b\"}", "{\"b\":\"a\"}"),
        json("an array in an array", "[[]]", "[]"),
        json("how elements are grouped", "[[1,2],[3]]", "[[1],[2,3]]"),
        json("a duplicate member", "{\"a\":1}", "{\"a\":1,\"a\":1}"),
        json("a number that is no JSON, by bytes", "[01]", "[1]"),
        json("single quotes are no JSON", "['a']", "[\"a\"]"),
        json("two values", "1 2", "12"),
        json("a cut text", "[1", "[1]"),
    ]

    private static let othersDifferent: [Pair] = [
        form("a form value", "a=1", "a=2"),
        form("a form field more", "a=1", "a=1&b="),
        Pair("JSON and the same text", .json("[1]"), Asked(method: "POST", body: Array("[1] ".utf8))),
        Pair(
            "order of multipart parts",
            .multipart("A", [("f", "1"), ("g", "2")]),
            .multipart("A", [("g", "2"), ("f", "1")])
        ),
        Pair("line ends in a multipart body", .multipart("A", [("f", "1\r\n")]), .multipart("A", [("f", "1")])),
        Pair("text by a space", text("a b"), text("a  b")),
        Pair("XML by a space", xml("<a/>"), xml("<a />")),
        Pair(
            "a body that is not the gzip it claims",
            .json("[1]").with("Content-Encoding", "gzip"),
            .json("[1 ]").with("Content-Encoding", "gzip")
        ),
        Pair(
            "an unknown coding, by bytes",
            .json("[1]").with("Content-Encoding", "zstd"),
            .json("[1 ]").with("Content-Encoding", "zstd")
        ),
        Pair("case of a range", Asked.get("/").with("Range", "bytes=0-1"), Asked.get("/").with("Range", "bytes=1-1")),
    ]

    private static func xml(_ text: String) -> Asked {
        Asked(method: "POST", fields: [("Content-Type", "application/xml")], body: Array(text.utf8))
    }
}
