import CassetteStore
import Foundation
import HTTPMessages
import HTTPTypes
import MockServe
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A recorder and its upstream, both servers of this process, with TLS and HTTP/2 between them.
@Suite(.timeLimit(.minutes(2)))
struct VersionTests {
    enum Way: CaseIterable {
        case tls, tlsWithoutHTTP2, priorKnowledge, plain

        var version: HTTPVersion { self == .tls || self == .priorKnowledge ? .http2 : .http11 }
    }

    private static let long = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    private static let service = ClosureResponder { request in
        switch request.path {
        case "/text": return .text("hello")
        case "/long": return MockResponse(status: .ok, body: long)
        case "/nothing": return MockResponse(status: .noContent)
        case "/echo": return MockResponse(status: .created, body: Array(request.body.reversed()))
        case "/trailers":
            var response = MockResponse.text("with trailers")
            if let name = HTTPField.Name("x-sum") { response.trailers = [name: "42"] }
            return response
        case "/early":
            var response = MockResponse.text("late")
            var early = HTTPResponse(status: .init(code: 103))
            if let name = HTTPField.Name("link") { early.headerFields = [name: "</a.css>; rel=preload"] }
            response.informational = [early]
            return response
        case "/cookies":
            return .text(request.fields[values: .cookie].joined(separator: "|"))
        default: return .text("nothing", status: .notFound)
        }
    }

    /// Runs the service, and a recorder in front of it.
    ///
    /// - Returns: the cassette.
    private func recording(_ way: Way, in folder: URL, _ body: (Int) async throws -> Void) async throws -> String {
        let path = folder.appendingPathComponent("x.cassette").path
        var configuration = MockServerConfiguration.responding(with: Self.service)
        configuration.tls = way == .tls || way == .tlsWithoutHTTP2
        try await withMockServer(configuration) { upstream in
            let url = way == .priorKnowledge ? "h2c://127.0.0.1:\(upstream.port)" : upstream.url.absoluteString
            var recorder = MockServerConfiguration.record(path, upstream: url, mode: .all)
            recorder.recordsInCI = true
            recorder.upstream.usesHTTP2 = way != .tlsWithoutHTTP2
            let authority = try #require(try upstream.certificateAuthority)
            recorder.upstream.trustedCertificates = try Self.write(authority.pem, to: "ca.pem", in: folder)
            try await withMockServer(recorder) { try await body($0.port) }
        }
        return path
    }

    private static func write(_ text: String, to name: String, in folder: URL) throws -> String {
        let path = folder.appendingPathComponent(name).path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private static func request(_ method: String, _ target: String, _ more: String = "", _ body: String = "") -> String
    {
        let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
        return "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(more)\(length)\r\n\(body)"
    }

    private static let requests = [
        request("GET", "/text"), request("HEAD", "/text"), request("GET", "/long"), request("HEAD", "/long"),
        request("GET", "/nothing"), request("POST", "/echo", "", String(repeating: "abc", count: 50_000)),
        request("PUT", "/echo", "Content-Type: text/plain\r\n", "x"), request("GET", "/trailers"),
        request("GET", "/early"), request("GET", "/cookies", "Cookie: a=1; b=2\r\n"), request("GET", "/missing"),
    ]

    private static func exchange(_ port: Int, _ request: String) async throws -> [UInt8] {
        try await offPool {
            let client = try RawClient(port: port)
            client.send(request)
            return client.readBytesToEnd()
        }
    }

    /// Without what depends on the moment.
    private static func stable(_ answer: [UInt8]) -> String {
        Latin1.string(answer).replacing(/(?i)date: [^\r]*\r\n/, with: "")
    }

    @Test(arguments: Way.allCases)
    func whatWasRecordedIsReplayed(_ way: Way) async throws {
        try await withFolder { try await recordAndReplay(way, in: $0) }
    }

    private func recordAndReplay(_ way: Way, in folder: URL) async throws {
        var recorded: [String] = []
        let path = try await recording(way, in: folder) { port in
            for request in Self.requests {
                recorded.append(Self.stable(try await Self.exchange(port, request)))
            }
        }
        #expect(recorded.count == Self.requests.count)
        #expect(recorded[0].hasPrefix("HTTP/1.1 200 "))
        #expect(recorded[0].hasSuffix("\r\n\r\nhello"))
        #expect(recorded[2].hasSuffix(Latin1.string(Self.long)))
        #expect(recorded[5].hasSuffix(String(repeating: "cba", count: 50_000)))
        #expect(recorded[7].hasSuffix("x-sum: 42\r\n\r\n"))
        #expect(recorded[8].hasPrefix("HTTP/1.1 103 "))
        #expect(recorded[9].hasSuffix("a=1; b=2"))
        #expect(recorded[10].hasPrefix("HTTP/1.1 404 "))
        let reader = try CassetteReader(path: path)
        defer { reader.close() }
        #expect(try reader.interaction(1)?.response.version == way.version)
        try await withMockServer(.replay(path)) { server in
            for (request, expected) in zip(Self.requests, recorded) {
                let answer = try await Self.exchange(server.port, request)
                #expect(Self.stable(answer) == expected)
            }
        }
    }

    /// Without TLS: there is no way to make URLSession trust an authority on every system.
    @Test(arguments: Way.allCases)
    func whatWasRecordedIsReplayedToURLSession(_ way: Way) async throws {
        try await withFolder { try await askByURLSession(way, in: $0) }
    }

    private func askByURLSession(_ way: Way, in folder: URL) async throws {
        var recorded: [String] = []
        let path = try await recording(way, in: folder) { recorded = try await Self.answers($0) }
        #expect(recorded.count == 8)
        #expect(recorded[0].hasPrefix("200 ") && recorded[0].hasSuffix("\nhello"))
        #expect(recorded[2].hasSuffix(Latin1.string(Self.long)))
        try await withMockServer(.replay(path)) { server in
            let replayed = try await Self.answers(server.port)
            #expect(replayed == recorded)
        }
    }

    /// Status, fields and body of every answer. URLSession on Linux crashes at trailers, so there are none.
    private static func answers(_ port: Int) async throws -> [String] {
        let asked: [(method: String, path: String, body: String?)] = [
            ("GET", "/text", nil), ("HEAD", "/text", nil), ("GET", "/long", nil), ("GET", "/nothing", nil),
            ("POST", "/echo", String(repeating: "abc", count: 50_000)), ("PUT", "/echo", "x"),
            ("GET", "/cookies", nil), ("GET", "/missing", nil),
        ]
        let session = URLSession(configuration: .ephemeral)
        defer { session.invalidateAndCancel() }
        var answers: [String] = []
        for (method, path, body) in asked {
            var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)\(path)")))
            request.httpMethod = method
            request.httpBody = body.map { Data($0.utf8) }
            if path == "/cookies" { request.setValue("a=1; b=2", forHTTPHeaderField: "Cookie") }
            let (data, response) = try await session.data(for: request)
            let answer = try #require(response as? HTTPURLResponse)
            let fields = answer.allHeaderFields.map { "\($0.key): \($0.value)".lowercased() }
                .filter { !$0.hasPrefix("date:") }.sorted()
            answers.append("\(answer.statusCode) \(fields)\n" + Latin1.string(Array(data)))
        }
        return answers
    }

    /// The recorder is itself asked over HTTP/2, by another recorder.
    @Test func aChainOfServersSpeaksHTTP2Throughout() async throws {
        try await withFolder { try await recordThroughAChain(in: $0) }
    }

    private func recordThroughAChain(in folder: URL) async throws {
        var service = MockServerConfiguration.responding(with: Self.service)
        service.tls = true
        try await withMockServer(service) { upstream in
            var inner = MockServerConfiguration.record(
                folder.appendingPathComponent("inner.cassette").path,
                upstream: upstream.url.absoluteString,
                mode: .all
            )
            inner.recordsInCI = true
            inner.upstream.trustedCertificates = try Self.write(
                try #require(try upstream.certificateAuthority).pem,
                to: "inner.pem",
                in: folder
            )
            try await withMockServer(inner) { recorder in
                var outer = MockServerConfiguration.record(
                    folder.appendingPathComponent("outer.cassette").path,
                    upstream: "h2c://localhost:\(recorder.port)",
                    mode: .all
                )
                outer.recordsInCI = true
                try await withMockServer(outer) { server in
                    for request in Self.requests {
                        let answer = try await Self.exchange(server.port, request)
                        #expect(answer.starts(with: "HTTP/1.1 ".utf8))
                    }
                    #expect(server.failures == [])
                }
                #expect(recorder.failures == [])
            }
        }
        for name in ["inner.cassette", "outer.cassette"] {
            let reader = try CassetteReader(path: folder.appendingPathComponent(name).path)
            defer { reader.close() }
            let interaction = try #require(try reader.interaction(3))
            #expect(interaction.response.version == .http2)
            #expect(interaction.responseBody?.size == Self.long.count)
        }
    }
}
