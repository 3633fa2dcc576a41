import HTTPMessages
import HTTPWire
import Testing

/// A response, as bytes one character a byte, and what must become of it when the connection then closes.
struct ResponseCase: Sendable, CustomStringConvertible {
    enum Outcome: Sendable, Equatable {
        case accepted(status: Int, reason: String?, fields: [String], body: String)
        case refused
    }

    let name: String
    let bytes: String
    let outcome: Outcome
    var answersHEAD = false

    var description: String { name }

    static func accepts(
        _ name: String,
        _ bytes: String,
        _ status: Int = 200,
        reason: String? = "OK",
        fields: [String] = [],
        body: String = "",
        answersHEAD: Bool = false
    ) -> Self {
        let outcome = Outcome.accepted(status: status, reason: reason, fields: fields, body: body)
        return Self(name: name, bytes: bytes, outcome: outcome, answersHEAD: answersHEAD)
    }

    static func refuses(_ name: String, _ bytes: String) -> Self {
        Self(name: name, bytes: bytes, outcome: .refused)
    }

    private static let ok = "HTTP/1.1 200 OK\r\n"

    static let all: [ResponseCase] = [
        accepts("the plain response", ok + "Content-Length: 2\r\n\r\nhi", fields: ["Content-Length: 2"], body: "hi"),
        accepts("until close", ok + "\r\nhi", body: "hi"),
        accepts("until close, empty", ok + "\r\n"),
        accepts("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhi", body: "hi"),
        accepts("no reason", "HTTP/1.1 200 \r\n\r\n", reason: ""),
        accepts("no reason and no space", "HTTP/1.1 200\r\n\r\n", reason: nil),
        accepts("a long reason", "HTTP/1.1 200 a b  c \r\n\r\n", reason: "a b  c "),
        accepts("a non-ASCII reason", "HTTP/1.1 200 \u{E9}\r\n\r\n", reason: "\u{E9}"),
        accepts("an odd status", "HTTP/1.1 799 Odd\r\n\r\n", 799, reason: "Odd"),
        accepts(
            "bare LF everywhere",
            "HTTP/1.1 200 OK\nX: y\nContent-Length: 2\n\nhi",
            fields: ["X: y", "Content-Length: 2"],
            body: "hi"
        ),
        accepts("mixed line ends", "HTTP/1.1 200 OK\nX: y\r\n\nhi", fields: ["X: y"], body: "hi"),
        accepts("blank lines before the status", "\r\n\r\n" + ok + "\r\nhi", body: "hi"),
        accepts("a bare LF before the status", "\n" + ok + "\r\nhi", body: "hi"),
        accepts("obs-fold", ok + "X: a\r\n b\r\n\tc\r\n\r\n", fields: ["X: a b c"]),
        accepts("obs-fold of an empty value", ok + "X:\r\n b\r\n\r\n", fields: ["X: b"]),
        accepts("space before the colon", ok + "X : y\r\n\r\n", fields: ["X: y"]),
        accepts("no space after the colon", ok + "X:y\r\n\r\n", fields: ["X: y"]),
        accepts("an odd name", ok + "X(y): z\r\n\r\n", fields: ["X(y): z"]),
        accepts("a non-ASCII name", ok + "\u{E9}: z\r\n\r\n", fields: ["\u{E9}: z"]),
        accepts("a control character in a value", ok + "X: a\u{01}b\r\n\r\n", fields: ["X: a\u{01}b"]),
        accepts(
            "equal lengths",
            ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
            fields: ["Content-Length: 2", "Content-Length: 2"],
            body: "hi"
        ),
        accepts(
            "equal lengths in one field",
            ok + "Content-Length: 2, 2\r\n\r\nhi",
            fields: ["Content-Length: 2, 2"],
            body: "hi"
        ),
        accepts("100 before the answer", "HTTP/1.1 100 Continue\r\n\r\n" + ok + "\r\nhi", body: "hi"),
        accepts("103 before the answer", "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + ok + "\r\n"),
        accepts(
            "204 with a length",
            "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n",
            204,
            reason: "No",
            fields: ["Content-Length: 5"]
        ),
        accepts("204 with a body", "HTTP/1.1 204 No\r\n\r\nhello", 204, reason: "No"),
        accepts(
            "304 with a length",
            "HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n",
            304,
            reason: "Not",
            fields: ["Content-Length: 5"]
        ),
        accepts(
            "HEAD with a length",
            ok + "Content-Length: 5\r\n\r\n",
            fields: ["Content-Length: 5"],
            answersHEAD: true
        ),
        accepts(
            "HEAD with a coding",
            ok + "Transfer-Encoding: chunked\r\n\r\n",
            fields: ["Transfer-Encoding: chunked"],
            answersHEAD: true
        ),
        accepts(
            "chunked",
            ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            fields: ["Transfer-Encoding: chunked"],
            body: "hi"
        ),
        accepts(
            "chunked with bare LF",
            ok + "Transfer-Encoding: chunked\r\n\r\n2\nhi\n0\n\n",
            fields: ["Transfer-Encoding: chunked"],
            body: "hi"
        ),
        accepts(
            "spaces after a size",
            ok + "Transfer-Encoding: chunked\r\n\r\n2  \r\nhi\r\n0  \r\n\r\n",
            fields: ["Transfer-Encoding: chunked"],
            body: "hi"
        ),
        accepts(
            "bytes after the end",
            ok + "Content-Length: 2\r\n\r\nhi there",
            fields: ["Content-Length: 2"],
            body: "hi"
        ),
        accepts(
            "a length with chunking",
            ok + "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            fields: ["Content-Length: 7", "Transfer-Encoding: chunked"],
            body: "hi"
        ),
        accepts(
            "chunked twice",
            ok + "Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            fields: ["Transfer-Encoding: chunked, chunked"],
            body: "hi"
        ),
        accepts(
            "chunked in HTTP/1.0",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            fields: ["Transfer-Encoding: chunked"],
            body: "hi"
        ),
        accepts(
            "identity and a length",
            ok + "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi there",
            fields: ["Transfer-Encoding: identity", "Content-Length: 2"],
            body: "hi"
        ),
        accepts(
            "identity and chunked",
            ok + "Transfer-Encoding: identity, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            fields: ["Transfer-Encoding: identity, chunked"],
            body: "hi"
        ),
        refuses("nothing", ""),
        refuses("half a status line", "HTTP/1.1 20"),
        refuses("half a head", ok + "X: y\r\n"),
        refuses("half a body", ok + "Content-Length: 5\r\n\r\nhi"),
        refuses("half a chunk", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhi"),
        refuses("no last chunk", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"),
        refuses("unequal lengths", ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!"),
        refuses("unequal lengths in one field", ok + "Content-Length: 2, 3\r\n\r\nhi!"),
        refuses("a signed length", ok + "Content-Length: +2\r\n\r\nhi"),
        refuses("an empty length", ok + "Content-Length:\r\n\r\nhi"),
        refuses("another coding", ok + "Transfer-Encoding: gzip\r\n\r\nhi"),
        refuses("NUL in a value", ok + "X: a\0b\r\n\r\n"),
        refuses("NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"),
        refuses("a bare CR in a value", ok + "X: a\rb\r\n\r\n"),
        refuses("a line without a colon", ok + "nonsense\r\n\r\n"),
        refuses("an empty name", ok + ": x\r\n\r\n"),
        refuses("a space in a name", ok + "X Y: z\r\n\r\n"),
        refuses("white space before the first field", ok + " X: y\r\n\r\n"),
        refuses("HTTP/2", "HTTP/2 200\r\n\r\n"),
        refuses("HTTP/0.9", "<html>hello</html>"),
        refuses("another protocol", "SSH-2.0-OpenSSH_9.2\r\n"),
        refuses("a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"),
        refuses("a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"),
        refuses("a status below 100", "HTTP/1.1 099 OK\r\n\r\n"),
        refuses("101", "HTTP/1.1 101 Switching\r\n\r\n"),
        refuses("1xx without end", String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 40)),
        refuses("a status line over 16 KiB", "HTTP/1.1 200 " + String(repeating: "a", count: 17000) + "\r\n\r\n"),
        refuses("fields over 256 KiB", ok + "X: " + String(repeating: "a", count: 263_000) + "\r\n\r\n"),
    ]
}

@Suite struct ResponseParserTests {
    @Test(arguments: ResponseCase.all)
    func readsOrRefuses(_ example: ResponseCase) {
        #expect(outcome(readResponse([octets(example.bytes)], answersHEAD: example.answersHEAD)) == example.outcome)
    }

    @Test(arguments: ResponseCase.all.filter { $0.bytes.utf8.count < 2000 })
    func splittingChangesNothing(_ example: ResponseCase) {
        let bytes = octets(example.bytes)
        let whole = readResponse([bytes], answersHEAD: example.answersHEAD)
        #expect(readResponse(bytes.map { [$0] }, answersHEAD: example.answersHEAD) == whole)
        for cut in bytes.indices {
            let pieces = [Array(bytes[..<cut]), Array(bytes[cut...])]
            #expect(readResponse(pieces, answersHEAD: example.answersHEAD) == whole, "cut at \(cut)")
        }
    }

    private func outcome(_ reading: Reading<ResponseHead>) -> ResponseCase.Outcome {
        guard reading.error == nil, let message = reading.messages.first else { return .refused }
        return .accepted(
            status: message.head.status,
            reason: message.head.reason.map { text($0) },
            fields: message.head.fields.map { "\(text($0.name)): \(text($0.value))" },
            body: text(message.body)
        )
    }

    @Test func keepsChunkBoundariesAndTrailers() throws {
        let bytes =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n3\r\nbcd\r\n0\r\nX: 1\r\nx: 2\r\n\r\n"
        let message = try #require(readResponse([octets(bytes)]).messages.first)
        #expect(message.chunks == [1, 3])
        #expect(message.trailers.map { "\(text($0.name))=\(text($0.value))" } == ["X=1", "x=2"])
    }

    @Test func keepsInformationalResponses() throws {
        let bytes = "HTTP/1.1 103 Early\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
        let message = try #require(readResponse([octets(bytes)]).messages.first)
        #expect(message.informational.map(\.status) == [103])
        #expect(message.informational.first?.fields.first("link").map { text($0) } == "<a>")
    }

    @Test func serialisesToTheSameBytes() throws {
        var random = SplitMix(seed: 3)
        for _ in 0..<2000 {
            let bytes = Generated.response(&random)
            let message = try #require(readResponse([bytes]).messages.first, "\(text(bytes))")
            #expect(serialise(message) == bytes)
        }
    }

    @Test func randomSplitsChangeNothing() {
        var random = SplitMix(seed: 4)
        for _ in 0..<500 {
            let bytes = Generated.response(&random)
            #expect(readResponse(random.split(bytes)) == readResponse([bytes]))
        }
    }
}
