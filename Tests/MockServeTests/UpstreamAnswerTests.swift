import HTTPMessages
import ContentCoding
import Foundation
import MockServe
import Synchronization
import Testing

/// What becomes of answers of a real upstream, odd ones too, and of requests on their way to it.
@Suite(.timeLimit(.minutes(5)))
struct UpstreamAnswerTests {
    private func get(_ port: Int, _ fields: String = "") throws -> String {
        try RawClient.exchange(port, "GET /x HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(fields)Connection: close\r\n\r\n")
    }

    /// Records what `ask` asks of an upstream with this answer.
    private func record(
        _ path: String,
        _ answer: RawUpstream.Answer,
        mode: RecordMode = .all,
        _ configure: (inout MockServerConfiguration) -> Void = { _ in },
        _ ask: (MockServer) throws -> Void
    ) async throws -> [String] {
        let upstream = try RawUpstream { _ in answer }
        var configuration = MockServerConfiguration.record(path, upstream: upstream.url, mode: mode)
        configuration.recordsInCI = true
        configure(&configuration)
        do {
            try await withMockServer(configuration) { try ask($0) }
        } catch {
            upstream.stop()
            throw error
        }
        upstream.stop()
        return upstream.received
    }

    private func withPath(_ body: (String) async throws -> Void) async throws {
        try await withFolder { try await body($0.appendingPathComponent("a.cassette").path) }
    }

    private static let cut = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nhalf"

    @Test(arguments: [RecordMode.once, .missing, .all, .passthrough])
    func whatCameOfACutAnswerGoesOut(_ mode: RecordMode) async throws {
        try await withPath { path in
            _ = try await record(path, .init(Self.cut), mode: mode) { server in
                let answer = try get(server.port)
                #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nhalf"), "\(answer)")
                #expect(answer.contains("Content-Length: 10\r\n"))
                #expect(server.failureCount == 1 && server.recordedCount == 0)
            }
        }
    }

    @Test(arguments: [
        cut, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n9\r\nan",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n",
    ])
    func cutAnswersAreReplayedCutIfTheyAreKept(_ text: String) async throws {
        try await withPath { path in
            var seen = ""
            _ = try await record(path, .init(text), { $0.keepsCutAnswers = true }) { server in
                seen = try get(server.port)
                #expect(server.recordedCutCount == 1 && server.failureCount == 0)
            }
            try await withMockServer(.replay(path)) { server in
                for _ in 0..<3 { try #expect(get(server.port) == seen) }
            }
            #expect(!seen.hasSuffix("0\r\n\r\n") && seen.hasPrefix("HTTP/1.1 200"))
        }
    }

    /// Compressed, chunked, of a type that says nothing, with or without the origin of the upstream.
    @Test(arguments: ["application/octet-stream", "text/plain"], ["no text", "{\"a\": 1}", "{\"url\": \"ORIGIN\"}"])
    func compressedBodiesKeepTheirChunksUnlessSomethingIsReplaced(_ type: String, _ content: String) async throws {
        try await withPath { path in
            let origin = Mutex("")
            let upstream = try RawUpstream { _ in
                let text = content.replacing("ORIGIN", with: origin.withLock { $0 })
                let coded = ContentCoding.gzip.encode(Array(text.utf8)) ?? []
                let fields = "Content-Type: \(type)\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked"
                var answer = Array("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n".utf8)
                for part in [coded.prefix(3), coded.dropFirst(3).prefix(12), coded.dropFirst(15)] {
                    answer += Array("\(String(part.count, radix: 16))\r\n".utf8) + part + Array("\r\n".utf8)
                }
                return .init(answer + Array("0\r\n\r\n".utf8))
            }
            defer { upstream.stop() }
            origin.withLock { $0 = upstream.url }
            var configuration = MockServerConfiguration.record(path, upstream: upstream.url)
            configuration.recordsInCI = true
            func body(_ port: Int) throws -> [UInt8] {
                let client = try RawClient(port: port)
                client.send("GET /x HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n")
                let answer = client.readBytesToEnd()
                let end = try #require(answer.firstRange(of: Array("\r\n\r\n".utf8)))
                return Array(answer[end.upperBound...])
            }
            let live = try await withMockServer(configuration) { try body($0.port) }
            try await withMockServer(.replay(path)) { server in
                let replayed = try body(server.port)
                if content.contains("ORIGIN") {
                    // One chunk, and with the address of whoever answers.
                    #expect(!live.starts(with: Array("3\r\n".utf8)) && !replayed.starts(with: Array("3\r\n".utf8)))
                } else {
                    #expect(live.starts(with: Array("3\r\n".utf8)) && replayed == live)
                }
            }
        }
    }

    @Test func informationalAnswersAreReplayed() async throws {
        let text =
            "HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
            + "Link: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
        try await withPath { path in
            var seen = ""
            _ = try await record(path, .init(text)) { seen = try get($0.port) }
            #expect(
                seen.hasPrefix(
                    "HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200"
                )
            )
            try await withMockServer(.replay(path)) { try #expect(get($0.port) == seen) }
        }
    }

    @Test(arguments: [
        ("Transfer-Encoding: chunked\r\nContent-Length: 7", "2\r\nhi\r\n0\r\n\r\n"),
        ("Content-Length: 7\r\nTransfer-Encoding: identity, chunked", "2\r\nhi\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "2\r\nhi\r\n0\r\n\r\n"),
        ("Transfer-Encoding: identity\r\nContent-Length: 2", "hi"),
    ])
    func anAnswerFramedTwiceIsFramedOnce(_ fields: String, _ body: String) async throws {
        try await withPath { path in
            var seen = ""
            _ = try await record(path, .init("HTTP/1.1 200 OK\r\n\(fields)\r\nX: y\r\n\r\n\(body)")) { server in
                seen = try get(server.port)
                #expect(server.failureCount == 0)
            }
            #expect(seen.hasSuffix("\r\n\r\n\(body)"), "\(seen)")
            let framings = seen.lowercased().matches(of: /\r\n(content-length|transfer-encoding): [a-z0-9]+(?=\r\n)/)
            #expect(framings.count == 1, "\(seen)")
            try await withMockServer(.replay(path)) { try #expect(get($0.port) == seen) }
        }
    }

    @Test func namesThatAreNoTokensAreNotForwarded() async throws {
        try await withPath { path in
            let text = "HTTP/1.1 200 OK\r\nContent-Length(): 5\r\nX\u{e9}: 1\r\nContent-Length: 2\r\n\r\nhi"
            _ = try await record(path, .init(text)) { server in
                let seen = try get(server.port)
                #expect(seen.hasSuffix("hi") && !seen.contains("()") && !seen.contains("X\u{e9}"))
            }
        }
    }

    @Test(
        arguments: [RecordMode.missing, .all, .passthrough],
        [
            "content-length", "close, Content-Length", "x\r\nConnection: CONTENT-LENGTH", "Host", "transfer-encoding",
            "te, trailer",
        ]
    )
    func connectionCannotNominateTheFraming(_ mode: RecordMode, _ nominated: String) async throws {
        try await withPath { path in
            let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
            let received = try await record(path, .init("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), mode: mode) {
                let answer = try RawClient.exchange(
                    $0.port,
                    "POST /x HTTP/1.1\r\nHost: localhost\r\nConnection: \(nominated)\r\nConnection: close\r\n"
                        + "Content-Length: \(smuggled.utf8.count)\r\n\r\n\(smuggled)"
                )
                #expect(answer.hasSuffix("hi"))
            }
            let request = try #require(received.first)
            #expect(received.count == 1 && request.contains("\r\nContent-Length: \(smuggled.utf8.count)\r\n"))
            #expect(request.hasSuffix("\r\n\r\n\(smuggled)") && request.contains("\r\nHost: "))
        }
    }

    @Test(arguments: [RecordMode.missing, .all, .passthrough])
    func aLongCompressedUploadInChunksArrives(_ mode: RecordMode) async throws {
        try await withPath { path in
            let received = try await record(path, .init("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), mode: mode) {
                let client = try RawClient(port: $0.port)
                client.send(
                    "PUT /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/plain\r\n"
                        + "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                // Not gzip, which does not matter: nobody could know before the end.
                for _ in 0..<80 { client.send("10000\r\n" + String(repeating: "a", count: 65536) + "\r\n") }
                client.send("0\r\n\r\n")
                #expect(client.readToEnd().hasSuffix("hi"))
            }
            #expect(received.first?.utf8.count ?? 0 > 80 * 65536)
        }
    }

    @Test(arguments: [
        ("https://evil.example", 403), ("null", 403), ("http://localhost:3000", 200), ("https://friend.example", 200),
    ])
    func pagesOfOthersCannotUseARecording(_ origin: String, _ status: Int) async throws {
        try await withPath { path in
            let configure = { (configuration: inout MockServerConfiguration) in
                configuration.allowedOrigins = ["https://friend.example"]
            }
            let received = try await record(path, .init("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), configure) {
                try #expect(get($0.port, "Origin: \(origin)\r\n").hasPrefix("HTTP/1.1 \(status) "))
            }
            #expect(received.count == (status == 200 ? 1 : 0))
        }
    }

    @Test func aWebSocketIsNotForwardedAsAPlainRequest() async throws {
        try await withPath { path in
            let received = try await record(path, .init("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")) { server in
                let answer = try RawClient.exchange(
                    server.port,
                    "GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
                )
                #expect(answer.hasPrefix("HTTP/1.1 501 ") && answer.contains("WebSocket"))
            }
            #expect(received.isEmpty)
        }
    }

    @Test(arguments: ["QUERY", "PROPFIND", "MADE-UP.1"])
    func anyTokenIsAMethod(_ method: String) async throws {
        try await withPath { path in
            func ask(_ port: Int, _ method: String) throws -> String {
                try RawClient.exchange(port, "\(method) /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            }
            _ = try await record(path, .init("HTTP/1.1 207 Many\r\nContent-Length: 2\r\n\r\nhi")) { server in
                try #expect(ask(server.port, method).hasSuffix("hi"))
            }
            var replay = MockServerConfiguration.replay(path)
            replay.failsOnMisses = false
            try await withMockServer(replay) { server in
                try #expect(ask(server.port, method).hasPrefix("HTTP/1.1 207 Many"))
                try #expect(ask(server.port, "OTHER").hasPrefix("HTTP/1.1 404 "))
            }
        }
    }
}
