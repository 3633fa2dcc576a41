import Foundation
import HTTPTypes
import MockServe
import Testing

/// HTTP/1.1 on the wire, as clients of all kinds speak it.
@Suite(.timeLimit(.minutes(5)))
struct ConnectionTests {
    private func withEcho<Result>(_ body: (Int) async throws -> Result) async throws -> Result {
        try await withMockServer(responder: { request in
            .text("\(request.head.method) \(request.head.path ?? "") [\(request.text)]")
        }) { try await body($0.port) }
    }

    @Test func answersPipelinedRequestsInOrder() async throws {
        try await withEcho { port in
            let client = try RawClient(port: port)
            client.send((1...50).map { "GET /\($0) HTTP/1.1\r\nHost: localhost\r\n\r\n" }.joined())
            client.send("GET /end HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            let answers = client.readToEnd()
            let paths = answers.split(separator: "GET /").dropFirst().map { $0.prefix { $0 != " " } }
            #expect(paths.map(String.init) == (1...50).map(String.init) + ["end"])
        }
    }

    @Test func keepsTheConnection() async throws {
        try await withEcho { port in
            let client = try RawClient(port: port)
            for number in 1...3 {
                client.send("POST /\(number) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi")
                let answer = client.read { $0.hasSuffix("[hi]") }
                #expect(answer.contains("POST /\(number) [hi]") && !answer.contains("Connection:"))
            }
        }
    }

    @Test func closesWhenAskedTo() async throws {
        try await withEcho { port in
            let answer = try RawClient.exchange(port, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            #expect(answer.contains("\r\nConnection: close\r\n"))
        }
    }

    @Test func speaksToHTTP10Clients() async throws {
        try await withEcho { port in
            let answer = try RawClient.exchange(port, "GET /old HTTP/1.0\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("GET /old []"))
        }
    }

    @Test func sendsNoChunksToHTTP10Clients() async throws {
        let stream = { @Sendable in
            AsyncThrowingStream<[UInt8], any Error> { stream in
                for piece in ["one ", "two"] { stream.yield(Array(piece.utf8)) }
                stream.finish()
            }
        }
        try await withMockServer(responder: { _ in MockResponse(status: .ok, stream: stream()) }) { server in
            let old = try RawClient.exchange(server.port, "GET / HTTP/1.0\r\n\r\n")
            #expect(old.hasSuffix("\r\n\r\none two") && !old.contains("chunked"))
            let new = try RawClient.exchange(
                server.port,
                "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            #expect(new.hasSuffix("\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"))
        }
    }

    @Test func tellsClientsThatWaitToContinue() async throws {
        try await withEcho { port in
            let client = try RawClient(port: port)
            client.send(
                "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
            )
            #expect(client.read { $0.hasSuffix("\r\n\r\n") } == "HTTP/1.1 100 Continue\r\n\r\n")
            client.send("body")
            #expect(client.readToEnd().hasSuffix("POST / [body]"))
        }
    }

    @Test func sendsNoBodyToHEAD() async throws {
        try await withEcho { port in
            let answer = try RawClient.exchange(port, "HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            #expect(answer.contains("Content-Length: 9\r\n") && answer.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func answersAnUpgradeToHTTP2InHTTP11() async throws {
        try await withEcho { port in
            let request =
                "GET /java HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n"
                + "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n\r\n"
            try #expect(RawClient.exchange(port, request).hasSuffix("GET /java []"))
        }
    }

    @Test func answersAClientThatHasClosedItsSide() async throws {
        try await withEcho { port in
            let client = try RawClient(port: port)
            client.send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            client.closeOutput()
            let answers = client.readToEnd()
            #expect(answers.contains("GET /1 []") && answers.hasSuffix("GET /2 []"))
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("GET /\(String(repeating: "a", count: 20000)) HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        ("GET / HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "a", count: 270_000))\r\n\r\n", 431),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ])
    func refusesBadRequestsAndCloses(_ request: String, _ status: Int) async throws {
        try await withEcho { port in
            let answer = try RawClient.exchange(port, request)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
            #expect(answer.contains("application/problem+json") && answer.contains("Connection: close"))
        }
    }

    @Test func limitsCanBeSet() async throws {
        var configuration = MockServerConfiguration.responding(with: ClosureResponder { _ in .text("fine") })
        configuration.limits.startLine = 50
        configuration.limits.responderBody = 10
        try await withMockServer(configuration) { server in
            let long = "GET /\(String(repeating: "a", count: 60)) HTTP/1.1\r\nHost: localhost\r\n\r\n"
            try #expect(RawClient.exchange(server.port, long).hasPrefix("HTTP/1.1 414 "))
            let large =
                "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\nConnection: close\r\n\r\n12345678901"
            try #expect(RawClient.exchange(server.port, large).hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test func anErrorOfTheResponderIsA500() async throws {
        struct Broken: Error, CustomStringConvertible { let description = "the handler broke" }
        try await withMockServer(responder: { _ in throw Broken() }) { server in
            let answer = try RawClient.exchange(
                server.port,
                "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            #expect(answer.hasPrefix("HTTP/1.1 500 ") && answer.contains("the handler broke"))
        }
    }

    @Test func aStreamThatFailsCutsTheConnection() async throws {
        struct Broken: Error {}
        let respond = { @Sendable (_: MockRequest) in
            MockResponse(
                status: .ok,
                stream: AsyncThrowingStream { stream in
                    stream.yield(Array("half".utf8))
                    stream.finish(throwing: Broken())
                }
            )
        }
        try await withMockServer(responder: respond) { server in
            let answer = try RawClient.exchange(
                server.port,
                "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            #expect(!answer.hasSuffix("0\r\n\r\n"))
        }
    }

    @Test func handlersSeeTheRequest() async throws {
        var configuration = MockServerConfiguration.responding(
            with: ClosureResponder { request in
                #expect(request.head.method == .put)
                #expect(request.head.authority == "example.test:1")
                #expect(request.head.path == "/a?b=c")
                #expect(request.path == "/a")
                #expect(request.head.headerFields[values: .accept] == ["text/html", "*/*"])
                #expect(request.trailers[HTTPField.Name("x-sum") ?? .eTag] == "7")
                return MockResponse(
                    status: .init(code: 299, reasonPhrase: "Odd"),
                    fields: [.eTag: "\"x\""],
                    body: request.body
                )
            }
        )
        configuration.allowedHosts = ["example.test"]
        try await withMockServer(configuration) { server in
            let answer = try RawClient.exchange(
                server.port,
                "PUT /a?b=c HTTP/1.1\r\nHost: example.test:1\r\nAccept: text/html\r\nAccept: */*\r\nConnection: close\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n"
            )
            #expect(answer.hasPrefix("HTTP/1.1 299 Odd\r\nETag: \"x\"\r\n") && answer.hasSuffix("abc"))
        }
    }
}
