import CassetteStore
import Foundation
import GRDBSQLite
import MockServe
import Synchronization
import Testing

/// Scopes in which something goes wrong at an awkward moment.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct FaultTests {
    private func get(_ port: Int, _ target: String = "/x") throws -> String {
        try RawClient.exchange(port, "GET \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    }

    private func withRecording(_ body: (String, String) async throws -> Void) async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            try await withMockServer(responder: { .text("this is \($0.path)") }) { upstream in
                var recording = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString)
                recording.recordsInCI = true
                try await withMockServer(recording) { _ = try get($0.port) }
                try await body(path, upstream.url.absoluteString)
            }
        }
    }

    @Test func aLockedCassetteIsWaitedForAndHoldsUpNobodyElse() async throws {
        try await withRecording { path, _ in
            try await withMockServer(.replay(path)) { server in
                let port = server.port
                let answers = try await withMockServer(responder: { _ in .text("here") }) { other in
                    let otherPort = other.port
                    // On a thread of its own, so that the lock is not held while other tests use all the others.
                    return try await offPool {
                        var lock: OpaquePointer?
                        sqlite3_open(path, &lock)
                        #expect(sqlite3_exec(lock, "BEGIN EXCLUSIVE", nil, nil, nil) == SQLITE_OK)
                        let clients = try (0..<8).map { _ in try RawClient(port: port) }
                        for client in clients {
                            client.send("GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                        }
                        // Servers share event loops: another one still answers.
                        for _ in 0..<8 { try #expect(get(otherPort).hasSuffix("here")) }
                        sqlite3_exec(lock, "COMMIT", nil, nil, nil)
                        sqlite3_close(lock)
                        return clients.map { $0.readToEnd() }
                    }
                }
                for answer in answers { #expect(answer.hasSuffix("this is /x")) }
            }
        }
    }

    @Test func aRecordingThatWasCancelledIsDropped() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let upstream = try RawUpstream { _ in .init("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") }
            defer { upstream.stop() }
            var recording = MockServerConfiguration.record(path, upstream: upstream.url)
            recording.recordsInCI = true
            let configuration = recording
            let (recorded, signal) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                try await withMockServer(configuration) { server in
                    _ = try RawClient.exchange(
                        server.port,
                        "GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                    )
                    signal.finish()
                    // Swallowed, so that the body ends as if all were well.
                    try? await Task.sleep(for: .seconds(20))
                }
            }
            for await _ in recorded {}
            task.cancel()
            _ = await task.result
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func aFailedStartLeavesNothingOpen() async throws {
        try await withFolder { folder in
            var configuration = MockServerConfiguration.replay(folder.appendingPathComponent("none.cassette").path)
            configuration.journalFile = folder.appendingPathComponent("journal").path
            let names = { () throws -> [String] in
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
                    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
                }
            }
            for _ in 0..<3 { #expect(await startFailure(configuration)?.code == .cassetteUnreadable) }
            try #expect(!names().contains { $0.hasPrefix(folder.path) })
        }
    }

    @Test func whatComesAfterTheEndTouchesNoJournal() async throws {
        try await withFolder { folder in
            let journal = folder.appendingPathComponent("journal").path
            let isReleased = DispatchSemaphore(value: 0)
            let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
            var configuration = MockServerConfiguration.responding(
                with: ClosureResponder { request in
                    if request.path == "/late" {
                        arrival.finish()
                        await withCheckedContinuation { done in
                            Thread {
                                isReleased.wait(); done.resume()
                            }.start()
                        }
                    }
                    return .text("done")
                }
            )
            configuration.journalFile = journal
            configuration.stopDeadline = .milliseconds(50)
            let server = try await MockServer.start(configuration)
            _ = try get(server.port, "/early")
            let client = try RawClient(port: server.port)
            client.send("GET /late HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for await _ in arrived {}
            try await server.wait(for: "GET /early")
            let before = server.journal.entries.count
            try await server.stop()
            let text = try String(contentsOfFile: journal, encoding: .utf8)
            isReleased.signal()
            try await server.wait(for: "GET /late")
            #expect(server.journal.entries.count == before + 1)
            #expect(text.contains("/early") && !text.contains("/late"))
            try #expect(String(contentsOfFile: journal, encoding: .utf8) == text)
            try #expect(FileManager.default.contentsOfDirectory(atPath: folder.path) == ["journal"])
        }
    }

    @Test func anErrorWhileLookingForUnusedAnswersStopsTheServerAllTheSame() async throws {
        try await withRecording { path, _ in
            var configuration = MockServerConfiguration.replay(path)
            configuration.unused = .fail
            let port = Mutex(0)
            let error = await #expect(throws: MockServeError.self) {
                try await withMockServer(configuration) { server in
                    port.withLock { $0 = server.port }
                    try Data("no cassette any more".utf8).write(to: URL(fileURLWithPath: path))
                }
            }
            #expect(error?.code == .cassetteUnreadable)
            #expect(throws: (any Error).self) { try RawClient(port: port.withLock { $0 }) }
        }
    }

    @Test func anAnswerIsNotGivenForACassetteThatIsGone() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let upstream = try RawUpstream { _ in .init("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") }
            defer { upstream.stop() }
            var recording = MockServerConfiguration.record(path, upstream: upstream.url)
            recording.recordsInCI = true
            let server = try await MockServer.start(recording)
            try #expect(get(server.port).hasSuffix("hi"))
            try FileManager.default.removeItem(atPath: path)
            // The head was already on its way, the last byte was not.
            try #expect(!get(server.port).hasSuffix("hi"))
            await #expect(throws: MockServeError.self) { try await server.stop() }
        }
    }

    /// Event loops open the file when they need it, and share what they found.
    @Test func aReplacedCassetteAnswersNothingMore() async throws {
        try await withRecording { path, upstream in
            let other = path + ".other"
            var recording = MockServerConfiguration.record(other, upstream: upstream)
            recording.recordsInCI = true
            try await withMockServer(recording) { _ = try get($0.port, "/other") }
            var replay = MockServerConfiguration.replay(path)
            replay.failsOnMisses = false
            replay.freshness = .zero
            try await withMockServer(replay) { server in
                try #expect(get(server.port).hasSuffix("this is /x"))
                try FileManager.default.removeItem(atPath: path)
                try FileManager.default.moveItem(atPath: other, toPath: path)
                for target in ["/x", "/other", "/x"] {
                    for _ in 0..<8 {
                        let answer = try get(server.port, target)
                        #expect(answer.hasPrefix("HTTP/1.1 500 ") && answer.contains("replaced"))
                    }
                }
            }
        }
    }

    @Test func anUpstreamThatTakesNothingOfAnUploadIsGivenUp() async throws {
        // Nobody accepts except the system, which takes as much as it has room for.
        let (silent, port) = try listeningSocket()
        defer { close(silent) }
        let url = "http://127.0.0.1:\(port)"
        try await withFolder { folder in
            var recording = MockServerConfiguration.record(
                folder.appendingPathComponent("a.cassette").path,
                upstream: url
            )
            recording.recordsInCI = true
            recording.upstream.readTimeout = .milliseconds(300)
            try await withMockServer(recording) { server in
                let client = try RawClient(port: server.port)
                client.send(
                    "PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 67108864\r\n\r\n"
                )
                let upload = Thread { for _ in 0..<64 { client.send([UInt8](repeating: 7, count: 1 << 20)) } }
                upload.start()
                let answer = client.read { $0.contains("Nothing was recorded") }
                #expect(answer.hasPrefix("HTTP/1.1 504 ") && answer.contains("took nothing of the request"))
            }
        }
    }

    /// The upstream takes an upload in small pieces, with pauses, for longer than it may be silent.
    @Test func aSlowUpstreamIsNotGivenUp() async throws {
        let (slow, port) = try listeningSocket()
        defer { close(slow) }
        // What the system takes for it would count as taken.
        var room: CInt = 64 << 10
        setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<CInt>.size))
        let size = 8 << 20
        Thread {
            let connection = accept(slow, nil, nil)
            var (received, block) = (0, [UInt8](repeating: 0, count: 64 << 10))
            while received < size {
                let count = recv(connection, &block, block.count, 0)
                guard count > 0 else { break }
                received += count
                poll(nil, 0, 50)
            }
            let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndone".utf8)
            send(connection, answer, answer.count, CInt(MSG_NOSIGNAL))
            close(connection)
        }.start()
        let url = "http://127.0.0.1:\(port)"
        try await withFolder { folder in
            var recording = MockServerConfiguration.record(
                folder.appendingPathComponent("a.cassette").path,
                upstream: url
            )
            recording.recordsInCI = true
            recording.upstream.readTimeout = .seconds(1)
            try await withMockServer(recording) { server in
                let client = try RawClient(port: server.port)
                client.send(
                    "PUT /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: image/png\r\nContent-Length: \(size)\r\n\r\n"
                )
                client.send([UInt8](repeating: 7, count: size))
                #expect(client.readToEnd().hasSuffix("done"))
            }
        }
    }

    @Test func keysThatArePlayedOnceAreRememberedOnce() async throws {
        try await withRecording { path, _ in
            var configuration = MockServerConfiguration.replay(path)
            configuration.playback = .once
            configuration.failsOnMisses = false
            try await withMockServer(configuration) { server in
                try #expect(get(server.port).hasSuffix("this is /x"))
                try #expect(get(server.port).hasPrefix("HTTP/1.1 404 "))
            }
            try await withMockServer(configuration) { try #expect(get($0.port).hasSuffix("this is /x")) }
        }
    }

    @Test(arguments: [1e-300, 1e300])
    func noSpeedIsTooMuch(_ speed: Double) async throws {
        try await withRecording { path, _ in
            var configuration = MockServerConfiguration.replay(path)
            configuration.speed = speed
            configuration.stopDeadline = .milliseconds(50)
            let server = try await MockServer.start(configuration)
            let client = try RawClient(port: server.port)
            client.send("GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            if speed > 1 {
                #expect(client.readToEnd().hasSuffix("this is /x"))
                return try await server.stop()
            }
            // Its turn would come in more years than there are.
            _ = try await server.wait(for: "GET /x")
            try await server.stop()
            #expect(client.readToEnd().isEmpty)
        }
    }
}
