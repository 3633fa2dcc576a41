import Foundation
import MockServe
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5)))
struct RewindTests {
    private func ask(_ server: MockServer, _ method: String = "GET") throws -> String {
        let answer = try RawClient.exchange(
            server.port,
            "\(method) /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        return answer.components(separatedBy: "\r\n\r\n").last ?? ""
    }

    /// What was written is forgotten too: reads are answered from before it again.
    @Test func aRewoundServerAnswersAsInTheBeginning() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let count = Counter()
            try await withMockServer(responder: { _ in .text("answer \(count.next())") }) { upstream in
                var recording = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString)
                recording.recordsInCI = true
                try await withMockServer(recording) { server in
                    for method in ["GET", "PUT", "GET"] { _ = try ask(server, method) }
                }
            }
            try await withMockServer(.replay(path)) { server in
                let asked = { try ["GET", "GET", "PUT", "GET"].map { try ask(server, $0) } }
                let first = try asked()
                #expect(first == ["answer 1", "answer 1", "answer 2", "answer 3"])
                server.rewind()
                #expect(try asked() == first)
                #expect(server.replayedCount == 8)
            }
        }
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
