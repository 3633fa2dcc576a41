import Foundation
#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif
import MockServeCore
import Testing

@testable import MockServe

/// Defaults, environment, code, command line: who wins, and who says so.
@Suite struct SettingTests {
    private func following(
        _ environment: [String: String],
        isCommandLine: Bool = false,
        _ configuration: MockServerConfiguration = .record("a.cassette", upstreams: [])
    ) -> MockServerConfiguration {
        var configuration = configuration
        configuration.followEnvironment(isCommandLine: isCommandLine) { environment[$0] }
        return configuration
    }

    @Test func theEnvironmentIsStrongerThanTheDefaults() throws {
        let configuration = following([
            "MOCKSERVE_MODE": "missing", "MOCKSERVE_UPSTREAM": "api=https://a.example,https://b.example",
            "MOCKSERVE_PLAYBACK": "cycle", "MOCKSERVE_SPEED": "0.5", "MOCKSERVE_MISS_STATUS": "500",
            "MOCKSERVE_MAP": "off", "MOCKSERVE_RECORD_IN_CI": "1", "MOCKSERVE_ALLOW_HOST": "a, b",
            "MOCKSERVE_READ_TIMEOUT": "2.5", "MOCKSERVE_CACHE_SIZE": "3",
        ])
        #expect(configuration.mode == .missing)
        #expect(configuration.upstreams.map(\.name) == ["api", "default"])
        #expect(configuration.upstreams.map(\.url) == ["https://a.example", "https://b.example"])
        #expect(configuration.playback == .cycle && configuration.speed == 0.5 && configuration.missStatus == 500)
        #expect(!configuration.mapsOrigins && configuration.recordsInCI)
        #expect(configuration.allowedHosts == ["a", "b"])
        #expect(configuration.upstream.readTimeout == .milliseconds(2500) && configuration.cacheSize == 3 << 20)
        #expect(configuration.environmentProblem == nil)
    }

    @Test func codeIsStrongerThanTheEnvironment() throws {
        var configuration = following(["MOCKSERVE_PLAYBACK": "cycle"])
        configuration.playback = .first
        #expect(configuration.playback == .first)
        #expect(MockServerConfiguration.record("a", upstream: "http://a", mode: .all).mode == .all)
        #expect(MockServerConfiguration.record("a", upstream: "http://a").mode == .once)
        #expect(MockServerConfiguration.replay("a").mode == nil)
    }

    @Test func whatIsForTheCommandLineDoesNotReachTheLibrary() throws {
        let environment = ["MOCKSERVE_PORT": "8080", "MOCKSERVE_HOST": "::1", "MOCKSERVE_SPEED": "2"]
        #expect(following(environment).listen == .loopback)
        let configuration = following(environment, isCommandLine: true)
        #expect(configuration.listen == .address("::1", port: 8080) && configuration.speed == 0)
    }

    @Test func everySettingTakesBackWhatItSays() throws {
        for setting in Setting.all {
            var configuration = MockServerConfiguration.record("a", upstream: "http://a.example")
            let text = setting.text(configuration)
            guard !text.isEmpty else { continue }
            try configuration.set(setting.name, to: text, by: "a test")
            #expect(setting.text(configuration) == text, "\(setting.name)")
        }
        #expect(Set(Setting.all.map(\.variable)).count == Setting.all.count)
    }

    @Test(arguments: [
        ("mode", "always"), ("port", "70000"), ("port", "-1"), ("port", ""), ("playback", "random"), ("speed", "-1"),
        ("speed", "nan"),
        ("speed", "inf"), ("miss-status", "200"), ("map", "perhaps"), ("read-timeout", "0"), ("cache-size", "1e3"),
    ])
    func nonsenseIsRefusedByName(_ name: String, _ text: String) throws {
        let setting = try #require(Setting.named(name))
        #expect(setting.problem(with: text)?.hasPrefix("takes ") == true)
    }

    @Test func nonsenseInTheEnvironmentIsAnErrorWhenAServerIsStarted() async throws {
        let configuration = following(["MOCKSERVE_SPEED": "fast"], .replay("cassettes/none.cassette"))
        let error = await #expect(throws: MockServeError.self) { _ = try await MockServer.start(configuration) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message == "MOCKSERVE_SPEED in the environment takes 0 or more, not `fast`.")
    }

    @Test func misspelledVariablesAreFound() {
        let names = ["MOCKSERVE_SPEED", "MOCKSERVE_SPEDE", "MOCKSERVE_URL", "PATH", "MOCKSERVE_MODES"]
        #expect(Setting.unknown(among: names) == ["MOCKSERVE_MODES", "MOCKSERVE_SPEDE"])
    }

    @Test func theExplanationSaysWhoSaidWhat() throws {
        var configuration = following(["MOCKSERVE_MODE": "all"])
        try configuration.set("speed", to: "2", by: "--speed")
        let lines = try configuration.explanation().split(separator: "\n").map { line in
            line.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
        #expect(lines.count == Setting.all.count)
        #expect(lines.contains("mode all MOCKSERVE_MODE"))
        #expect(lines.contains("speed 2 --speed"))
        #expect(lines.contains("playback timeline default"))
    }

    @Test func aRecordingThatIsToReplayTouchesNoUpstream() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            let upstream = try await MockServer.start(.responding(with: ClosureResponder { _ in .text("once") }))
            let origin = upstream.url.absoluteString
            var recording = MockServerConfiguration.record(path, upstream: origin, mode: .all)
            recording.recordsInCI = true
            try await withMockServer(recording) { server in
                _ = try await URLSession.shared.data(from: server.url.appending(path: "a"))
                #expect(try server.recordedAt.map { abs($0.timeIntervalSinceNow) < 60 } == true)
            }
            try await upstream.stop()
            try await withMockServer(.record(path, upstream: origin, mode: .replay)) { server in
                let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "a"))
                #expect(String(decoding: data, as: UTF8.self) == "once" && !server.isRecording)
                #expect(try server.recordedAt.map { abs($0.timeIntervalSinceNow) < 60 } == true)
            }
        }
    }
}
