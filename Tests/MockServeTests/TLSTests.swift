import Foundation
import HTTPMessages
import HTTPTypes
import MockServe
import Testing

/// What programs that use the library see of TLS. `certificates.py` is about clients.
@Suite(.timeLimit(.minutes(1)))
struct TLSTests {
    private static let hello = ClosureResponder { _ in .text("hello") }

    @Test func theURLSaysWhetherTLSIsDemanded() async throws {
        var configuration = MockServerConfiguration.responding(with: Self.hello)
        try await withMockServer(configuration) { #expect($0.url.scheme == "http") }
        configuration.tls = true
        try await withMockServer(configuration) { server in
            #expect(server.url.scheme == "https")
            let port = server.port
            let answer = try await offPool {
                try RawClient.exchange(port, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            }
            #expect(answer.hasPrefix("HTTP/1.1 400 "))
            #expect(answer.contains("https://"))
        }
    }

    @Test func everyServerHasAnAuthorityOfItsOwn() async throws {
        let configuration = MockServerConfiguration.responding(with: Self.hello)
        var found: [CertificateAuthority] = []
        for _ in 0..<2 {
            try await withMockServer(configuration) { server in
                let authority = try #require(try server.certificateAuthority)
                #expect(try server.certificateAuthority == authority)
                #expect(authority.pem.hasPrefix("-----BEGIN CERTIFICATE-----\n"))
                #expect(authority.pem.hasSuffix("-----END CERTIFICATE-----\n"))
                found.append(authority)
            }
        }
        #expect(found[0].der != found[1].der)
    }

    @Test func badCertificatesAreRefusedAtTheStart() async throws {
        try await withFolder { folder in
            let file = folder.appendingPathComponent("text.pem").path
            try "text".write(toFile: file, atomically: true, encoding: .utf8)
            func message(_ change: (inout CertificateOptions) -> Void) async -> String {
                var configuration = MockServerConfiguration.responding(with: Self.hello)
                change(&configuration.certificates)
                let failure = await startFailure(configuration)
                #expect(failure?.code == .invalidConfiguration)
                return failure?.message ?? ""
            }
            #expect(await message { $0.certificateFile = file }.contains("needs its key"))
            #expect(await message { $0.keyFile = file }.contains("needs its key"))
            #expect(await message { ($0.certificateFile, $0.keyFile) = (file, file) }.contains(file))
            #expect(await message { $0.authorityFile = file }.contains("mockserve ca create"))
            #expect(await message { $0.authorityFile = file + "none" }.contains("cannot be read"))
            #expect(await message { $0.clientAuthoritiesFile = file }.contains(file))
            #expect(
                await message { ($0.certificateFile, $0.keyFile, $0.authorityFile) = (file, file, file) }.contains(
                    "either"
                )
            )
        }
    }

    @Test func badCertificatesForUpstreamsAreRefusedAtTheStart() async throws {
        var configuration = MockServerConfiguration.record(
            "x.cassette",
            upstream: "https://localhost:1",
            mode: .passthrough
        )
        configuration.upstream.certificateFile = "none.pem"
        #expect(await startFailure(configuration)?.message.contains("needs its key") == true)
        configuration.upstream.keyFile = "none.pem"
        #expect(await startFailure(configuration)?.message.contains("none.pem cannot be read") == true)
        let other = MockServerConfiguration.record("x.cassette", upstream: "h3://localhost:1", mode: .passthrough)
        #expect(await startFailure(other)?.message.contains("h2c://") == true)
    }

    /// What comes in pieces is told apart like what comes at once.
    @Test func theBeginningOfAConnectionMayBeCut() async throws {
        let configuration = MockServerConfiguration.responding(with: Self.hello)
        try await withMockServer(configuration) { server in
            let port = server.port
            let answer = try await offPool {
                let client = try RawClient(port: port)
                for byte in Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) {
                    client.send([byte])
                    client.hears(within: 2)
                }
                // Empty SETTINGS, and a GOAWAY, after which the server closes.
                client.send([0, 0, 0, 4, 0, 0, 0, 0, 0] + [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
                return client.readBytesToEnd()
            }
            // SETTINGS.
            #expect(answer.count > 9 && answer[3] == 4)
            let http1 = try await offPool {
                let client = try RawClient(port: port)
                for byte in Array("PRINT / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8) {
                    client.send([byte])
                }
                return client.readToEnd()
            }
            #expect(http1.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func answersOfOurOwnAreThoseOfGRPCForItsClients() async throws {
        try await withFolder { folder in
            var configuration = MockServerConfiguration.replay(folder.appendingPathComponent("none.cassette").path)
            configuration.startsWithoutCassette = true
            configuration.failsOnMisses = false
            try await withMockServer(configuration) { server in
                let port = server.port
                let answer = try await offPool {
                    try RawClient.exchange(
                        port,
                        "POST /a.B/C HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/grpc-web+proto\r\n"
                            + "Content-Length: 0\r\nConnection: close\r\n\r\n"
                    )
                }
                #expect(answer.hasPrefix("HTTP/1.1 200 "))
                #expect(answer.contains("grpc-status: 12\r\n"))
                #expect(answer.contains("content-type: application/grpc-web+proto\r\n"))
                #expect(answer.contains("mockserve-miss: 1\r\n"))
            }
        }
    }
}
