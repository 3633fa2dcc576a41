import Foundation
import MockServe
import Testing

/// What malicious or broken clients do, over real connections, with the status or the close they get.
@Suite(.timeLimit(.minutes(5)))
struct HostileClientTests {
    /// What the parser of HTTP/1 refuses, and is not the beginning of another protocol, which a server tells apart before.
    private static let refused = RequestCase.all.filter { request in
        guard case .refused = request.outcome else { return false }
        return request.name != "the HTTP/2 preface" && request.name != "a TLS client hello"
    }

    @Test func theTableIsLargeEnough() { #expect(Self.refused.count >= 80) }

    /// One server gets all of them; each is answered with its status, then its connection is closed, and the server goes on.
    @Test func malformedRequestsAreRefused() async throws {
        var configuration = MockServerConfiguration.responding(with: ClosureResponder { _ in .text("answered") })
        configuration.allowedHosts = ["*"]
        try await withMockServer(configuration) { server in
            for hostile in Self.refused {
                guard case .refused(let status) = hostile.outcome else { continue }
                let client = try RawClient(port: server.port)
                client.send(hostile.bytes.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
                let answer = client.readToEnd()
                // The first part may be a request of its own, or a 1xx.
                let statuses = answer.components(separatedBy: "HTTP/1.1 ").map { $0.prefix(3) }.filter {
                    Int($0) != nil
                }
                #expect(statuses.last == "\(status)", "\(hostile.name): \(answer.prefix(300))")
            }
            let good = try RawClient.exchange(
                server.port,
                "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            #expect(good.hasSuffix("answered"))
        }
    }

    @Test(arguments: [
        ("localhost", true), ("LOCALHOST:99", true), ("a.localhost", true), ("127.0.0.1", true), ("127.1.2.3:80", true),
        ("[::1]:80", true), ("", true), ("allowed.test:1", true), ("ALLOWED.test", true), ("attacker.example", false),
        ("localhost.attacker.example", false), ("127.0.0.1.attacker.example", false), ("169.254.169.254", false),
        ("127.0.0.256", false), ("allowed.test.attacker.example", false), ("[::2]", false),
    ])
    func knowsItsOwnNames(_ host: String, _ isAllowed: Bool) async throws {
        var configuration = MockServerConfiguration.responding(with: ClosureResponder { _ in .text("") })
        configuration.allowedHosts = ["allowed.test"]
        try await withMockServer(configuration) { server in
            let fields = "Host: \(host)\r\nConnection: close\r\n\r\n"
            let answer = try RawClient.exchange(server.port, "GET / HTTP/1.1\r\n" + fields)
            #expect(answer.hasPrefix(isAllowed ? "HTTP/1.1 200" : "HTTP/1.1 421"), "\(answer)")
            guard !isAllowed else { return }
            let absolute = "GET http://\(host)/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            #expect(try RawClient.exchange(server.port, absolute).hasPrefix("HTTP/1.1 4"))
        }
    }

    private func withTimeouts(
        head: Duration = .milliseconds(200),
        stall: Duration = .milliseconds(300),
        _ body: (MockServer) async throws -> Void
    ) async throws {
        let large = String(repeating: "x", count: 32 << 20)
        var configuration = MockServerConfiguration.responding(
            with: ClosureResponder { request in
                .text(request.path == "/large" ? large : request.text)
            }
        )
        configuration.limits.responderBody = 64 << 20
        configuration.limits.headTimeout = head
        configuration.limits.stallTimeout = stall
        configuration.limits.idleTimeout = .milliseconds(400)
        try await withMockServer(configuration, body)
    }

    @Test func slowSendersAreCutOff() async throws {
        try await withTimeouts { server in
            for begun in [
                "G", "GET / HTTP/1.1\r\nHost: localhost\r\nX: y",
                "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc",
            ] {
                let client = try RawClient(port: server.port)
                client.send(begun)
                #expect(client.readToEnd().hasPrefix("HTTP/1.1 408"), "\(begun)")
            }
            // A head that arrives byte by byte gets no more time.
            let client = try RawClient(port: server.port)
            let start = ContinuousClock.now
            for byte in "GET / HTTP/1.1\r\nX: \(String(repeating: "y", count: 300))" {
                client.send(String(byte))
                if client.hears(within: 5) { break }
            }
            #expect(client.readToEnd().hasPrefix("HTTP/1.1 408") && start.duration(to: .now) < .seconds(10))
        }
    }

    @Test func idleConnectionsAreClosedInTheEnd() async throws {
        try await withTimeouts { server in
            let fresh = try RawClient(port: server.port)
            #expect(fresh.readToEnd() == "")
            let used = try RawClient(port: server.port)
            used.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(used.readToEnd().hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func slowReadersAreCutOff() async throws {
        try await withTimeouts { server in
            let client = try RawClient(port: server.port)
            client.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            // Reads nothing until the server has given up, which resets the connection.
            #expect(client.hears(within: 20_000, of: 0))
            #expect(client.readToEnd().utf8.count < 32 << 20)
        }
    }

    /// A body that keeps coming, however slowly, is read to its end.
    @Test func whoKeepsSendingIsHeard() async throws {
        // Much longer than a pause, so that a busy machine may prolong pauses; much shorter than all of them together.
        try await withTimeouts(head: .seconds(20), stall: .seconds(2)) { server in
            let client = try RawClient(port: server.port)
            client.send("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 30\r\n\r\n")
            for _ in 0..<30 {
                client.send("x")
                if client.hears(within: 100) { break }
            }
            #expect(client.readToEnd().hasSuffix(String(repeating: "x", count: 30)))
        }
    }

    @Test func nothingIsForwardedToItself() async throws {
        try await withFolder { folder in
            // A socket of ours, so that its address is known before the server is made.
            let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            _ = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    bind(descriptor, pointer, size)
                    return getsockname(descriptor, pointer, &size)
                }
            }
            let port = Int(UInt16(bigEndian: address.sin_port))
            let path = folder.appendingPathComponent("a.cassette").path
            var configuration = MockServerConfiguration.record(path, upstream: "http://localhost:\(port)", mode: .all)
            configuration.listen = .socket(descriptor)
            configuration.recordsInCI = true
            try await withMockServer(configuration) { server in
                let answer = try RawClient.exchange(
                    port,
                    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                #expect(answer.hasPrefix("HTTP/1.1 502") && answer.contains("is this server itself"), "\(answer)")
                #expect(server.failureCount == 1 && server.recordedCount == 0)
            }
        }
    }

    @Test func aNewCassetteIsPrivateWhileItIsRecorded() async throws {
        try await withFolder { folder in
            func permissions() throws -> [String: Int] {
                let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
                return try Dictionary(
                    uniqueKeysWithValues: names.map { name in
                        let file = folder.appendingPathComponent(name).path
                        return (
                            name, try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int ?? 0
                        )
                    }
                )
            }
            let path = folder.appendingPathComponent("a.cassette").path
            try await withMockServer(responder: { _ in .text("") }) { upstream in
                var recording = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString)
                recording.recordsInCI = true
                try await withMockServer(recording) { server in
                    _ = try RawClient.exchange(
                        server.port,
                        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                    )
                    #expect(try permissions().values.allSatisfy { $0 == 0o600 })
                    #expect(try permissions().count > 1)
                }
            }
            let plain = folder.appendingPathComponent("plain")
            _ = FileManager.default.createFile(atPath: plain.path, contents: nil)
            let all = try permissions()
            #expect(all["a.cassette"] == all["plain"])
        }
    }
}
