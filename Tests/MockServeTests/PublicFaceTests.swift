import Foundation
import HTTPTypes
import MockServe
import Synchronization
import Testing

/// What users of the library meet that no other test names.
@Suite(.timeLimit(.minutes(5)))
struct PublicFaceTests {
    private func get(_ server: MockServer, _ path: String, _ fields: String = "") throws -> String {
        try RawClient.exchange(
            server.port,
            "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)Connection: close\r\n\r\n"
        )
    }

    private static let hello: any Responder = ClosureResponder { _ in .text("hello") }

    @Test func kindsHaveNames() throws {
        for mode in RecordMode.allCases { #expect(RecordMode(rawValue: mode.rawValue) == mode) }
        for playback in Playback.allCases { #expect(Playback(rawValue: playback.rawValue) == playback) }
        #expect(RecordMode.allCases.contains(.passthrough) && Playback.allCases.contains(.sequence))
        #expect(RecordMode(rawValue: "sometimes") == nil && Playback(rawValue: "sometimes") == nil)
        #expect(UnusedPolicy.fail != .ignore)
        let outcomes: [JournalEntry.Outcome] = [
            .forwarded, .responded, .failed("no"), .replayed(interaction: 1), .recorded(interaction: 2),
        ]
        #expect(outcomes.map(String.init(describing:)) == ["forwarded", "responded", "failed", "replayed", "recorded"])
        #expect(outcomes.map(\.interaction) == [nil, nil, nil, 1, 2])
        #expect(outcomes.map(\.failure) == [nil, nil, "no", nil, nil] && outcomes.allSatisfy { $0.miss == nil })
        let event: ServerEvent = .failure("no")
        #expect(event.failure == "no" && event.miss == nil)
    }

    @Test func errorsSayCodeAndCause() async throws {
        try await withFolder { folder in
            // A folder cannot be made where there is a file.
            let file = folder.appendingPathComponent("file")
            try Data().write(to: file)
            var recording = MockServerConfiguration.record(file.path + "/a.cassette", upstream: "http://127.0.0.1:9")
            recording.recordsInCI = true
            let error = try #require(await startFailure(recording))
            let code: MockServeError.Code = .cassetteUnwritable
            #expect(error.code == code && error.cause != nil)
            #expect(
                error.debugDescription.hasPrefix("MockServeError.cassetteUnwritable: \(error.message); because of: ")
            )
        }
    }

    @Test func recordingIsRefusedWhereCIIsSet() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let error = await startFailure(.record(path, upstream: "http://127.0.0.1:9"))
            let isCI = !(ProcessInfo.processInfo.environment["CI"] ?? "").isEmpty
            #expect(error?.code == (isCI ? .recordingRefused : nil))
        }
    }

    @Test func limitsAreThoseOfTheConfiguration() async throws {
        var configuration = MockServerConfiguration.responding(with: Self.hello)
        configuration.limits.fieldCount = 5
        configuration.limits.fieldSection = 200
        configuration.limits.chunkLine = 20
        try await withMockServer(configuration) { server in
            try #expect(get(server, "/").hasPrefix("HTTP/1.1 200 "))
            try #expect(get(server, "/", String(repeating: "A: b\r\n", count: 5)).hasPrefix("HTTP/1.1 431 "))
            try #expect(get(server, "/", "A: \(String(repeating: "b", count: 200))\r\n").hasPrefix("HTTP/1.1 431 "))
            let chunked =
                "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            let long = try RawClient.exchange(
                server.port,
                chunked + "1;a=\(String(repeating: "b", count: 30))\r\nx\r\n0\r\n\r\n"
            )
            #expect(long.hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test func anUpstreamThatDoesNotSpeakIsGivenUpInTime() async throws {
        let (socket, port) = try listeningSocket()
        defer { close(socket) }
        try await withFolder { folder in
            var options = UpstreamOptions()
            options.connectTimeout = .milliseconds(200)
            options.usesEnvironmentProxies = false
            let path = folder.appendingPathComponent("a.cassette").path
            // It accepts, and never answers the TLS handshake.
            var recording = MockServerConfiguration.record(path, upstream: "https://127.0.0.1:\(port)")
            recording.recordsInCI = true
            recording.upstream = options
            let events = Mutex<[ServerEvent]>([])
            recording.observer = { event in events.withLock { $0.append(event) } }
            try await withMockServer(recording) { server in
                try #expect(get(server, "/").hasPrefix("HTTP/1.1 504 "))
                #expect(server.failureCount == 1)
            }
            #expect(events.withLock { $0.compactMap(\.failure) }.count == 1)

            recording.upstream.trustedCertificates = folder.appendingPathComponent("none.pem").path
            #expect(await startFailure(recording)?.code == .invalidConfiguration)
        }
    }

    @Test func targetsOfRedactionMayBeForSomeRequests() {
        let login = "POST /login"
        #expect(RedactionTarget.json("pin").for(login).problem == nil)
        #expect(RedactionTarget.tellApart("json:password", byDigest: true).for(login).problem == nil)
        #expect(RedactionTarget.keep("cookie:theme").for("login").problem?.contains("no METHOD PATH") == true)
        #expect(RedactionTarget.secret("TOKEN", "s3cret-value").for(login).problem?.contains("in all requests") == true)
        #expect(RedactionTarget.json("$.pin").problem?.contains("not a path") == true)
    }

    @Test func secretsAreCountedAndGivenBack() async throws {
        let upstream = try await MockServer.start(
            .responding(with: ClosureResponder { _ in .json(#"{"said":"s3cret-value"}"#) })
        )
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let secret: RedactionTarget = .secret("SAID", "s3cret-value")
            var recording = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString)
            recording.recordsInCI = true
            recording.redact = [secret]
            try await withMockServer(recording) { server in
                try #expect(get(server, "/").hasSuffix(#"{"said":"s3cret-value"}"#))
                #expect(server.redactedCounts == ["said": 1])
            }
            var replay = MockServerConfiguration.replay(path)
            replay.redact = [secret]
            try await withMockServer(replay) { try #expect(get($0, "/").contains("redacted.said.1")) }
            replay.givesSecretsBack = true
            try await withMockServer(replay) { try #expect(get($0, "/").hasSuffix(#"{"said":"s3cret-value"}"#)) }
        }
        try await upstream.stop()
    }

    /// However many and long they are.
    @Test func aPageOfDeclaredSecretsIsSearchedFor() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            var recording = MockServerConfiguration.record(path, upstream: "http://127.0.0.1:9")
            recording.recordsInCI = true
            let letters = Array("!#$%abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
            recording.redact = (0..<24).map { number in
                let value = (0..<4_000).map { letters[($0 * 7 + number) % letters.count] }
                return .secret("S\(number)", String(value))
            }
            #expect(await startFailure(recording) == nil)
        }
    }

    @Test func serversShareAPortIfAllOfThemSaySo() async throws {
        var first = MockServerConfiguration.responding(with: Self.hello)
        first.sharesPort = true
        try await withMockServer(first) { server in
            #expect(!server.isReachableFromElsewhere)
            var second = first
            second.listen = .address("127.0.0.1", port: server.port)
            try await withMockServer(second) { #expect($0.port == server.port) }
            second.sharesPort = false
            #expect(await startFailure(second)?.code == .cannotListen)
        }
        var open = MockServerConfiguration.responding(with: Self.hello)
        open.listen = .address("0.0.0.0")
        try await withMockServer(open) { #expect($0.isReachableFromElsewhere) }
    }

    @Test func aResponseWaitsAsLongAsItSays() async throws {
        var response: MockResponse = .text("late")
        response.delay = .milliseconds(150)
        let body: MockResponse.Body = .bytes(Array("late".utf8))
        response.body = body
        let late = response
        let handler: Router.Handler = { request in
            let query: MockRequest.Parameters = request.query
            let first: MockRequest.Parameters.Pair? = query.pairs.first
            #expect(first?.name == "a" && first?.value == "b")
            return late
        }
        var router = Router()
        router.get("/", handler)
        try await withMockServer(.responding(with: router)) { server in
            let start = ContinuousClock.now
            try #expect(get(server, "/?a=b").hasSuffix("late"))
            #expect(start.duration(to: .now) >= .milliseconds(150))
        }
    }

    @Test func theJournalIsAValue() async throws {
        try await withMockServer(responder: { _ in .text("x") }) { server in
            _ = try get(server, "/a")
            try await server.wait(for: "GET /a")
            let journal: Journal = server.journal
            let misses: [Miss] = server.misses
            #expect(journal.entries.count == 1 && misses.isEmpty)
            var limits = JournalLimits()
            limits.body = 3
            #expect(limits != JournalLimits())
        }
    }
}
