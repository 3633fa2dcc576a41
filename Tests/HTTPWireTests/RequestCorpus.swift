/// A request, as bytes one character a byte, and what must become of it.
struct RequestCase: Sendable, CustomStringConvertible {
    enum Outcome: Sendable, Equatable {
        /// Accepted with this method, target and body.
        case accepted(method: String, target: String, body: String)
        /// Refused with this status.
        case refused(Int)
        /// Neither: more must arrive.
        case incomplete
    }

    let name: String
    let bytes: String
    let outcome: Outcome

    var description: String { name }

    static func accepts(_ name: String, _ bytes: String, _ method: String, _ target: String, _ body: String = "")
        -> Self
    {
        Self(name: name, bytes: bytes, outcome: .accepted(method: method, target: target, body: body))
    }

    static func refuses(_ name: String, _ bytes: String, _ status: Int = 400) -> Self {
        Self(name: name, bytes: bytes, outcome: .refused(status))
    }

    static func waits(_ name: String, _ bytes: String) -> Self {
        Self(name: name, bytes: bytes, outcome: .incomplete)
    }

    /// A head with `Host`, these field lines and this body.
    private static func post(_ lines: String, _ body: String = "") -> String {
        "POST /p HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\(body)"
    }

    private static func get(_ line: String) -> String { "\(line)\r\nHost: a\r\n\r\n" }

    static let all: [RequestCase] = startLines + targets + hosts + fieldLines + lengths + codings + chunks + limits

    static let startLines: [RequestCase] = [
        accepts("the plain request", get("GET / HTTP/1.1"), "GET", "/"),
        accepts("an unknown method", get("BREW /pot HTTP/1.1"), "BREW", "/pot"),
        accepts("a lower-case method stays", get("get / HTTP/1.1"), "get", "/"),
        accepts("every token character in a method", get("M!#$%&'*+-.^_`|~9 / HTTP/1.1"), "M!#$%&'*+-.^_`|~9", "/"),
        accepts("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "GET", "/"),
        accepts("a blank line before the request", "\r\n" + get("GET / HTTP/1.1"), "GET", "/"),
        accepts("three blank lines before the request", "\r\n\r\n\r\n" + get("GET / HTTP/1.1"), "GET", "/"),
        refuses("forty blank lines", String(repeating: "\r\n", count: 40) + get("GET / HTTP/1.1")),
        refuses("a bare LF before the request", "\n" + get("GET / HTTP/1.1")),
        refuses("a bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
        refuses("a bare CR after the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n"),
        refuses("CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"),
        refuses("no version (HTTP/0.9)", get("GET /")),
        refuses("no target", get("GET HTTP/1.1")),
        refuses("an empty line of spaces", get("   ")),
        refuses("two spaces after the method", get("GET  / HTTP/1.1")),
        refuses("two spaces after the target", get("GET /  HTTP/1.1")),
        refuses("a tab after the method", get("GET\t/ HTTP/1.1")),
        refuses("a space before the method", get(" GET / HTTP/1.1")),
        refuses("a space after the version", get("GET / HTTP/1.1 ")),
        refuses("a space in the target", get("GET /a b HTTP/1.1")),
        refuses("a bracket in the method", get("GE(T / HTTP/1.1")),
        refuses("a colon in the method", get("GET: / HTTP/1.1")),
        refuses("a non-ASCII method", get("G\u{C9}T / HTTP/1.1")),
        refuses("a method of 65 bytes", get(String(repeating: "M", count: 65) + " / HTTP/1.1")),
        refuses("a lower-case protocol", get("GET / http/1.1")),
        refuses("another protocol", get("GET / HTTPS/1.1")),
        refuses("a version with three digits", get("GET / HTTP/1.10")),
        refuses("a version without a dot", get("GET / HTTP/11")),
        refuses("a version of letters", get("GET / HTTP/x.y")),
        refuses("HTTP/2.0 in the clear", get("GET / HTTP/2.0"), 505),
        refuses("the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        refuses("HTTP/1.2", get("GET / HTTP/1.2"), 505),
        refuses("NUL in the method", get("G\0ET / HTTP/1.1")),
        refuses("a TLS client hello", "\u{16}\u{03}\u{01}\u{02}\0\u{01}\0\u{01}\u{FC}\u{03}\u{03}\r\n"),
        waits("half a request line", "GET / HT"),
        waits("a head without its empty line", "GET / HTTP/1.1\r\nHost: a\r\n"),
        waits("nothing", ""),
    ]

    static let targets: [RequestCase] = [
        accepts("a query", get("GET /a?b=c&d HTTP/1.1"), "GET", "/a?b=c&d"),
        accepts("an empty query", get("GET /a? HTTP/1.1"), "GET", "/a?"),
        accepts("escapes stay as they are", get("GET /%41%2f%2F HTTP/1.1"), "GET", "/%41%2f%2F"),
        accepts("a broken escape stays as it is", get("GET /%zz% HTTP/1.1"), "GET", "/%zz%"),
        accepts("raw UTF-8 in the path", get("GET /caf\u{C3}\u{A9} HTTP/1.1"), "GET", "/caf\u{C3}\u{A9}"),
        accepts("a raw Latin-1 byte in the path", get("GET /caf\u{E9} HTTP/1.1"), "GET", "/caf\u{E9}"),
        accepts("dot segments stay", get("GET /a/../b/./c HTTP/1.1"), "GET", "/a/../b/./c"),
        accepts("double slashes stay", get("GET //a//b HTTP/1.1"), "GET", "//a//b"),
        accepts("quotes and brackets", get("GET /a\"<>[]{}|\\^`b HTTP/1.1"), "GET", "/a\"<>[]{}|\\^`b"),
        accepts("absolute form", get("GET http://a/b HTTP/1.1"), "GET", "http://a/b"),
        accepts("absolute form in capitals", get("GET HTTP://A:80/b HTTP/1.1"), "GET", "HTTP://A:80/b"),
        accepts("absolute form without a path", get("GET http://a?q HTTP/1.1"), "GET", "http://a?q"),
        accepts("asterisk form", get("OPTIONS * HTTP/1.1"), "OPTIONS", "*"),
        accepts("authority form", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "CONNECT", "a:443"),
        refuses("a fragment", get("GET /a#b HTTP/1.1")),
        refuses("a relative target", get("GET a/b HTTP/1.1")),
        refuses("asterisk form with GET", get("GET * HTTP/1.1")),
        refuses("authority form with GET", get("GET a:443 HTTP/1.1")),
        refuses("CONNECT without a port", get("CONNECT a HTTP/1.1")),
        refuses("CONNECT with a path", get("CONNECT a:443/b HTTP/1.1")),
        refuses("another scheme", get("GET ftp://a/b HTTP/1.1")),
        refuses("absolute form without a host", get("GET http:///b HTTP/1.1")),
        refuses("user information in the target", get("GET http://u:p@a/b HTTP/1.1")),
        refuses("NUL in the target", get("GET /a\0b HTTP/1.1")),
        refuses("DEL in the target", get("GET /a\u{7F}b HTTP/1.1")),
        refuses("a tab in the target", get("GET /a\tb HTTP/1.1")),
    ]

    static let hosts: [RequestCase] = [
        accepts("a host with a port", "GET / HTTP/1.1\r\nHost: a:80\r\n\r\n", "GET", "/"),
        accepts("an IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET", "/"),
        accepts("an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET", "/"),
        refuses("no Host in HTTP/1.1", "GET / HTTP/1.1\r\n\r\n"),
        refuses("Host twice", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        refuses("the same Host twice", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"),
        refuses("Host twice in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
        refuses("two hosts in one Host", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
        refuses("a space in Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        refuses("user information in Host", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        refuses("a path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        refuses("a non-ASCII Host", "GET / HTTP/1.1\r\nHost: \u{E9}\r\n\r\n"),
    ]

    static let fieldLines: [RequestCase] = [
        accepts("no space after the colon", "GET / HTTP/1.1\r\nHost:a\r\n\r\n", "GET", "/"),
        accepts("tabs and spaces round the value", "GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n", "GET", "/"),
        accepts("an empty value", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n", "GET", "/"),
        accepts("a colon in the value", "GET / HTTP/1.1\r\nHost: a\r\nX: a:b::\r\n\r\n", "GET", "/"),
        accepts("non-ASCII bytes in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \u{E9}\u{FF}\r\n\r\n", "GET", "/"),
        accepts(
            "every token character in a name",
            "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~1: x\r\n\r\n",
            "GET",
            "/"
        ),
        refuses("a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        refuses("a tab before the colon", "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n"),
        refuses("a space in a name", "GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n"),
        refuses("an empty name", "GET / HTTP/1.1\r\nHost: a\r\n: z\r\n\r\n"),
        refuses("no colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"),
        refuses("a non-ASCII name", "GET / HTTP/1.1\r\nHost: a\r\n\u{E9}: z\r\n\r\n"),
        refuses("obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
        refuses("obs-fold by tab", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n"),
        refuses("white space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        refuses("a line of a space", "GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n"),
        refuses("a bare LF between fields", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
        refuses("a bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        refuses("a bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
        refuses("NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
        refuses("NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n"),
        refuses("an escape character in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \u{1B}[2J\r\n\r\n"),
        refuses("DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \u{7F}\r\n\r\n"),
    ]

    static let lengths: [RequestCase] = [
        accepts("a body", post("Content-Length: 3\r\n", "abc"), "POST", "/p", "abc"),
        accepts("a body of length zero", post("Content-Length: 0\r\n"), "POST", "/p"),
        accepts("leading zeros", post("Content-Length: 003\r\n", "abc"), "POST", "/p", "abc"),
        accepts("no length is no body", post(""), "POST", "/p"),
        accepts("a body with GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", "GET", "/", "hi"),
        accepts("a body that looks like a request", post("Content-Length: 4\r\n", "GET "), "POST", "/p", "GET "),
        waits("half a body", post("Content-Length: 10\r\n", "abc")),
        refuses("two lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc")),
        refuses("two equal lengths", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")),
        refuses("two lengths in one field", post("Content-Length: 3, 3\r\n", "abc")),
        refuses("a signed length", post("Content-Length: +3\r\n", "abc")),
        refuses("a negative length", post("Content-Length: -3\r\n", "abc")),
        refuses("a hexadecimal length", post("Content-Length: 0x3\r\n", "abc")),
        refuses("a fractional length", post("Content-Length: 3.0\r\n", "abc")),
        refuses("an empty length", post("Content-Length:\r\n", "abc")),
        refuses("a length with a space", post("Content-Length: 1 0\r\n", "abc")),
        refuses("a length over 63 bits", post("Content-Length: 99999999999999999999\r\n", "abc")),
        refuses("both length and coding", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        refuses("both, the other way round", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n")),
    ]

    static let codings: [RequestCase] = [
        accepts("chunked", post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"), "POST", "/p", "abc"),
        accepts("chunked in capitals", post("transfer-encoding: CHUNKED\r\n", "0\r\n\r\n"), "POST", "/p"),
        refuses("gzip alone", post("Transfer-Encoding: gzip\r\n", "abc")),
        refuses("gzip and chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")),
        refuses("chunked twice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")),
        refuses("two fields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        refuses("chunked not last", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")),
        refuses("identity", post("Transfer-Encoding: identity\r\n", "abc")),
        refuses("an empty coding", post("Transfer-Encoding:\r\n", "abc")),
        refuses("a misspelled coding", post("Transfer-Encoding: xchunked\r\n", "abc")),
        refuses("a vertical tab before chunked", post("Transfer-Encoding: \u{0B}chunked\r\n", "0\r\n\r\n")),
        refuses("a quoted coding", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")),
        refuses("a coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ]

    private static func chunked(_ body: String) -> String { post("Transfer-Encoding: chunked\r\n", body) }

    static let chunks: [RequestCase] = [
        accepts("two chunks", chunked("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), "POST", "/p", "abc"),
        accepts(
            "hexadecimal sizes",
            chunked("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"),
            "POST",
            "/p",
            "01234567890123456789"
        ),
        accepts("leading zeros in a size", chunked("0003\r\nabc\r\n000\r\n\r\n"), "POST", "/p", "abc"),
        accepts("a chunk extension", chunked("3;x=y\r\nabc\r\n0;z\r\n\r\n"), "POST", "/p", "abc"),
        accepts("a quoted chunk extension", chunked("3;x=\"y;z\"\r\nabc\r\n0\r\n\r\n"), "POST", "/p", "abc"),
        accepts("a space before an extension", chunked("3 ;x\r\nabc\r\n0\r\n\r\n"), "POST", "/p", "abc"),
        accepts("trailers", chunked("3\r\nabc\r\n0\r\nX: y\r\nZ: w\r\n\r\n"), "POST", "/p", "abc"),
        accepts("line ends in a chunk", chunked("4\r\n\r\n\r\n\r\n0\r\n\r\n"), "POST", "/p", "\r\n\r\n"),
        waits("no last chunk", chunked("3\r\nabc\r\n")),
        waits("no empty line at the end", chunked("0\r\n")),
        refuses("a space after the size", chunked("3 \r\nabc\r\n0\r\n\r\n")),
        refuses("a space before the size", chunked(" 3\r\nabc\r\n0\r\n\r\n")),
        refuses("an empty size", chunked("\r\nabc\r\n0\r\n\r\n")),
        refuses("a size that is not hexadecimal", chunked("g\r\nabc\r\n0\r\n\r\n")),
        refuses("a size with 0x", chunked("0x3\r\nabc\r\n0\r\n\r\n")),
        refuses("a signed size", chunked("-3\r\nabc\r\n0\r\n\r\n")),
        refuses("a size of 16 digits", chunked("0000000000000003\r\nabc\r\n0\r\n\r\n")),
        refuses("a size that overflows", chunked("FFFFFFFFFFFFFFFF\r\nabc")),
        refuses("a bare LF after a size", chunked("3\nabc\r\n0\r\n\r\n")),
        refuses("a bare LF after a chunk", chunked("3\r\nabc\n0\r\n\r\n")),
        refuses("a chunk longer than its size", chunked("3\r\nabcd\r\n0\r\n\r\n")),
        refuses("a chunk shorter than its size", chunked("5\r\nabc\r\n0\r\n\r\n")),
        accepts("spaces in an extension", chunked("3 ; x = y ;z\r\nabc\r\n0\r\n\r\n"), "POST", "/p", "abc"),
        accepts("an escape in an extension", chunked("3;x=\"\\\"\"\r\nabc\r\n0\r\n\r\n"), "POST", "/p", "abc"),
        refuses("an extension without a name", chunked("3;\r\nabc\r\n0\r\n\r\n")),
        refuses("an extension with a name that is no token", chunked("3;x(y)\r\nabc\r\n0\r\n\r\n")),
        refuses("an extension without a value", chunked("3;x=\r\nabc\r\n0\r\n\r\n")),
        refuses("an extension with an open quotation", chunked("3;x=\"y\r\nabc\r\n0\r\n\r\n")),
        refuses("an extension with two values", chunked("3;x=y z\r\nabc\r\n0\r\n\r\n")),
        refuses("a space after an extension", chunked("3;x \r\nabc\r\n0\r\n\r\n")),
        refuses("a trailer that routes", chunked("0\r\nHost: b\r\n\r\n")),
        refuses("a bare CR in an extension", chunked("3;a\rb\r\nabc\r\n0\r\n\r\n")),
        refuses("NUL in an extension", chunked("3;a\0\r\nabc\r\n0\r\n\r\n")),
        refuses(
            "a size line of 5,000 bytes",
            chunked("3;" + String(repeating: "x", count: 5000) + "\r\nabc\r\n0\r\n\r\n")
        ),
        refuses("a length as a trailer", chunked("0\r\nContent-Length: 3\r\n\r\n")),
        refuses("a coding as a trailer", chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n")),
        refuses("obs-fold in the trailers", chunked("0\r\nX: y\r\n z\r\n\r\n")),
        refuses("a space before the colon of a trailer", chunked("0\r\nX : y\r\n\r\n")),
    ]

    static let limits: [RequestCase] = [
        accepts(
            "a target of 16,000 bytes",
            get("GET /" + String(repeating: "a", count: 16000) + " HTTP/1.1"),
            "GET",
            "/" + String(repeating: "a", count: 16000)
        ),
        refuses("a request line over 16 KiB", get("GET /" + String(repeating: "a", count: 17000) + " HTTP/1.1"), 414),
        refuses("a request line that never ends", String(repeating: "a", count: 17000), 414),
        refuses(
            "a field over 256 KiB",
            "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 263_000) + "\r\n\r\n",
            431
        ),
        refuses(
            "fields over 256 KiB",
            "GET / HTTP/1.1\r\nHost: a\r\n"
                + String(repeating: "X: " + String(repeating: "a", count: 997) + "\r\n", count: 300) + "\r\n",
            431
        ),
        accepts(
            "1,000 fields",
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 999) + "\r\n",
            "GET",
            "/"
        ),
        refuses(
            "1,001 fields",
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 1000) + "\r\n",
            431
        ),
    ]
}
