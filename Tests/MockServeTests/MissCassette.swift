import CassetteStore
import Foundation
import HTTPMessages
import HTTPWire
import MockServe
import MockServeCore
import Testing

/// A recorded request, for making cassettes to miss.
struct Recorded {
    var method = "GET"
    var target: String
    var fields: [(String, String)] = []
    var body = ""
}

/// Makes a cassette of these requests, recorded from `https://api.example.com`.
func withCassette<Result>(
    _ requests: [Recorded],
    _ body: (String) async throws -> Result
) async throws -> Result {
    try await withFolder { folder in
        let path = folder.appendingPathComponent("api.cassette").path
        try writeCassette(path, requests)
        return try await body(path)
    }
}

/// The same at a path of the caller's.
func writeCassette(_ path: String, _ requests: [Recorded]) throws {
    let origin = try #require(Origin("https://api.example.com"))
    let upstreams = [Upstream(name: "default", origin: origin)]
    let writer = try CassetteWriter(path: path, mode: .once, upstreams: upstreams, now: 1)
    for request in requests {
        let head = RequestHead(
            method: Array(request.method.utf8),
            target: Array(request.target.utf8),
            fields: Fields([("Host", "api.example.com")] + request.fields)
        )
        let interaction = try writer.interaction(
            origin: origin.description,
            request: head,
            body: Array(request.body.utf8),
            response: ResponseHead(status: 200, reason: Array("OK".utf8), fields: ["Content-Length": "0"]),
            recordedAt: 1
        )
        writer.commit(interaction) { _ in }
    }
    try writer.finish(keeping: true, now: 2)
}

/// Asks once as curl does, after `warmUp`, and gives the text without its frame.
func miss(
    _ recorded: [Recorded],
    _ asked: Recorded,
    playback: Playback = .timeline,
    warmUp: Int = 0
) async throws -> String {
    try await withCassette(recorded) { path in
        var configuration = MockServerConfiguration.replay(path)
        configuration.playback = playback
        configuration.failsOnMisses = false
        return try await withMockServer(configuration) { server in
            let fields = asked.fields.map { "\($0.0): \($0.1)\r\n" }.joined()
            let request =
                "\(asked.method) \(asked.target) HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nUser-Agent: curl/8\r\n"
                + "\(fields)Content-Length: \(asked.body.utf8.count)\r\nConnection: close\r\n\r\n\(asked.body)"
            for _ in 0..<warmUp { _ = try RawClient.exchange(server.port, request) }
            let answer = try RawClient.exchange(server.port, request)
            #expect(answer.hasPrefix("HTTP/1.1 404 Not Found\r\n") && answer.contains("\r\nmockserve-miss: 1\r\n"))
            #expect(answer.utf8.count < 16 << 10)
            let text = try #require(answer.components(separatedBy: "\r\n\r\n").last)
            #expect(server.misses.first?.explanation == text)
            return text.replacingOccurrences(of: path, with: "api.cassette")
        }
    }
}
