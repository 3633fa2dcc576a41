import CassetteStore
import Foundation
import HTTPMessages
import HTTPWire
import MockServe
import MockServeCore
import Testing

@testable import struct MockServe.NumberSet

/// Answers that are kept ready are what they would be if they were read anew.
@Suite(.timeLimit(.minutes(5)))
struct PreparedAnswerTests {
    private let origin = Origin(scheme: .http, host: "api.example.com", port: 80)

    private func withCassette(
        _ fill: (CassetteWriter) throws -> Void,
        _ body: (String) async throws -> Void
    ) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).cassette").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try write(path, fill)
        try await body(path)
    }

    private func write(_ path: String, _ fill: (CassetteWriter) throws -> Void) throws {
        let upstream = Upstream(name: "default", origin: origin)
        let writer = try CassetteWriter(path: path, mode: .missing, upstreams: [upstream], now: 1_000)
        try fill(writer)
        try writer.finish(keeping: true, now: 2_000)
    }

    private func add(
        _ writer: CassetteWriter,
        _ target: String,
        _ body: String,
        fields: Fields = [:],
        request: Fields = [:]
    ) throws {
        let head = RequestHead(method: Array("GET".utf8), target: Array(target.utf8), fields: request)
        var all: Fields = ["Content-Type": "text/plain", "Content-Length": "\(body.utf8.count)"]
        for field in fields { all.append(field) }
        let interaction = try writer.interaction(
            origin: origin.description,
            request: head,
            response: ResponseHead(status: 200, reason: Array("OK".utf8), fields: all),
            responseBody: Array(body.utf8),
            recordedAt: 1_000
        )
        writer.commit(interaction) { _ in }
    }

    private func get(_ target: String, host: String = "localhost", _ fields: String = "") -> String {
        "GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\(fields)\r\n"
    }

    /// Answers to requests over one connection, as one text.
    private func ask(_ server: MockServer, _ requests: [String]) throws -> String {
        try RawClient.exchange(server.port, requests.joined() + get("/last", "Connection: close\r\n"))
    }

    private func fill(_ writer: CassetteWriter) throws {
        try add(writer, "/one", "first")
        try add(writer, "/link", "see http://api.example.com/one", fields: ["Location": "http://api.example.com/next"])
        try add(writer, "/last", "last")
    }

    /// A request that closes its connection gets what a player makes of the answer; one that keeps it gets the prepared
    /// answer.
    @Test(arguments: [
        "X-Plain: 1", "Content-Length: 05", "Connection: X-Own, keep-alive\r\nX-Own: 1\r\nKeep-Alive: timeout=5",
        "Location: http://api.example.com/next", "Set-Cookie: a=b; Domain=api.example.com; Secure",
        "Content-Encoding: gzip", "Content-Encoding: identity", "Transfer-Encoding: chunked",
        "Upgrade: h2c\r\nTE: trailers",
        "content-length: 4", "X-Empty:", "Access-Control-Allow-Origin: http://api.example.com",
    ])
    func aPreparedAnswerIsWhatAPlayerMakes(_ lines: String) async throws {
        var fields = Fields()
        for line in lines.components(separatedBy: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            fields.append(String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces))
        }
        let bodies = ["", "some text", "a link to http://api.example.com/x and more"]
        try await withCassette { writer in
            for (number, body) in bodies.enumerated() { try add(writer, "/\(number)", body, fields: fields) }
        } _: { path in
            try await withMockServer(.replay(path)) { server in
                for number in bodies.indices {
                    let closing = get("/\(number)", "Connection: close\r\n")
                    let kept = try RawClient.exchange(server.port, get("/\(number)") + closing)
                    let played = try RawClient.exchange(server.port, closing)
                    let expected = played.replacing("Connection: close\r\n", with: "") + played
                    #expect(kept == expected, "\(lines), body \(number)")
                    #expect(played.hasPrefix("HTTP/1.1 200 OK\r\n"))
                }
            }
        }
    }

    @Test(arguments: [0, 1 << 20, 80 << 20])
    func theSameRequestGetsTheSameBytes(_ cacheSize: Int) async throws {
        try await withCassette(fill) { path in
            var configuration = MockServerConfiguration.replay(path)
            configuration.cacheSize = cacheSize
            try await withMockServer(configuration) { server in
                let answer = try ask(server, Array(repeating: get("/one"), count: 50))
                let answers = answer.components(separatedBy: "HTTP/1.1 200 OK\r\n").dropFirst()
                #expect(answers.count == 51 && Set(answers.dropLast()).count == 1)
                #expect(answers.first == "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nfirst")
                #expect(server.replayedCount == 51 && server.journal.entries.map(\.number) == Array(1...51))
                #expect(server.journal.entries.prefix(50).allSatisfy { $0.target == "/one" && $0.status == 200 })
            }
        }
    }

    @Test func originsAreMappedForTheNameByWhichEachClientKnowsTheServer() async throws {
        try await withCassette(fill) { path in
            try await withMockServer(.replay(path)) { server in
                let names = ["localhost:\(server.port)", "127.0.0.1:\(server.port)"]
                let requests = (0..<10).map { get("/link", host: names[$0 % 2]) }
                let answers = try ask(server, requests).components(separatedBy: "HTTP/1.1 200 OK\r\n").dropFirst()
                for (answer, index) in zip(answers, 0..<10) {
                    let (name, other) = (names[index % 2], names[1 - index % 2])
                    #expect(
                        answer.contains("Location: http://\(name)/next\r\n")
                            && answer.hasSuffix("see http://\(name)/one")
                    )
                    #expect(!answer.contains(other))
                }
            }
        }
    }

    @Test func aRefusedNameIsRefusedEveryTime() async throws {
        try await withCassette(fill) { path in
            var configuration = MockServerConfiguration.replay(path)
            configuration.failsOnMisses = false
            try await withMockServer(configuration) { server in
                _ = try ask(server, [get("/one"), get("/one"), get("/one")])
                for _ in 0..<3 {
                    let answer = try RawClient.exchange(server.port, get("/one", host: "evil.example"))
                    #expect(answer.hasPrefix("HTTP/1.1 421 "))
                }
            }
        }
    }

    @Test func otherFieldsGetOtherAnswers() async throws {
        func fill(_ writer: CassetteWriter) throws {
            for language in ["de", "en"] {
                let vary: Fields = ["Vary": "Accept-Language"]
                try add(writer, "/x", "in \(language)", fields: vary, request: ["Accept-Language": "\(language)"])
            }
            try add(writer, "/last", "last")
        }
        try await withCassette(fill) { path in
            try await withMockServer(.replay(path)) { server in
                let order = ["de", "en", "en", "de", "de", "en"]
                let answer = try ask(server, order.map { get("/x", "Accept-Language: \($0)\r\n") })
                #expect(answer.components(separatedBy: "in ").dropFirst().map { String($0.prefix(2)) } == order)
            }
        }
    }

    @Test func eachUseCountsWhereEveryAnswerIsGivenOnce() async throws {
        try await withCassette(fill) { path in
            var configuration = MockServerConfiguration.replay(path)
            configuration.playback = .once
            configuration.failsOnMisses = false
            try await withMockServer(configuration) { server in
                let answer = try ask(server, [get("/one"), get("/one"), get("/one")])
                let statuses = answer.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) }
                #expect(statuses == ["200", "404", "404", "200"])
            }
        }
    }

    @Test func aClientThatClosesOrAsksForTheHeadOnlyIsAnsweredSo() async throws {
        try await withCassette(fill) { path in
            try await withMockServer(.replay(path)) { server in
                _ = try ask(server, [get("/one"), get("/one"), get("/one")])
                let closed = try RawClient.exchange(server.port, get("/one", "Connection: close\r\n"))
                #expect(closed.contains("\r\nConnection: close\r\n") && closed.hasSuffix("\r\n\r\nfirst"))
                let old = try RawClient.exchange(server.port, "GET /one HTTP/1.0\r\n\r\n")
                #expect(old.hasSuffix("\r\n\r\nfirst"))
                let head = "HEAD /one HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                #expect(try RawClient.exchange(server.port, head).hasSuffix("Connection: close\r\n\r\n"))
            }
        }
    }

    @Test func whatIsAddedWhileItReplaysIsFound() async throws {
        try await withCassette(fill) { path in
            var configuration = MockServerConfiguration.replay(path)
            // Otherwise what is kept may be a millisecond old.
            configuration.freshness = .zero
            try await withMockServer(configuration) { server in
                #expect(try ask(server, [get("/one"), get("/one"), get("/one")]).contains("first"))
                try write(path) { writer in
                    try add(writer, "/one", "second")
                    try add(writer, "/new", "newer")
                }
                let answer = try ask(server, [get("/one"), get("/new"), get("/new"), get("/one")])
                #expect(answer.components(separatedBy: "newer").count == 3 && answer.contains("second"))
            }
        }
    }

    @Test func aBodyLongerThanTheMemoryIsWhole() async throws {
        let text = (0..<400_000).map { "\($0)," }.joined()
        try await withCassette { writer in
            try add(writer, "/long", text, fields: ["X": "y"])
            try add(writer, "/last", "last")
        } _: { path in
            var configuration = MockServerConfiguration.replay(path)
            configuration.cacheSize = 1 << 20
            try await withMockServer(configuration) { server in
                let answer = try ask(server, [get("/long"), get("/long"), get("/long")])
                #expect(answer.components(separatedBy: text).count == 4)
            }
        }
    }

    @Test func requestsOverManyConnectionsAreAllNoted() async throws {
        try await withCassette(fill) { path in
            try await withMockServer(.replay(path)) { server in
                async let waited = server.wait(for: "GET /one", count: 400, timeout: .seconds(120))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<8 {
                        group.addTask { _ = try ask(server, Array(repeating: get("/one"), count: 50)) }
                    }
                    try await group.waitForAll()
                }
                #expect(try await waited.count == 400)
                let entries = server.journal.entries
                #expect(entries.map(\.number) == Array(1...408) && server.replayedCount == 408)
                #expect(try server.unused.map { $0.split(separator: " ").last } == ["/link"])
            }
        }
    }

    @Test func rememberedNumbersAreASet() {
        var numbers = NumberSet()
        let some: [Int64] = [1, 2, 63, 64, 4095, 4096, 4097, 1_000_000, 1 << 40]
        for number in some + some { numbers.insert(number) }
        #expect(numbers.numbers.sorted() == some && some.allSatisfy(numbers.contains) && !numbers.contains(3))
        var others = NumberSet()
        for number: Int64 in [3, 64, 9999] { others.insert(number) }
        others.formUnion(numbers)
        #expect(others.numbers.sorted() == Set(some + [3, 9999]).sorted())
    }
}
