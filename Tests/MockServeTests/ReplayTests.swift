import Foundation
import MockServe
import Testing

/// How recorded answers are served to clients of different kinds, from a recording of httpbin.
@Suite(.timeLimit(.minutes(5)))
struct ReplayTests {
    private let cassette = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../../cassettes/httpbin.cassette").standardized.path

    private func replayed(_ requests: String) async throws -> String {
        try await withMockServer(.replay(cassette)) { server in try RawClient.exchange(server.port, requests) }
    }

    private func get(_ target: String, _ fields: String = "") -> String {
        "GET \(target) HTTP/1.1\r\nHost: localhost\r\n\(fields)Connection: close\r\n\r\n"
    }

    @Test(arguments: ["identity", "gzip;q=0", "br", "deflate, *;q=0"])
    func decodesForAClientThatDoesNotAcceptTheCoding(_ accepted: String) async throws {
        let answer = try await replayed(get("/gzip", "Accept-Encoding: \(accepted)\r\n"))
        let (head, body) = try parts(answer)
        #expect(!head.lowercased().contains("content-encoding"))
        #expect(body.hasPrefix("{\n  \"gzipped\": true") && head.contains("Content-Length: \(body.utf8.count)\r\n"))
        // All other fields stay where they were.
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: "))
    }

    @Test(arguments: ["", "Accept-Encoding: gzip\r\n", "Accept-Encoding: x-gzip\r\n", "Accept-Encoding: *\r\n"])
    func keepsTheCodingForAllOthers(_ fields: String) async throws {
        let answer = try await replayed(get("/gzip", fields))
        #expect(answer.contains("Content-Encoding: gzip\r\n") && !answer.contains("gzipped"))
    }

    @Test func answersHEADFromGET() async throws {
        let whole = try await replayed(get("/get"))
        let head = try await replayed("HEAD /get HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        #expect(try head == parts(whole).head + "\r\n\r\n")
    }

    @Test func matchesAPostByTheValueOfItsJSON() async throws {
        let body = "{ \"na\\u006de\" : \"Ada\" }"
        let client = try await withMockServer(.replay(cassette)) { server in
            let client = try RawClient(port: server.port)
            client.send(
                "POST /post HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                    + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
            )
            let first = client.read { $0.hasSuffix("\r\n\r\n") }
            client.send(body)
            return first + client.readToEnd()
        }
        #expect(client.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
    }

    /// Whether an answer is kept ready for it or not.
    @Test func anUpgradeIsRefusedEveryTime() async throws {
        try await withMockServer(.replay(cassette)) { server in
            for _ in 0..<3 {
                try #expect(RawClient.exchange(server.port, get("/get")).hasPrefix("HTTP/1.1 200 "))
                let upgrade = get("/get", "Upgrade: websocket\r\n")
                try #expect(RawClient.exchange(server.port, upgrade).hasPrefix("HTTP/1.1 501 "))
            }
        }
    }

    @Test func answersPipelinedRequests() async throws {
        let pipelined =
            "GET /get HTTP/1.1\r\nHost: localhost\r\n\r\nGET /stream/3 HTTP/1.1\r\nHost: localhost\r\n\r\n"
            + get("/status/404")
        let answer = try await replayed(pipelined)
        #expect(answer.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) } == ["200", "200", "404"])
    }

    @Test func keepsChunksAndServesHTTP10WithoutThem() async throws {
        let chunked = try parts(try await replayed(get("/stream/3")))
        #expect(
            chunked.head.contains("Transfer-Encoding: chunked")
                && chunked.body.contains("\r\n{\"url\": \"http://localhost/stream/3\"")
        )
        let plain = try parts(try await replayed("GET /stream/3 HTTP/1.0\r\n\r\n"))
        #expect(!plain.head.contains("Transfer-Encoding") && plain.body.hasPrefix("{\"url\""))
    }

    @Test func everyScopeBeginsAtTheFirstAnswer() async throws {
        let first = try await replayed(get("/uuid"))
        #expect(try await replayed(get("/uuid")) == first)
        let both = try await replayed("GET /uuid HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/uuid"))
        let identifiers = Set(both.components(separatedBy: "\"uuid\": ").dropFirst().map { $0.prefix(38) })
        #expect(identifiers.count == 2)
    }

    private func parts(_ answer: String) throws -> (head: String, body: String) {
        let end = try #require(answer.range(of: "\r\n\r\n"))
        return (String(answer[..<end.lowerBound]), String(answer[end.upperBound...]))
    }
}
