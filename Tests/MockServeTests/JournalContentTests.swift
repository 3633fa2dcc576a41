import ContentCoding
import Foundation
import HTTPTypes
import MockServe
import NIOCore
import NIOPosix
import Testing

/// A test can assert on what was said, whoever answered.
@Suite(.timeLimit(.minutes(5)))
struct JournalContentTests {
    private struct Charge: Codable, Equatable {
        var amount: Int
    }

    private func post(_ server: MockServer, _ target: String, _ fields: String, _ body: [UInt8]) throws -> String {
        let client = try RawClient(port: server.port)
        client.send(
            "POST \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(fields)Content-Length: \(body.count)\r\n\r\n"
        )
        client.send(body)
        return client.readToEnd()
    }

    private func check(_ server: MockServer) async throws {
        _ = try post(
            server,
            "/charges?token=abc",
            "Content-Type: application/json\r\nAuthorization: Bearer xyz\r\n",
            Array(#"{"amount": 100, "password": "hunter2"}"#.utf8)
        )
        _ = try post(server, "/other", "", Array("text".utf8))
        try await server.wait(for: "POST /*", count: 2)
        let journal = server.journal
        let charges = try journal.requests(matching: "POST /charges")
        let entry = try #require(charges.first)
        let request = try #require(entry.request)
        #expect(charges.count == 1 && (try? request.json(as: Charge.self)) == Charge(amount: 100))
        #expect(request.text == #"{"amount": 100, "password": "redacted"}"#)
        #expect(request.query["token"] == "redacted")
        #expect(request.fields[.authorization] == "Bearer redacted")
        let response = try #require(entry.response)
        #expect(response.status == .created && response.fields[.contentType] == "text/plain; charset=utf-8")
        #expect(!entry.isTruncated)
        #expect(throws: MockServeError.self) { try journal.requests(matching: "no pattern") }
    }

    @Test func handlersReplaysAndRecordingsKeepWhatWasSaid() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            var upstream = MockServerConfiguration.responding(
                with: ClosureResponder { .text($0.path, status: .created) }
            )
            upstream.journalLimits.body = 1000
            try await withMockServer(upstream) { upstream in
                try await check(upstream)
                var recording = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString)
                recording.recordsInCI = true
                recording.journalLimits.body = 1000
                try await withMockServer(recording) { try await check($0) }
            }
            var replay = MockServerConfiguration.replay(path)
            replay.journalLimits.body = 1000
            try await withMockServer(replay) { server in
                try await check(server)
                #expect(server.replayedCount == 2)
            }
            replay.failsOnMisses = false
            try await withMockServer(replay) { server in
                _ = try post(server, "/missed", "", Array("what was missed".utf8))
                let missed = try #require(server.journal.requests(matching: "POST /missed").first)
                #expect(missed.request?.text == "what was missed" && missed.response?.status == .notFound)
            }
        }
    }

    @Test func nothingIsKeptUnlessAskedFor() async throws {
        try await withMockServer(responder: { _ in .text("") }) { server in
            _ = try post(server, "/x", "", [1])
            try await server.wait(for: "POST /x")
            let entry = try #require(server.journal.entries.first)
            #expect(entry.request == nil && entry.response == nil && !entry.isTruncated)
        }
    }

    @Test func longBodiesAreKeptInPartAndCompressedOnesDecoded() async throws {
        var configuration = MockServerConfiguration.responding(
            with: ClosureResponder { request in .text(request.text) }
        )
        configuration.journalLimits.body = 100
        try await withMockServer(configuration) { server in
            _ = try post(server, "/long", "", Array(repeating: UInt8(ascii: "a"), count: 5000))
            let coded = try #require(ContentCoding.gzip.encode(Array("plain".utf8)))
            _ = try post(server, "/coded", "Content-Encoding: gzip\r\n", coded)
            _ = try post(server, "/broken", "Content-Encoding: gzip\r\n", Array("secret".utf8))
            try await server.wait(for: "POST /*", count: 3)
            func entry(_ path: String) throws -> JournalEntry {
                try #require(try server.journal.requests(matching: "POST \(path)").first)
            }
            try #expect(entry("/long").request?.body.count == 100 && entry("/long").isTruncated)
            try #expect(entry("/coded").request?.text == "plain" && !entry("/coded").isTruncated)
            // It could not be searched for secrets.
            try #expect(entry("/broken").request?.body == [])
        }
    }

    @Test func aServerMayRunOnThreadsOfOnesOwn() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        for _ in 0..<2 {
            var configuration = MockServerConfiguration.responding(with: ClosureResponder { _ in .text("own") })
            configuration.eventLoopGroup = group
            try await withMockServer(configuration) { try #expect(post($0, "/", "", []).hasSuffix("own")) }
        }
        try await group.shutdownGracefully()
    }

    @Test func errorsTellCodeAndCause() async throws {
        let error = await #expect(throws: MockServeError.self) { try await MockServer.start(.replay("/none.cassette")) }
        #expect(error.map { String(reflecting: $0) }?.hasPrefix("MockServeError.cassetteUnreadable: ") == true)
        #expect(error.map { String(reflecting: $0) }?.contains("; because of: ") == true)
        #expect(error.map { String(describing: $0) } == error?.message)
    }
}
