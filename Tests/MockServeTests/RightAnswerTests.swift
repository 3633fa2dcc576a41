import HTTPMessages
import CassetteStore
import ContentCoding
import Foundation
import MockServe
import MockServeCore
import Synchronization
import Testing

/// Requests that share method and path but are told apart, or are known not to be.
@Suite(.timeLimit(.minutes(5)))
struct RightAnswerTests {
    private func ask(_ port: Int, _ fields: [String] = [], method: String = "GET", _ body: String = "") throws -> String
    {
        let lines = (["Host: 127.0.0.1:\(port)", "Connection: close"] + fields).map { $0 + "\r\n" }.joined()
        let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
        return try RawClient.exchange(port, "\(method) /x HTTP/1.1\r\n\(lines)\(length)\r\n\(body)")
    }

    /// Records with an upstream of raw answers, then replays.
    private func roundTrip(
        _ answer: @escaping @Sendable (String) -> RawUpstream.Answer,
        record: (MockServer) throws -> Void,
        replay: (MockServer, String) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let upstream = try RawUpstream(answer)
            defer { upstream.stop() }
            var configuration = MockServerConfiguration.record(path, upstream: upstream.url)
            configuration.recordsInCI = true
            let server = try await MockServer.start(configuration)
            try record(server)
            try await server.stop()
            var replaying = MockServerConfiguration.replay(path)
            replaying.failsOnMisses = false
            try await withMockServer(replaying) { try await replay($0, path) }
        }
    }

    private static let full = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 4\r\n\r\nfull"
    private static let notModified = "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n"

    @Test func a304IsForTheSameConditionOnly() async throws {
        let (full, notModified) = (Self.full, Self.notModified)
        try await roundTrip({ .init($0.contains("If-None-Match") ? notModified : full) }) { server in
            _ = try ask(server.port)
            _ = try ask(server.port, ["If-None-Match: \"1\""])
        } replay: { server, _ in
            for _ in 0..<2 {
                try #expect(ask(server.port).hasSuffix("full"))
                try #expect(ask(server.port, ["if-none-match: \"1\""]).hasPrefix("HTTP/1.1 304 "))
                try #expect(ask(server.port, ["If-None-Match: \"2\""]).hasSuffix("full"))
                try #expect(ask(server.port, ["If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"]).hasSuffix("full"))
            }
        }
    }

    @Test func a304AloneAnswersNobodyElse() async throws {
        let notModified = Self.notModified
        try await roundTrip({ _ in .init(notModified) }) { server in
            _ = try ask(server.port, ["If-None-Match: \"1\""])
        } replay: { server, _ in
            let miss = try ask(server.port)
            #expect(miss.hasPrefix("HTTP/1.1 404 ") && miss.contains("\"field:if-none-match\""))
            try #expect(ask(server.port, ["If-None-Match: \"2\""]).hasPrefix("HTTP/1.1 404 "))
            try #expect(ask(server.port, ["If-None-Match: \"1\""]).hasPrefix("HTTP/1.1 304 "))
        }
    }

    @Test func aPollWithConditionsIsReplayedInOrder() async throws {
        let (full, notModified) = (Self.full, Self.notModified)
        let changed = "HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: 3\r\n\r\nnew"
        let answers = [full, notModified, notModified, changed]
        let count = Counter()
        let conditions = [[], ["If-None-Match: \"1\""], ["If-None-Match: \"1\""], ["If-None-Match: \"1\""]]
        try await roundTrip({ _ in .init(answers[count.next()]) }) { server in
            for fields in conditions { _ = try ask(server.port, fields) }
        } replay: { server, _ in
            let statuses = try conditions.map { try ask(server.port, $0).dropFirst(9).prefix(3) }
            #expect(statuses == ["200", "304", "304", "200"])
            #expect(server.missCount == 0)
        }
    }

    @Test func aPartOfAnotherVersionIsSentWhole() async throws {
        let part = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/4\r\nContent-Length: 2\r\n\r\nfu"
        let full = Self.full
        try await roundTrip({ .init($0.contains("Range:") ? part : full) }) { server in
            _ = try ask(server.port)
            _ = try ask(server.port, ["Range: bytes=0-1", "If-Range: \"1\""])
        } replay: { server, _ in
            try #expect(ask(server.port, ["Range: bytes=0-1", "If-Range: \"1\""]).hasSuffix("fu"))
            try #expect(ask(server.port, ["Range: bytes=0-1", "If-Range: \"2\""]).hasSuffix("full"))
            try #expect(ask(server.port).hasSuffix("full"))
        }
    }

    @Test func anOperationThatWasNotRecordedIsAMiss() async throws {
        let answer = { @Sendable (request: String) in
            let name = request.firstMatch(of: /Target: (\w+)/).map { String($0.1) } ?? "none"
            return RawUpstream.Answer("HTTP/1.1 200 OK\r\nContent-Length: \(name.utf8.count)\r\n\r\n\(name)")
        }
        try await roundTrip(answer) { server in
            for name in ["ListTables", "GetItem"] {
                _ = try ask(server.port, ["X-Amz-Target: \(name)"], method: "POST", "{}")
            }
        } replay: { server, _ in
            for name in ["GetItem", "ListTables"] {
                try #expect(ask(server.port, ["X-Amz-Target: \(name)"], method: "POST", "{}").hasSuffix(name))
            }
            let miss = try ask(server.port, ["X-Amz-Target: PutItem"], method: "POST", "{}")
            #expect(miss.hasPrefix("HTTP/1.1 404 ") && miss.contains("\"field:x-amz-target\""))
        }
    }

    @Test func whatWasCompressedForAClientStaysSoForTheSameClient() async throws {
        let body = "\u{1F}\u{8B}not gzip at all"
        let answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        try await roundTrip({ _ in .init(answer) }) { server in
            _ = try ask(server.port, ["Accept-Encoding: identity"])
        } replay: { server, _ in
            let same = try ask(server.port, ["accept-encoding: identity"])
            #expect(same.hasSuffix(body) && same.contains("Content-Encoding: gzip"))
            // For another client it would be decoded, but its label is wrong.
            try #expect(ask(server.port, ["Accept-Encoding: br"]) == same)
        }
    }

    @Test func aLongCompressedAnswerIsDecodedForWhoNeedsThat() async throws {
        let text = Array(repeatElement("a line of text\n", count: 2 << 20).joined().utf8)
        let coded = try #require(ContentCoding.gzip.encode(text))
        let fields = "Content-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: \(coded.count)"
        let answer = RawUpstream.Answer(Array("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n".utf8) + coded)
        try await roundTrip({ _ in answer }) { server in
            _ = try ask(server.port, ["Accept-Encoding: gzip"])
        } replay: { server, _ in
            let plain = try ask(server.port, ["Accept-Encoding: identity"])
            #expect(plain.hasPrefix("HTTP/1.1 200 OK\r\n") && !plain.contains("Content-Encoding"))
            #expect(plain.utf8.count > text.count && plain.hasSuffix("0\r\n\r\n"))
            let head = try ask(server.port, ["Accept-Encoding: identity"], method: "HEAD")
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && !head.contains("Content-Length"))
            #expect(server.failureCount == 0)
        }
    }

    /// Zstd gives no output before a whole block is in; an empty body never gives any.
    @Test(arguments: [ContentCoding.gzip, .brotli, .zstd], [0, 1, 300_000])
    func compressedAnswersAreDecodedWhateverTheyBeginWith(_ coding: ContentCoding, _ size: Int) async throws {
        var generator = SystemRandomNumberGenerator()
        let text = (0..<size).map { _ in UInt8.random(in: 0x61...0x7A, using: &generator) }
        let coded = try #require(coding.encode(text))
        for framing in [
            "Content-Length: \(coded.count)\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n\(String(coded.count, radix: 16))\r\n",
        ] {
            let head = Array("HTTP/1.1 200 OK\r\nContent-Encoding: \(coding.name)\r\n\(framing)".utf8)
            let answer = RawUpstream.Answer(
                head + coded + (framing.contains("chunked") ? Array("\r\n0\r\n\r\n".utf8) : [])
            )
            try await roundTrip({ _ in answer }) { server in
                _ = try ask(server.port, ["Accept-Encoding: \(coding.name)"])
            } replay: { server, _ in
                let plain = try ask(server.port, ["Accept-Encoding: identity"])
                #expect(plain.hasPrefix("HTTP/1.1 200 OK\r\n") && !plain.contains("Content-Encoding"))
                #expect(size == 0 || plain.contains(String(decoding: text.prefix(1000), as: UTF8.self)))
                #expect(server.failureCount == 0)
            }
        }
    }

    @Test func aCompressedAnswerWithoutItsEndIsCutForWhoGetsItDecoded() async throws {
        let coded = try #require(
            ContentCoding.gzip.encode((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 5) })
        ).dropLast(100)
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(coded.count)\r\n\r\n"
        let answer = RawUpstream.Answer(Array(head.utf8) + coded)
        try await roundTrip({ _ in answer }) { server in
            _ = try ask(server.port, ["Accept-Encoding: gzip"])
        } replay: { server, _ in
            try #expect(!ask(server.port, ["Accept-Encoding: identity"]).hasSuffix("0\r\n\r\n"))
            #expect(server.failures.first?.contains("interaction 1 of ") == true)
        }
    }

    /// What is taken for a secret in one part of a request hides no other part.
    @Test(arguments: [
        "", "text/plain", "application/x-www-form-urlencoded", "application/x-ndjson", "application/octet-stream",
    ])
    func requestsThatHaveALinkInThemAreToldApart(_ type: String) async throws {
        func body(_ operation: String) -> String { #"{"cb":"https://x?a=1&token=abc","op":"\#(operation)"}"# }
        let fields = type.isEmpty ? [] : ["Content-Type: \(type)"]
        let answer = { @Sendable (request: String) -> RawUpstream.Answer in
            .init("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(request.contains("create1") ? 1 : 2)")
        }
        try await roundTrip(answer) { server in
            for name in ["create1", "create2"] { _ = try ask(server.port, fields, method: "POST", body(name)) }
        } replay: { server, _ in
            try #expect(ask(server.port, fields, method: "POST", body("create2")).hasSuffix("\r\n2"))
            try #expect(ask(server.port, fields, method: "POST", body("create1")).hasSuffix("\r\n1"))
            try #expect(ask(server.port, fields, method: "POST", body("create3")).hasPrefix("HTTP/1.1 404 "))
        }
    }

    @Test func aRuleThatIsAddedMeanwhileCounts() async throws {
        let full = Self.full
        try await roundTrip({ _ in .init(full) }) { server in
            _ = try ask(server.port, method: "POST", #"{"id": 1, "a": 2}"#)
        } replay: { server, path in
            func isAnswered(_ body: String) throws -> Bool {
                try ask(server.port, method: "POST", body).hasSuffix("full")
            }
            try #expect(isAnswered(#"{"id": 1, "a": 2}"#) && !isAnswered(#"{"id": 7, "a": 2}"#))
            _ = try CassetteEditor.add([try Rule(.ignore, "json:$.id")], to: path)
            // What it answered before, and what it did not.
            for _ in 0..<3 {
                try #expect(isAnswered(#"{"id": 1, "a": 2}"#) && isAnswered(#"{"id": 7, "a": 2}"#))
                try #expect(!isAnswered(#"{"id": 7, "a": 3}"#))
            }
        }
    }

    @Test func requestsThatRedactionMadeAlikeAreTold() async throws {
        let answer = { @Sendable (request: String) in
            let status = request.contains("right") ? "200 OK" : "401 Unauthorized"
            return RawUpstream.Answer("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n")
        }
        func logIn(_ port: Int, _ password: String) throws -> String {
            try ask(port, ["Content-Type: application/json"], method: "POST", #"{"password": "\#(password)"}"#)
        }
        let text =
            "#1 and #2 differ only in redacted values and answered 401 and 200; they are answered in the order recorded"
        try await roundTrip(answer) { server in
            for password in ["wrong", "right"] { _ = try logIn(server.port, password) }
        } replay: { server, path in
            try #expect(logIn(server.port, "right").hasPrefix("HTTP/1.1 401 "))
            #expect(server.journal.entries.map(\.remark) == [text])
            let reader = try CassetteReader(path: path)
            defer { reader.close() }
            try #expect(reader.likenesses().map(\.description) == [text])
        }
    }

    @Test func answersOutOfTheRecordedOrderAreTold() async throws {
        let count = Counter()
        try await roundTrip({ _ in .init("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(count.next())") }) { server in
            for method in ["GET", "GET", "POST", "GET"] { _ = try ask(server.port, method: method) }
        } replay: { server, _ in
            let methods = ["GET", "POST", "GET"]
            for method in methods { _ = try ask(server.port, method: method) }
            #expect(server.departureCount == 0)
        }
        let again = Counter()
        try await roundTrip({ _ in .init("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(again.next())") }) { server in
            for method in ["GET", "GET", "POST"] { _ = try ask(server.port, method: method) }
        } replay: { server, _ in
            for method in ["POST", "GET"] { _ = try ask(server.port, method: method) }
            #expect(server.departureCount == 1)
            #expect(server.journal.entries.last?.remark?.contains("before #3, a write") == true)
        }
    }
}

/// Counts from zero.
private final class Counter: Sendable {
    private let value = Atomic(0)

    func next() -> Int { value.add(1, ordering: .relaxed).oldValue }
}
