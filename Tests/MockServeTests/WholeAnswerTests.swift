import Foundation
import HTTPTypes
import MockServe
import Synchronization
import Testing

/// One request gets one answer, and all of it, whatever the client does with its side of the connection.
@Suite(.timeLimit(.minutes(5)))
struct WholeAnswerTests {
    /// A replay of `/a` and `/b`, each answered with its own name.
    private func withReplay<Result>(_ body: (Int) async throws -> Result) async throws -> Result {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            try await withMockServer(responder: { .text("this is \($0.path)") }) { upstream in
                var recording = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString)
                recording.recordsInCI = true
                try await withMockServer(recording) { server in
                    for name in ["a", "b"] {
                        _ = try RawClient.exchange(
                            server.port,
                            "GET /\(name) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                        )
                    }
                }
            }
            return try await withMockServer(.replay(path)) { try await body($0.port) }
        }
    }

    @Test(arguments: ["\r\n", "\r\n\r\n", "\r\n\r\n\r\n"])
    func blankLinesBeforeARequestAreNoRequest(_ blank: String) async throws {
        try await withReplay { port in
            let client = try RawClient(port: port)
            // Often enough for the first to be known by its bytes.
            let names = ["a", "a", "a", "b", "a", "b"]
            client.send(names.map { "\(blank)GET /\($0) HTTP/1.1\r\nHost: localhost\r\n\r\n" }.joined())
            client.send("GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            let answers = client.readToEnd().split(separator: "this is /").dropFirst().map { String($0.prefix(1)) }
            #expect(answers == names + ["a"])
        }
    }

    @Test func aHalfClosedClientGetsTheAnswersToAllThatItSent() async throws {
        try await withReplay { port in
            let client = try RawClient(port: port)
            let count = 20_000
            async let sent: Void = offPool {
                client.send(String(repeating: "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n", count: count))
                client.closeOutput()
            }
            let received = try await offPool { client.readToEnd() }
            try await sent
            #expect(received.ranges(of: "this is /a").count == count)
        }
    }

    private static let length = 30 << 20

    private func withLongAnswer(
        _ configure: (inout MockServerConfiguration) -> Void = { _ in },
        _ body: (MockServer) async throws -> Void
    )
        async throws
    {
        var configuration = MockServerConfiguration.responding(
            with: ClosureResponder { _ in MockResponse(status: .ok, body: Array(repeating: 0x61, count: Self.length)) }
        )
        configure(&configuration)
        try await withMockServer(configuration, body)
    }

    private func count(_ client: RawClient) async throws -> Int {
        try await offPool { client.readToEnd().utf8.count }
    }

    @Test func aHalfClosedClientGetsALongAnswerToItsEnd() async throws {
        try await withLongAnswer { server in
            let client = try RawClient(port: server.port)
            client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            client.closeOutput()
            try await server.wait(for: "GET /")
            try await #expect(count(client) > Self.length)
        }
    }

    @Test func whatWasAnsweredBeforeTheStopGoesOut() async throws {
        let client = Mutex<RawClient?>(nil)
        try await withLongAnswer { server in
            let connected = try RawClient(port: server.port)
            connected.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await server.wait(for: "GET /")
            client.withLock { $0 = connected }
            async let received = count(connected)
            try await server.stop()
            try await #expect(received > Self.length)
        }
    }

    @Test func aClientThatClosesAfterItsAnswerGetsAllOfIt() async throws {
        try await withLongAnswer { server in
            let client = try RawClient(port: server.port)
            client.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            try await server.wait(for: "GET /")
            try await #expect(count(client) > Self.length)
        }
    }

    @Test(arguments: ["", "Connection: close\r\n"])
    func aClientThatStopsReadingIsCutOff(_ fields: String) async throws {
        let configure = { (configuration: inout MockServerConfiguration) in
            configuration.limits.stallTimeout = .milliseconds(200)
            configuration.stopDeadline = .seconds(40)
        }
        try await withLongAnswer(configure) { server in
            let client = try RawClient(port: server.port)
            client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
            try await server.wait(for: "GET /")
            // Stopping does not wait for it: it is cut long before the deadline.
            let start = ContinuousClock.now
            try await server.stop()
            #expect(ContinuousClock.now - start < .seconds(30))
            try await #expect(count(client) < Self.length)
        }
    }

    @Test func theTaskOfAHandlerEndsWithItsClient() async throws {
        let isEnded = Mutex(false)
        let stream = { @Sendable (_: MockRequest) in
            let pieces = AsyncThrowingStream<[UInt8], any Error> { continuation in
                continuation.onTermination = { _ in isEnded.withLock { $0 = true } }
                for _ in 0..<256 { continuation.yield(Array(repeating: 0x61, count: 1 << 18)) }
            }
            return MockResponse(status: .ok, stream: pieces)
        }
        var configuration = MockServerConfiguration.responding(with: ClosureResponder(stream))
        configuration.limits.stallTimeout = .milliseconds(200)
        try await withMockServer(configuration) { server in
            let client = try RawClient(port: server.port)
            client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let entries = try await server.wait(for: "GET /")
            #expect(isEnded.withLock { $0 })
            guard let reason = entries[0].outcome.failure else { return #expect(Bool(false), "\(entries)") }
            #expect(reason.contains("went away"))
            #expect(client.readToEnd().utf8.count < 256 << 18)
        }
    }

    @Test func aStreamThatThrowsIsNotedAsFailed() async throws {
        struct Broken: Error {}
        let respond = { @Sendable (_: MockRequest) in
            MockResponse(status: .ok, stream: AsyncThrowingStream { $0.finish(throwing: Broken()) })
        }
        try await withMockServer(responder: respond) { server in
            let client = try RawClient(port: server.port)
            client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let entries = try await server.wait(for: "GET /")
            guard let reason = entries[0].outcome.failure else { return #expect(Bool(false), "\(entries)") }
            #expect(reason.contains("Broken") && entries[0].status == 200)
        }
    }

    @Test(arguments: [
        "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nConnection: close\r\n\r\nxyz",
        "GET /a HTTP/1.0\r\n\r\n\0",
    ])
    func nothingFollowsALastRequest(_ text: String) async throws {
        try await withMockServer(responder: { _ in .text("fine") }) { server in
            let answer = try RawClient.exchange(server.port, text)
            #expect(answer.hasPrefix("HTTP/1.1 400 ") && !answer.contains("fine"))
        }
    }

    @Test func aNULAfterARequestIsRefusedAtOnce() async throws {
        try await withMockServer(responder: { _ in .text("fine") }) { server in
            let answer = try RawClient.exchange(server.port, "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n\0")
            #expect(answer.contains("fine") && answer.contains("HTTP/1.1 400 "))
        }
    }

    @Test func lineEndsAfterALastRequestDoNoHarm() async throws {
        try await withMockServer(responder: { _ in .text("fine") }) { server in
            let text = "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx\r\n"
            try #expect(RawClient.exchange(server.port, text).hasSuffix("fine"))
        }
    }

    @Test func answersOfOurOwnHaveADate() async throws {
        try await withMockServer(responder: { _ in .text("fine") }) { server in
            for request in ["GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "nonsense\r\n\r\n"] {
                let answer = try RawClient.exchange(server.port, request)
                let date = answer.firstMatch(
                    of: /\r\nDate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/
                )
                #expect(date != nil, "\(answer)")
            }
        }
    }
}
