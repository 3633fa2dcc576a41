import Foundation
import HTTPTypes
import MockServeCore
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@testable import MockServe

/// Faults that a test makes on purpose, as curl sees them.
@Suite(.timeLimit(.minutes(5)))
struct FaultyAnswerTests {
    private struct Seen: Sendable {
        let status: Int32
        let text: String
        let seconds: Double
    }

    /// - Returns: curl's exit status, and the head and body that it got.
    private func curl(_ server: MockServer, _ path: String = "/x", _ options: [String] = []) async throws -> Seen {
        let url = server.url.absoluteString + path
        return try await offPool {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["curl", "-sS", "-i", "--no-buffer"] + options + [url]
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = FileHandle.nullDevice
            let start = ContinuousClock.now
            try process.run()
            let output = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            return Seen(
                status: process.terminationStatus,
                text: String(decoding: output, as: UTF8.self),
                seconds: seconds
            )
        }
    }

    private static let body = String(repeating: "0123456789", count: 100)

    private func withServer(_ body: (MockServer) async throws -> Void) async throws {
        try await withMockServer(responder: { _ in .text(Self.body) }, body)
    }

    /// What a client is told: 56 for a reset, 18 for a part of a body, 28 for its own time-out, 1 for what is not HTTP.
    @Test(
        arguments: [
            (Fault.reset, 56, "", 0), (.close(after: 100), 18, "200", 100), (.close(after: 5000), 0, "200", 1000),
            (.close(), 18, "200", 0), (.stall(after: 10), 28, "200", 10), (.garbage, 1, "", 0),
            (.unfinishedChunks, 18, "200", 1000), (.wrongLength(by: 5), 18, "200", 1000),
            (.status(503, retryAfter: 7), 0, "503", 0), (.delay(.fixed(.milliseconds(300))), 0, "200", 1000),
            (.slow(bytesPerSecond: 2000), 0, "200", 1000),
        ] as [(Fault, Int32, String, Int)]
    )
    func everyFaultIsSeen(_ fault: Fault, _ exit: Int32, _ status: String, _ size: Int) async throws {
        try await withServer { (server: MockServer) async throws in
            let rule = server.fault(fault, on: .get("/x"))
            let seen = try await curl(server, "/x", ["--max-time", "2"])
            #expect(seen.status == exit, "\(fault): \(seen)")
            let parts = seen.text.components(separatedBy: "\r\n\r\n")
            if status.isEmpty {
                #expect(!seen.text.contains("HTTP/"))
            } else {
                #expect(parts[0].hasPrefix("HTTP/1.1 \(status)"), "\(fault): \(seen)")
                #expect(parts.dropFirst().joined().utf8.count == size, "\(fault): \(seen)")
            }
            switch fault.kind {
            case .status: #expect(seen.text.contains("Retry-After: 7"))
            case .delay: #expect(seen.seconds >= 0.3)
            case .slow: #expect(seen.seconds >= 0.4)
            default: break
            }
            #expect(rule.count == 1)
            #expect(server.journal.entries.map(\.remark) == ["fault: \(fault)"])
            // Others are answered as ever.
            let other = try await curl(server, "/y")
            #expect(other.status == 0 && other.text.hasSuffix(Self.body))
        }
    }

    /// Nil for a whole answer; otherwise any of these codes, as they differ between systems.
    @Test(
        arguments: [
            (Fault.reset, [.networkConnectionLost]), (.close(after: 100), [.networkConnectionLost, .unknown]),
            (.stall(after: 10), [.timedOut]), (.garbage, [.badServerResponse, .unsupportedURL, .cannotParseResponse]),
            (.unfinishedChunks, [.networkConnectionLost, .unknown]),
            (.wrongLength(by: 5), [.networkConnectionLost, .unknown]),
            (.status(503, retryAfter: 7), nil), (.delay(.fixed(.milliseconds(50))), nil),
            (.slow(bytesPerSecond: 5000), nil),
        ] as [(Fault, [URLError.Code]?)]
    )
    func everyFaultIsSeenByURLSession(_ fault: Fault, _ codes: [URLError.Code]?) async throws {
        try await withServer { (server: MockServer) async throws in
            server.fault(fault, on: .get("/x"))
            let settings = URLSessionConfiguration.ephemeral
            settings.timeoutIntervalForRequest = 1
            let session = URLSession(configuration: settings)
            defer { session.invalidateAndCancel() }
            let seen: Result<(Data, URLResponse), any Error>
            do {
                seen = .success(try await session.data(from: server.url.appendingPathComponent("x")))
            } catch {
                seen = .failure(error)
            }
            switch seen {
            case .success((let data, let response)):
                #expect(codes == nil, "\(fault): \(data.count) bytes and no error")
                let status = (response as? HTTPURLResponse)?.statusCode
                #expect(status == 503 && data.isEmpty || status == 200 && data.count == Self.body.utf8.count)
            case .failure(let error):
                let code = (error as? URLError)?.code
                #expect(codes?.contains { $0 == code } == true, "\(fault): \(error)")
            }
        }
    }

    @Test func aFaultThatAnotherOneHidesIsNotUsedUp() async throws {
        try await withServer { (server: MockServer) async throws in
            let hidden = server.fault(.reset, on: .get("/x"), times: 1)
            server.fault(.status(503), on: .any("/**"), times: 1)
            let late = server.fault(.delay(.uniform(.zero...(.milliseconds(1)))), on: .any("/late"), seed: 7)
            #expect(try await curl(server, "/x").text.hasPrefix("HTTP/1.1 503 Service Unavailable"))
            #expect(hidden.count == 0)
            #expect(try await curl(server, "/x").status == 56)
            #expect(hidden.count == 1)
            #expect(try await curl(server, "/x").text.hasPrefix("HTTP/1.1 200"))
            _ = try await curl(server, "/late")
            #expect(late.count == 1)
            #expect(server.journal.entries.last?.remark == "fault: delay 0ms..1ms (seed 7)")
        }
    }

    @Test func aPathThatMakesNoSenseIsTold() async throws {
        try await withServer { (server: MockServer) async throws in
            server.fault(.status(503), on: .get("no slash"))
            let seen = try await curl(server)
            #expect(seen.text.hasPrefix("HTTP/1.1 503"))
            #expect(server.journal.entries.first?.remark?.contains("the path no slash makes no sense") == true)
        }
    }

    @Test func happensWhenItIsToldTo() async throws {
        func statuses(_ add: (MockServer) -> FaultRule, _ count: Int) async throws -> [Int] {
            try await withMockServer(responder: { _ in .text("ok") }) { (server: MockServer) async throws in
                _ = add(server)
                return try (0..<count).map { _ in
                    let text = try RawClient.exchange(
                        server.port,
                        "GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                    )
                    return Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0
                }
            }
        }
        let bad = Fault.status(503)
        #expect(try await statuses({ $0.fault(bad, on: .get("/x"), nth: 2) }, 4) == [200, 503, 200, 200])
        #expect(try await statuses({ $0.fault(bad, on: .get("/x"), every: 2) }, 4) == [200, 503, 200, 503])
        #expect(try await statuses({ $0.fault(bad, on: .any("/**"), times: 2) }, 4) == [503, 503, 200, 200])
        let one = try await statuses({ $0.fault(bad, on: .get("/x"), probability: 0.5, seed: 7) }, 40)
        let other = try await statuses({ $0.fault(bad, on: .get("/x"), probability: 0.5, seed: 7) }, 40)
        #expect(one == other && Set(one) == [200, 503])
        #expect(
            try await statuses({ $0.fault(bad, on: .get("/x"), probability: 0) }, 10)
                == Array(repeating: 200, count: 10)
        )
        let removed = try await statuses(
            {
                let rule = $0.fault(bad, on: .get("/x"))
                rule.remove()
                return rule
            },
            1
        )
        #expect(removed == [200])
    }

    /// In front of a replay, on a kept connection whose requests have short cuts.
    @Test func replaysFailToo() async throws {
        let path = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../cassettes/httpbin.cassette")
            .standardized.path
        try await withMockServer(.replay(path)) { (server: MockServer) async throws in
            func status() throws -> String {
                let text = try RawClient.exchange(
                    server.port,
                    "GET /stream/3 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                return String(text.prefix(12))
            }
            #expect(try status() == "HTTP/1.1 200")
            let rule = server.fault(.status(500), on: .get("/stream/{n}"), times: 1)
            #expect(try status() == "HTTP/1.1 500")
            #expect(try status() == "HTTP/1.1 200")
            #expect(rule.count == 1)
        }
    }

    @Test func delaysAreThoseOfTheirKind() {
        var random = SplitMix(seed: 1)
        let normal = FaultDelay.logNormal(median: .milliseconds(100))
        let sorted = (0..<2001).map { _ in normal.wait.duration(using: &random) }.sorted()
        #expect((Duration.milliseconds(90)...(.milliseconds(110))).contains(sorted[1000]))
        #expect(sorted[1950] > .milliseconds(200) && sorted[0] > .zero)
        let uniform = FaultDelay.uniform(.milliseconds(10)...(.milliseconds(20)))
        let spread = (0..<1000).map { _ in uniform.wait.duration(using: &random) }
        #expect(spread.allSatisfy { $0 >= .milliseconds(10) && $0 <= .milliseconds(20) })
        #expect(spread.contains { $0 > .milliseconds(18) } && spread.contains { $0 < .milliseconds(12) })
    }
}
