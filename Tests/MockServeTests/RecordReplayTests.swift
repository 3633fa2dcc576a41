import Foundation
import HTTPTypes
import MockServe
import Synchronization
import Testing

/// Recording a server of this process and replaying what was recorded.
@Suite(.timeLimit(.minutes(2)))
struct RecordReplayTests {
    private func get(_ port: Int, _ target: String, fields: String = "") throws -> String {
        try RawClient.exchange(
            port,
            "GET \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(fields)Connection: close\r\n\r\n"
        )
    }

    /// Asks for `target` and checks how the answer ends.
    private func expect(_ port: Int, _ target: String, endsWith end: String) throws {
        let answer = try get(port, target)
        #expect(answer.hasSuffix(end))
    }

    private func recording(_ path: String, _ upstream: MockServer, _ mode: RecordMode = .once)
        -> MockServerConfiguration
    {
        var configuration = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString, mode: mode)
        configuration.recordsInCI = true
        return configuration
    }

    @Test func repeatedRequestsGetTheirAnswersInOrderAndTheLastOneStays() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let counter = Mutex(0)
            let count = { @Sendable (_: MockRequest) in
                MockResponse.text("answer \(counter.withLock { value -> Int in value += 1; return value })")
            }
            try await withMockServer(responder: count) { upstream in
                try await withMockServer(recording(path, upstream)) { server in
                    #expect(server.isRecording)
                    for number in 1...3 { try expect(server.port, "/x", endsWith: "answer \(number)") }
                    #expect(server.recordedCount == 3)
                }
            }
            for _ in 0..<2 {
                try await withMockServer(.replay(path)) { server in
                    #expect(!server.isRecording)
                    for number in [1, 2, 3, 3, 3] { try expect(server.port, "/x", endsWith: "answer \(number)") }
                    #expect(server.replayedCount == 5 && server.missCount == 0)
                }
            }
        }
    }

    @Test func aMissSaysSoAndIsCounted() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            try await withMockServer(responder: { _ in .text("yes") }) { upstream in
                try await withMockServer(recording(path, upstream)) { _ = try get($0.port, "/x") }
            }
            var configuration = MockServerConfiguration.replay(path)
            configuration.missStatus = 501
            configuration.failsOnMisses = false
            try await withMockServer(configuration) { server in
                let answer = try get(server.port, "/y?z")
                #expect(answer.hasPrefix("HTTP/1.1 501 "))
                #expect(answer.contains("\r\nmockserve-miss: 1\r\n") && answer.contains("application/problem+json"))
                #expect(answer.contains("\"target\": \"/y?z\""))
                #expect(server.misses.map(\.description) == ["GET /y?z"])
            }
        }
    }

    @Test func theServersOwnOriginStandsForTheUpstreams() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let seen = Mutex<[String]>([])
            let respond = { @Sendable (request: MockRequest) in
                let origin = "http://\(request.head.authority ?? "")"
                seen.withLock { $0.append("\(origin) \(request.head.headerFields[.origin] ?? "-") \(request.text)") }
                var response = MockResponse.json(
                    "{\"self\": \"\(origin)/me\", \"escaped\": \"http:\\/\\/\(request.head.authority ?? "")\\/me\"}"
                )
                response.fields[.location] = "\(origin)/there"
                response.fields.append(HTTPField(name: .setCookie, value: "a=1; Domain=127.0.0.2; Path=/"))
                return response
            }
            try await withMockServer(responder: respond) { upstream in
                let origin = upstream.url.absoluteString
                func check(_ server: MockServer) throws {
                    let own = server.url.absoluteString
                    let body = "{\"callback\": \"\(own)/back\"}"
                    let answer = try RawClient.exchange(
                        server.port,
                        "POST /p?next=\(own)/n HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nOrigin: \(own)\r\nConnection: close\r\n"
                            + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                    )
                    #expect(answer.contains("\r\nLocation: \(own)/there\r\n"))
                    #expect(answer.contains("\"self\": \"\(own)/me\""))
                    #expect(answer.contains("http:\\/\\/127.0.0.1:\(server.port)\\/me"))
                    // Cookies of another host are left alone.
                    #expect(answer.contains("\r\nSet-Cookie: a=1; Domain=127.0.0.2; Path=/\r\n"))
                    #expect(!answer.contains(origin))
                }
                var plain = recording(path, upstream)
                plain.redactsByDefault = false
                try await withMockServer(plain) { try check($0) }
                #expect(seen.withLock { $0 } == ["\(origin) \(origin) {\"callback\": \"\(origin)/back\"}"])
                try await withMockServer(.replay(path)) { try check($0) }
            }
        }
    }

    @Test func aFailedScopeIsDroppedUnlessItIsToBeKept() async throws {
        struct Oops: Error {}
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            try await withMockServer(responder: { _ in .text("yes") }) { upstream in
                var configuration = recording(path, upstream)
                await #expect(throws: Oops.self) {
                    try await withMockServer(configuration) { server in
                        _ = try get(server.port, "/x")
                        throw Oops()
                    }
                }
                #expect(!FileManager.default.fileExists(atPath: path))
                configuration.keepsFailedEpisodes = true
                await #expect(throws: Oops.self) {
                    try await withMockServer(configuration) { server in
                        _ = try get(server.port, "/x")
                        throw Oops()
                    }
                }
            }
            try await withMockServer(.replay(path)) { try expect($0.port, "/x", endsWith: "yes") }
        }
    }

    @Test func scopesRecordIntoOneCassetteInParallel() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("shared.cassette").path
            try await withMockServer(responder: { .text("answer to \($0.path)") }) { upstream in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<8 {
                        group.addTask {
                            try await withMockServer(recording(path, upstream, .missing)) { server in
                                for request in 0..<20 { _ = try get(server.port, "/\(number)/\(request)") }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            try await withMockServer(.replay(path)) { server in
                for number in 0..<8 {
                    for request in 0..<20 {
                        let target = "/\(number)/\(request)"
                        try expect(server.port, target, endsWith: "answer to \(target)")
                    }
                }
            }
            try #expect(FileManager.default.contentsOfDirectory(atPath: folder.path) == ["shared.cassette"])
        }
    }

    @Test func anUnreachableUpstreamIsA502AndRecordsNothing() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            // At an address of its own: the next test might get the port otherwise.
            let host = "127.77.0.3"
            var gone = MockServerConfiguration.responding(with: ClosureResponder { _ in .text("") })
            gone.listen = .address(host)
            let port = try await withMockServer(gone) { $0.port }
            var configuration = MockServerConfiguration.record(path, upstream: "http://\(host):\(port)")
            configuration.recordsInCI = true
            try await withMockServer(configuration) { server in
                let answer = try get(server.port, "/x")
                #expect(answer.hasPrefix("HTTP/1.1 502 ") && answer.contains("Connection refused"))
                #expect(server.failureCount == 1 && server.recordedCount == 0)
            }
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func aSilentUpstreamIsA504() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let silent = { @Sendable (_: MockRequest) async throws -> MockResponse in
                try await Task.sleep(for: .seconds(3600))
                return .text("")
            }
            var upstream = MockServerConfiguration.responding(with: ClosureResponder(silent))
            upstream.stopDeadline = .zero
            try await withMockServer(upstream) { upstream in
                var configuration = recording(path, upstream)
                configuration.upstream.readTimeout = .milliseconds(100)
                try await withMockServer(configuration) { server in
                    try #expect(get(server.port, "/x").hasPrefix("HTTP/1.1 504 "))
                }
            }
        }
    }

    /// A timer continues from one exchange of a connection to the next.
    @Test func anUpstreamThatFallsSilentIsA504() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let asked = Mutex<[String]>([])
            let once = { @Sendable (request: MockRequest) async throws -> MockResponse in
                asked.withLock { $0.append(request.path) }
                if request.path != "/first" { try await Task.sleep(for: .seconds(3600)) }
                return .text("first")
            }
            var upstream = MockServerConfiguration.responding(with: ClosureResponder(once))
            upstream.stopDeadline = .zero
            try await withMockServer(upstream) { upstream in
                var configuration = recording(path, upstream)
                configuration.upstream.readTimeout = .milliseconds(300)
                try await withMockServer(configuration) { server in
                    try expect(server.port, "/first", endsWith: "first")
                    for target in ["/second", "/third"] {
                        try #expect(get(server.port, target).hasPrefix("HTTP/1.1 504 "))
                    }
                }
            }
            // A kept connection that falls silent has had the request: it is not sent again.
            #expect(asked.withLock { $0 } == ["/first", "/second", "/third"])
        }
    }

    @Test func anExchangeIsKeptThoughItsClientHasGone() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
            let (departures, departed) = AsyncStream.makeStream(of: Void.self)
            let respond = { @Sendable (_: MockRequest) async -> MockResponse in
                arrived.yield()
                for await _ in departures {}
                return .text("nobody waited for this")
            }
            try await withMockServer(responder: respond) { upstream in
                try await withMockServer(recording(path, upstream)) { server in
                    do {
                        let client = try RawClient(port: server.port)
                        client.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        var iterator = arrivals.makeAsyncIterator()
                        await iterator.next()
                    }
                    departed.finish()
                    while server.recordedCount == 0 { await Task.yield() }
                }
            }
            try await withMockServer(.replay(path)) {
                try expect($0.port, "/x", endsWith: "nobody waited for this")
            }
        }
    }

    @Test func severalUpstreamsHaveAPortEach() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            try await withMockServer(responder: { _ in .text("first") }) { one in
                try await withMockServer(responder: { _ in .json("{\"see\": \"\(one.url)/x\"}") }) { two in
                    let upstreams = [("one", one.url.absoluteString), ("two", two.url.absoluteString)]
                    var configuration = MockServerConfiguration.record(path, upstreams: upstreams)
                    configuration.recordsInCI = true
                    func check(_ server: MockServer) throws {
                        let second = try #require(server.url(for: "two")?.port)
                        #expect(server.upstreamNames == ["one", "two"] && server.url(for: "three") == nil)
                        try expect(server.port, "/x", endsWith: "first")
                        try expect(second, "/x", endsWith: "{\"see\": \"\(server.url)/x\"}")
                    }
                    try await withMockServer(configuration) { try check($0) }
                    try await withMockServer(.replay(path)) { try check($0) }
                }
            }
        }
    }

    @Test(arguments: ["nonsense", "ftp://a", "http://a/b", "http://u:p@a", "https://"])
    func refusesWhatIsNoUpstream(_ upstream: String) async throws {
        let error = await startFailure(.record("/nowhere/x.cassette", upstream: upstream))
        #expect(error?.code == .invalidConfiguration && error?.message.contains(upstream) == true)
    }

    @Test func aMissingCassetteIsAnError() async throws {
        let error = await startFailure(.replay("/nowhere/x.cassette"))
        #expect(error?.code == .cassetteUnreadable && error?.message.contains("/nowhere/x.cassette") == true)
        #expect(error?.cause != nil && "\(error?.code.description ?? "")" == "cassetteUnreadable")
    }
}
