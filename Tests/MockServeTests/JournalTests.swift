import Foundation
import HTTPTypes
import MockServe
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5)))
struct JournalTests {
    private func get(_ port: Int, _ target: String, _ fields: String = "") throws -> String {
        try RawClient.exchange(
            port,
            "GET \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(fields)Connection: close\r\n\r\n"
        )
    }

    private func outcomes(_ server: MockServer) -> [String] {
        server.journal.entries.map { entry in
            let outcome = ([String(describing: entry.outcome)] + (entry.outcome.interaction.map { [String($0)] } ?? []))
                .joined(separator: " ")
            return "\(entry.number) \(entry) \(outcome)"
        }
    }

    @Test func tellsWhatBecameOfEveryRequest() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            try await withMockServer(responder: { .text($0.path, status: $0.path == "/gone" ? .gone : .ok) }) {
                upstream in
                var recording = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString)
                recording.recordsInCI = true
                try await withMockServer(recording) { server in
                    for target in ["/x", "/gone"] { _ = try get(server.port, target) }
                    #expect(outcomes(server) == ["1 GET /x 200 recorded 1", "2 GET /gone 410 recorded 2"])
                }
                #expect(outcomes(upstream) == ["1 GET /x 200 responded", "2 GET /gone 410 responded"])
                recording = .record(path, upstream: upstream.url.absoluteString, mode: .passthrough)
                try await withMockServer(recording) { server in
                    _ = try get(server.port, "/x")
                    #expect(outcomes(server) == ["1 GET /x 200 forwarded"])
                }
            }
            var replay = MockServerConfiguration.replay(path)
            replay.failsOnMisses = false
            try await withMockServer(replay) { server in
                for target in ["/gone", "/none", "/x"] { _ = try get(server.port, target) }
                #expect(
                    outcomes(server) == [
                        "1 GET /gone 410 replayed 2", "2 GET /none 404 missed", "3 GET /x 200 replayed 1",
                    ]
                )
            }
        }
    }

    @Test func forgetsTheOldestAndSaysSo() async throws {
        var configuration = MockServerConfiguration.responding(with: ClosureResponder { _ in .text("") })
        configuration.journalLimits.entries = 3
        try await withMockServer(configuration) { server in
            for number in 1...5 { _ = try get(server.port, "/\(number)") }
            try await server.wait(for: "GET /5")
            #expect(server.journal.entries.map(\.number) == [3, 4, 5] && server.journal.forgottenCount == 2)
        }
        configuration.journalLimits.entries = 1000
        configuration.journalLimits.bytes = 2000
        try await withMockServer(configuration) { server in
            for number in 1...4 { _ = try get(server.port, "/\(number)\(String(repeating: "x", count: 800))") }
            try await server.wait(for: "GET /4*")
            #expect(server.journal.entries.count == 2 && server.journal.forgottenCount == 2)
        }
    }

    @Test func waitsForWhatIsToCome() async throws {
        try await withMockServer(responder: { _ in .text("") }) { server in
            async let waited = server.wait(for: "GET /b/*", count: 2)
            for target in ["/a", "/b/1", "/b", "/b/2", "/b/3"] { _ = try get(server.port, target) }
            let entries = try await waited
            #expect(entries.map(\.target) == ["/b/1", "/b/2"])
            // Earlier requests count too.
            let waitedFor = try await server.wait(for: "* /**", count: 5).count
            #expect(waitedFor == 5)
        }
    }

    @Test func doesNotWaitForever() async throws {
        try await withMockServer(responder: { _ in .text("") }) { server in
            _ = try get(server.port, "/a")
            try await server.wait(for: "GET /a")
            let error = await #expect(throws: MockServeError.self) {
                try await server.wait(for: "POST /a", timeout: .milliseconds(20))
            }
            #expect(error?.code == .timedOut)
            #expect(error?.message == "Of 1 request `POST /a` 0 came within 0.02 s; the last request was GET /a 200.")
            let wrong = await #expect(throws: MockServeError.self) { try await server.wait(for: "nonsense") }
            #expect(wrong?.code == .invalidConfiguration)
            let task = Task { try await server.wait(for: "GET /never", timeout: .seconds(50)) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test func waitsSynchronouslyToo() throws {
        try withMockServer(responder: { _ in .text("") }) { server in
            _ = try get(server.port, "/a")
            let waitedFor = try server.wait(for: "GET /a").count
            #expect(waitedFor == 1)
        }
    }

    @Test func isWrittenToAFile() async throws {
        try await withFolder { folder in
            let file = folder.appendingPathComponent("journal.jsonl")
            let repository = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized
            var replay = MockServerConfiguration.replay(
                repository.appendingPathComponent("cassettes/httpbin.cassette").path
            )
            replay.failsOnMisses = false
            replay.journalFile = file.path
            for _ in 0..<2 {
                try await withMockServer(replay) { server in
                    for target in ["/get", "/no\"ne"] { _ = try get(server.port, target) }
                }
            }
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            let objects = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
            #expect(objects.map { $0?["outcome"] as? String } == ["replayed", "missed", "replayed", "missed"])
            #expect(objects[1]?["target"] as? String == "/no\"ne")
            #expect((objects[1]?["explanation"] as? String)?.contains("No recorded interaction matches") == true)
            #expect((objects[1]?["problem"] as? [String: Any])?["status"] as? Int == 404)
            replay.journalFile = folder.appendingPathComponent("no/such/folder").path
            await #expect(throws: MockServeError.self) { try await withMockServer(replay) { _ in } }
        }
    }

    @Test func parallelScopesAddToOneCoverageFile() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let coverage = folder.appendingPathComponent("used.jsonl").path
            try await withMockServer(responder: { .text($0.path) }) { upstream in
                var recording = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString)
                recording.recordsInCI = true
                try await withMockServer(recording) { server in
                    for number in 1...9 { _ = try get(server.port, "/\(number)") }
                }
            }
            var replay = MockServerConfiguration.replay(path)
            replay.coverageFile = coverage
            let configuration = replay
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...8 {
                    group.addTask {
                        try await withMockServer(configuration) { _ = try get($0.port, "/\(number)") }
                    }
                }
                try await group.waitForAll()
            }
            #expect(Set(try CoverageFile.read(coverage).map(\.number)) == Set(1...8))
            try Data("nonsense\n".utf8).write(to: URL(fileURLWithPath: coverage))
            #expect(throws: MockServeError.self) { try CoverageFile.read(coverage) }
        }
    }
}

@Suite(.timeLimit(.minutes(5)))
struct RulePlaybackTests {
    private func get(_ port: Int, _ target: String, _ fields: String = "") throws -> String {
        let answer = try RawClient.exchange(
            port,
            "GET \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(fields)Connection: close\r\n\r\n"
        )
        return String(answer.suffix(from: answer.ranges(of: "\r\n\r\n").first?.upperBound ?? answer.startIndex))
    }

    @Test func rulesMapAndPlay() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let counter = Counter()
            try await withMockServer(responder: { _ in .text("\(counter.next())") }) { upstream in
                var recording = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString)
                recording.recordsInCI = true
                recording.rules = [
                    .map("path", "[0-9]+", to: "N", for: "GET /users/**"), .play(.cycle, for: "GET /status"),
                    .ignore("query:ts", for: "GET /status"), .require("X-Key", for: "GET /key"),
                ]
                try await withMockServer(recording) { server in
                    for target in ["/status?ts=1", "/status?ts=2", "/users/7", "/7"] {
                        _ = try get(server.port, target)
                    }
                    _ = try get(server.port, "/key", "X-Key: a\r\n")
                }
            }
            var replay = MockServerConfiguration.replay(path)
            replay.failsOnMisses = false
            try await withMockServer(replay) { server in
                for expected in ["1", "2", "1"] { try #expect(get(server.port, "/status?ts=9") == expected) }
                try #expect(get(server.port, "/users/99") == "3")
                try #expect(get(server.port, "/key", "X-Key: a\r\n") == "5")
                #expect(server.missCount == 0)
                _ = try get(server.port, "/99")
                _ = try get(server.port, "/key", "X-Key: b\r\n")
                #expect(server.missCount == 2)
            }
        }
    }

    @Test func answersFromTheVariantThatAgrees() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let vary: HTTPFields = [.vary: "Accept-Language"]
            try await withMockServer(responder: { request in
                MockResponse(
                    status: .ok,
                    fields: vary,
                    body: Array((request.head.headerFields[.acceptLanguage] ?? "none").utf8)
                )
            }) { upstream in
                var recording = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString)
                recording.recordsInCI = true
                try await withMockServer(recording) { server in
                    for language in ["de", "en"] { _ = try get(server.port, "/", "Accept-Language: \(language)\r\n") }
                }
            }
            try await withMockServer(.replay(path)) { server in
                for language in ["en", "de", "en", "en", "de"] {
                    try #expect(get(server.port, "/", "Accept-Language: \(language)\r\n") == language)
                }
                // No recorded variant fits: in order, as if there were none.
                try #expect(get(server.port, "/", "Accept-Language: fr\r\n") == "de")
                try #expect(get(server.port, "/") == "en")
            }
        }
    }

    @Test(arguments: [
        CassetteRule.ignore("nonsense"), .map("query:a", "(", to: ""), .play(.strict, for: "GET /"),
        .ignore("body", for: "nonsense"),
    ])
    func aRuleThatMakesNoSenseIsAnError(_ rule: CassetteRule) async throws {
        try await withFolder { folder in
            var recording = MockServerConfiguration.record(
                folder.appendingPathComponent("a.cassette").path,
                upstream: "http://127.0.0.1:1"
            )
            recording.recordsInCI = true
            recording.rules = [rule]
            let configuration = recording
            let error = await #expect(throws: MockServeError.self) { try await withMockServer(configuration) { _ in } }
            #expect(error?.code == .invalidConfiguration)
        }
    }
}

private final class Counter: Sendable {
    private let value = Mutex(0)

    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
