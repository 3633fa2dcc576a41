import CassetteStore
import Foundation
import GRDBSQLite
import HTTPMessages
import MockServe
import MockServeCore
import Testing

/// Stubs that a cassette keeps, while it is replayed.
@Suite(.timeLimit(.minutes(5)))
struct CassetteStubTests {
    @discardableResult
    private func add(
        _ pattern: String,
        _ text: String,
        _ conditions: StubConditions = StubConditions(),
        delay: Int = 0,
        trailers: Fields = Fields(),
        to path: String
    ) throws -> Int64 {
        let fields = Fields([("X-Raw", "caf\u{E9}"), ("Content-Length", String(text.utf8.count))])
        let head = ResponseHead(status: 218, reason: Array("This is fine".utf8), fields: fields)
        let stub = try StubDefinition(pattern, conditions, head, trailers: trailers, delay: delay)
        return try CassetteEditor.add(stub, body: Array(text.utf8), rules: [], secrets: [], to: path).number
    }

    private func ask(_ server: MockServer, _ request: String, body: String = "") throws -> String {
        let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
        return try RawClient.exchange(
            server.port,
            "\(request) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(length)\r\n\(body)"
        )
    }

    @Test func answerBeforeRecordings() async throws {
        try await withCassette([Recorded(target: "/users/1"), Recorded(target: "/b")]) { path in
            try add("GET /users/{id}", "older", to: path)
            try add("GET /users/{id}", "stub", to: path)
            try add("POST /**", "five", StubConditions(body: .containing(["amount": 5])), to: path)
            try add("GET /late", "late", delay: 30, trailers: Fields([("X-End", "1")]), to: path)
            var configuration = MockServerConfiguration.replay(path)
            configuration.failsOnMisses = false
            try await withMockServer(configuration) { (server: MockServer) async throws in
                let answer = try ask(server, "GET /users/1")
                #expect(answer.hasPrefix("HTTP/1.1 218 This is fine\r\nX-Raw: caf"))
                #expect(answer.hasSuffix("\r\n\r\nstub"))
                #expect(!answer.contains("Date:"))
                #expect(try ask(server, "HEAD /users/2").hasSuffix("Content-Length: 4\r\nConnection: close\r\n\r\n"))
                #expect(try ask(server, "GET /b").hasPrefix("HTTP/1.1 200"))
                #expect(try ask(server, "POST /x/y", body: #"{"amount": 5, "x": 1}"#).hasSuffix("five"))
                #expect(try ask(server, "POST /x/y", body: #"{"amount": 6}"#).hasPrefix("HTTP/1.1 404"))
                #expect(try ask(server, "GET /late").contains("late\r\n0\r\nX-End: 1\r\n"))
                let stub = server.stub(.get("/users/{id}"), .text("in code"))
                #expect(try ask(server, "GET /users/1").hasSuffix("in code"))
                stub.remove()
                #expect(try ask(server, "GET /users/1").hasSuffix("stub"))
                let entries = server.journal.entries.filter { $0.remark?.hasPrefix("stub") == true }
                #expect(entries.map(\.remark) == ["stub 2", "stub 2", "stub 3", "stub 4", "stub 2"])
                #expect(entries.allSatisfy { $0.status == 218 })
                #expect(server.missCount == 1)
                #expect(server.stubbedCount == 5)
            }
        }
    }

    private func add(_ pattern: String, _ text: String, _ behavior: (inout StubBehavior) -> Void, to path: String)
        throws
    {
        var stub = try StubDefinition(pattern, StubConditions(), ResponseHead(status: 200))
        behavior(&stub.behavior)
        _ = try CassetteEditor.add(stub, body: Array(text.utf8), rules: [], secrets: [], to: path)
    }

    @Test func thoseWithALowerNumberAreAskedFirst() async throws {
        try await withCassette([Recorded(target: "/b")]) { path in
            try add("GET /a", "first", { $0.priority = 1 }, to: path)
            try add("GET /{x}", "usual", { _ in }, to: path)
            try add("GET /{x}", "newest", { _ in }, to: path)
            try add("GET /**", "last", { $0.priority = 9 }, to: path)
            try await withMockServer(.replay(path)) { (server: MockServer) async throws in
                #expect(try ask(server, "GET /a").hasSuffix("\r\n\r\nfirst"))
                #expect(try ask(server, "GET /c").hasSuffix("newest"))
                #expect(try ask(server, "GET /c/d").hasSuffix("last"))
            }
        }
    }

    @Test func variablesSayWhichIsNext() async throws {
        try await withCassette([Recorded(target: "/b")]) { path in
            try add("GET /job", "waiting", { $0.requires["job"] = .some(nil) }, to: path)
            try add("GET /job", "done", { $0.requires["job"] = "ended" }, to: path)
            try add("POST /job/end", "ended", { $0.sets["job"] = "ended" }, to: path)
            try add("POST /job/again", "again", { $0.sets["job"] = .some(nil) }, to: path)
            var configuration = MockServerConfiguration.replay(path)
            configuration.failsOnMisses = false
            try await withMockServer(configuration) { (server: MockServer) async throws in
                for _ in 0..<2 { #expect(try ask(server, "GET /job").hasSuffix("waiting")) }
                #expect(try ask(server, "POST /job/end").hasSuffix("ended"))
                for _ in 0..<2 { #expect(try ask(server, "GET /job").hasSuffix("done")) }
                #expect(try ask(server, "POST /job/again").hasSuffix("again"))
                #expect(try ask(server, "GET /job").hasSuffix("waiting"))
                _ = try ask(server, "POST /job/end")
                #expect(server.rewind())
                #expect(try ask(server, "GET /job").hasSuffix("waiting"))
            }
            // Every server has its own.
            try await withMockServer(configuration) { (server: MockServer) async throws in
                #expect(try ask(server, "GET /job").hasSuffix("waiting"))
            }
        }
    }

    @Test func onlyAWholeRequestChangesVariables() async throws {
        try await withCassette([Recorded(target: "/b")]) { path in
            try add("POST /next", "next", { $0.sets["state"] = "on" }, to: path)
            try add("GET /state", "off", { $0.requires["state"] = .some(nil) }, to: path)
            try add("GET /state", "on", { $0.requires["state"] = "on" }, to: path)
            try await withMockServer(.replay(path)) { (server: MockServer) async throws in
                var client: RawClient? = try RawClient(port: server.port)
                client?.send("POST /next HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12")
                #expect(try ask(server, "GET /state").hasSuffix("off"))
                client = nil
                #expect(try ask(server, "GET /state").hasSuffix("off"))
                #expect(try ask(server, "POST /next", body: "1234567890").hasSuffix("next"))
                #expect(try ask(server, "GET /state").hasSuffix("on"))
            }
        }
    }

    @Test func answersMayWaitAndGoWrong() async throws {
        try await withCassette([Recorded(target: "/b")]) { path in
            try add("GET /reset", "x", { $0.fault = .reset }, to: path)
            try add("GET /garbage", "x", { $0.fault = .garbage }, to: path)
            try add("GET /half", "123456", { $0.fault = .close(after: 3) }, to: path)
            try add("GET /chunks", "123456", { $0.fault = .unfinishedChunks }, to: path)
            try add("GET /slow", "123456", { $0.fault = .slow(bytesPerSecond: 1000) }, to: path)
            try add("GET /late", "late", { $0.wait = .uniform(.milliseconds(1)...(.milliseconds(2))) }, to: path)
            try add("GET /both", "", { ($0.wait, $0.fault) = (.fixed(.milliseconds(1)), .close(after: 0)) }, to: path)
            try await withMockServer(.replay(path)) { (server: MockServer) async throws in
                #expect(try ask(server, "GET /slow").hasSuffix("123456"))
                #expect(try ask(server, "GET /late").hasSuffix("late"))
                #expect(try ask(server, "GET /half").hasSuffix("Content-Length: 6\r\nConnection: close\r\n\r\n123"))
                #expect(
                    try ask(server, "GET /chunks").contains("123456")
                        && !ask(server, "GET /chunks").hasSuffix("0\r\n\r\n")
                )
                for path in ["/reset", "/garbage", "/both"] {
                    let answer = (try? ask(server, "GET \(path)")) ?? ""
                    #expect(!answer.hasPrefix("HTTP/"), "\(path) \(answer)")
                }
                // With a body that is still on its way, too.
                #expect(try ask(server, "GET /late", body: "some").hasSuffix("late"))
                let remarks = server.journal.entries.compactMap(\.remark)
                #expect(
                    remarks.contains("stub 1; fault: reset") && remarks.contains("stub 3; fault: close after 3"),
                    "\(remarks)"
                )
            }
        }
    }

    @Test func comeAndGoMeanwhileAtOnce() async throws {
        try await withCassette([Recorded(target: "/a")]) { path in
            var configuration = MockServerConfiguration.replay(path)
            configuration.freshness = .zero
            try await withMockServer(configuration) { (server: MockServer) async throws in
                // Its answer is kept ready.
                for _ in 0..<3 { #expect(try ask(server, "GET /a").hasPrefix("HTTP/1.1 200")) }
                for round in 0..<20 {
                    // The number is always the same.
                    #expect(try add("GET /a", "stub \(round)", to: path) == 1)
                    #expect(try ask(server, "GET /a").hasSuffix("stub \(round)"))
                    try CassetteEditor.removeStubs([1...1], from: path)
                    // Sometimes nobody asks before the next one comes.
                    if round.isMultiple(of: 2) { #expect(try ask(server, "GET /a").hasPrefix("HTTP/1.1 200")) }
                }
            }
        }
    }

    @Test func aFirstRequestSeesThem() async throws {
        try await withCassette([Recorded(target: "/a")]) { path in
            try await withMockServer(.replay(path)) { (server: MockServer) async throws in
                try add("GET /new", "stub", to: path)
                #expect(try ask(server, "GET /new").hasSuffix("stub"))
            }
        }
    }

    @Test func inTheModeMissingTheyAreNotForwarded() async throws {
        try await withCassette([Recorded(target: "/a")]) { path in
            try add("GET /metrics/**", "stub", to: path)
            try await withMockServer(responder: { _ in .text("upstream") }) { (upstream: MockServer) async throws in
                let url = upstream.url.absoluteString
                var configuration = MockServerConfiguration.record(path, upstream: url, mode: .missing)
                configuration.recordsInCI = true
                try await withMockServer(configuration) { (server: MockServer) async throws in
                    #expect(try ask(server, "GET /metrics/x").hasSuffix("stub"))
                    #expect(try ask(server, "GET /other").hasSuffix("upstream"))
                    #expect(server.recordedCount == 1)
                }
                #expect(upstream.journal.entries.map(\.target) == ["/other"])
            }
        }
    }

    @Test func faultsHappenToThemToo() async throws {
        try await withCassette([Recorded(target: "/a")]) { path in
            try add("GET /s", "stub", to: path)
            try await withMockServer(.replay(path)) { (server: MockServer) async throws in
                server.fault(.slow(bytesPerSecond: 1000), on: .get("/s"))
                #expect(try ask(server, "GET /s").hasSuffix("stub"))
                #expect(server.journal.entries.last?.remark == "stub 1; fault: slow 1000")
            }
        }
    }

    @Test func aBodyThatNobodyLooksAtMayBeLong() async throws {
        try await withCassette([Recorded(target: "/a")]) { path in
            try add("POST /up", "taken", to: path)
            var configuration = MockServerConfiguration.replay(path)
            configuration.limits.responderBody = 1000
            configuration.failsOnMisses = false
            try await withMockServer(configuration) { (server: MockServer) async throws in
                let long = String(repeating: "x", count: 100_000)
                #expect(try ask(server, "POST /up", body: long).hasSuffix("taken"))
                // One that looks at the body comes first, and is not for one so long.
                try add("POST /up", "short", StubConditions(body: .bytes(Array("short".utf8))), to: path)
                #expect(try ask(server, "POST /up", body: long).hasSuffix("taken"))
                #expect(try ask(server, "POST /up", body: "short").hasSuffix("short"))
                try CassetteEditor.removeStubs([1...1], from: path)
                #expect(try ask(server, "POST /up", body: long).hasPrefix("HTTP/1.1 404"))
                let miss = try #require(server.misses.first)
                #expect(miss.explanation.contains(#"stub 2 POST /up, if {"text":"short"}"#))
            }
        }
    }

    @Test func damagedOnesAnswerNothing() async throws {
        try await withCassette([Recorded(target: "/a")]) { path in
            try add("GET /s", "stub", to: path)
            var configuration = MockServerConfiguration.replay(path)
            configuration.failsOnMisses = false
            configuration.freshness = .zero
            try await withMockServer(configuration) { (server: MockServer) async throws in
                #expect(try ask(server, "GET /s").hasSuffix("stub"))
                try run(path, "UPDATE stub SET pattern = 'x'")
                #expect(!(try ask(server, "GET /s").hasSuffix("stub")))
                try run(path, "UPDATE stub SET pattern = 'GET /s'")
                #expect(try ask(server, "GET /s").hasSuffix("stub"))
            }
        }
    }

    private func run(_ path: String, _ statement: String) throws {
        var connection: OpaquePointer?
        sqlite3_open(path, &connection)
        sqlite3_busy_timeout(connection, 10_000)
        #expect(sqlite3_exec(connection, statement, nil, nil, nil) == SQLITE_OK)
        sqlite3_close(connection)
    }

    @Test func aCassetteThatIsLockedForAMomentIsWaitedFor() async throws {
        try await withCassette([Recorded(target: "/a")]) { path in
            try await withMockServer(.replay(path)) { (server: MockServer) async throws in
                #expect(try ask(server, "GET /a").hasPrefix("HTTP/1.1 200"))
                var connection: OpaquePointer?
                sqlite3_open(path, &connection)
                sqlite3_busy_timeout(connection, 10_000)
                let insert =
                    "BEGIN EXCLUSIVE; INSERT INTO stub (pattern, status, response_fields) VALUES ('GET /new', 204, '[]')"
                #expect(sqlite3_exec(connection, insert, nil, nil, nil) == SQLITE_OK)
                nonisolated(unsafe) let locked = connection
                DispatchQueue.global().asyncAfter(deadline: .now() + 0.2) {
                    sqlite3_exec(locked, "COMMIT", nil, nil, nil)
                    sqlite3_close(locked)
                }
                #expect(try ask(server, "GET /new").hasPrefix("HTTP/1.1 204"))
            }
        }
    }

    @Test func damagedOnesAreAnErrorAtTheStart() async throws {
        try await withCassette([Recorded(target: "/a")]) { path in
            try add("GET /s", "stub", to: path)
            try run(path, "UPDATE stub SET pattern = 'x'")
            let error = await #expect(throws: MockServeError.self) { try await withMockServer(.replay(path)) { _ in } }
            #expect(error?.message.contains("stub 1: `x` is no method and path") == true)
        }
    }
}
