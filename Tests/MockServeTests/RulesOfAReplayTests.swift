import CassetteStore
import Foundation
import MockServe
import MockServeCore
import Testing

/// Rules are kept in the cassette: given for one that is replayed, they must be there already.
@Suite(.timeLimit(.minutes(5)))
struct RulesOfAReplayTests {
    private func refusal(_ configuration: MockServerConfiguration) async -> MockServeError? {
        do {
            try await withMockServer(configuration) { _ in }
            return nil
        } catch {
            return error as? MockServeError
        }
    }

    /// Faults of the cassette, while it is replayed.
    @Test func faultsComeAndGoMeanwhile() async throws {
        try await withCassette([Recorded(target: "/a")]) { path in
            try await withMockServer(.replay(path)) { (server: MockServer) async throws in
                func status() throws -> String {
                    let request = "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                    return String(try RawClient.exchange(server.port, request).dropFirst(9).prefix(3))
                }
                #expect(try status() == "200")
                _ = try CassetteEditor.add([Rule(.fault, "GET /a: status 503 on 2")], to: path)
                let fault = try #require(try CassetteReader(path: path).numberedRules().last)
                #expect(fault.rule.action == .fault)
                // Answers that are kept ready may be used for a millisecond.
                let seen = try (0..<20).map { _ in
                    usleep(2000)
                    return try status()
                }
                #expect(seen.filter { $0 == "503" }.count == 1, "\(seen)")
                _ = try CassetteEditor.add([Rule(.fault, "* /**: status 500")], to: path)
                usleep(20_000)
                _ = try status()
                #expect(try status() == "500")
                let all = try #require(try CassetteReader(path: path).numberedRules().last)
                _ = try CassetteEditor.removeRules([all.number], from: path)
                usleep(20_000)
                #expect(try status() == "200")
                let remarks = server.journal.entries.compactMap(\.remark)
                #expect(Set(remarks) == ["fault: status 503", "fault: status 500"])
            }
        }
    }

    @Test func rulesThatWouldBeIgnoredAreRefused() async throws {
        try await withCassette([Recorded(target: "/a?ts=1")]) { path in
            var configuration = MockServerConfiguration.record(path, upstream: "http://127.0.0.1:9")
            configuration.rules = [.ignore("query:ts")]
            let refused = await refusal(configuration)
            #expect(refused?.code == .invalidConfiguration)
            let command = "mockserve cassette rule add \(path) --ignore query:ts"
            #expect(refused?.message.hasSuffix(command) == true)
            var replay = MockServerConfiguration.replay(path)
            replay.rules = configuration.rules
            #expect(await refusal(replay)?.code == .invalidConfiguration)

            _ = try CassetteEditor.add([Rule(.ignore, "query:ts")], to: path)
            #expect(await refusal(configuration) == nil)
            #expect(await refusal(replay) == nil)
        }
    }

    @Test func redactionThatWouldBeIgnoredIsRefusedButDeclaredSecretsAreNot() async throws {
        try await withCassette([Recorded(target: "/a")]) { path in
            var configuration = MockServerConfiguration.record(path, upstream: "http://127.0.0.1:9")
            configuration.redact = [.secret("TOKEN", "a-secret-value")]
            #expect(await refusal(configuration) == nil)
            configuration.redact.append(.json("pin"))
            let refused = await refusal(configuration)
            #expect(refused?.message.hasSuffix("mockserve cassette redact \(path) --redact json:pin") == true)
        }
    }

    @Test(arguments: [RecordMode.once, .missing, .all, .rewrite])
    func redactionThatACassetteHasIsNotTurnedOffSilently(_ mode: RecordMode) async throws {
        try await withCassette([Recorded(target: "/a")]) { path in
            var configuration = MockServerConfiguration.record(path, upstream: "http://127.0.0.1:9", mode: mode)
            configuration.recordsInCI = true
            configuration.redactsByDefault = false
            #expect(await refusal(configuration) == nil)

            _ = try CassetteEditor.redact([Rule(.redact, "catalog:2")], secrets: [], in: path)
            let rules = try CassetteReader(path: path).numberedRules()
            let number = try #require(rules.first { $0.rule.isDefaultRedaction }).number
            let command = "mockserve cassette rule remove \(path) \(number)"
            #expect(await refusal(configuration)?.message.hasSuffix(command) == true)
        }
    }

    @Test func passingByHasNoUseForRules() async throws {
        var configuration = MockServerConfiguration.record("", upstream: "http://127.0.0.1:9", mode: .passthrough)
        #expect(await refusal(configuration) == nil)
        configuration.rules = [.ignore("query:ts")]
        #expect(await refusal(configuration)?.code == .invalidConfiguration)
    }
}
