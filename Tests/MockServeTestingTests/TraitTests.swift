import Foundation
import MockServe
import MockServeTesting
import Synchronization
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Values that tests have seen, from all threads.
final class Ports: Sendable {
    private let values = Mutex<Set<Int>>([])

    func note(_ port: Int) { values.withLock { _ = $0.insert(port) } }

    var all: Set<Int> { values.withLock { $0 } }
}

/// An upstream that answers with the path of the request.
private struct Upstream {
    let server: MockServer

    static let shared: Upstream? = try? Upstream()

    init() throws {
        server = try MockServer.start(.responding(with: Echo()))
    }

    struct Echo: Responder {
        func respond(to request: MockRequest) async throws -> MockResponse { .text(request.path) }
    }

    static var url: String? { shared?.server.url.absoluteString }
}

private let temporaryFolder = FileManager.default.temporaryDirectory
    .appendingPathComponent("mockserve-traits-\(UUID().uuidString)").path

/// 200 servers at once, at most: each case has its own, and sees its own requests only.
@Suite(.mockServer("httpbin.cassette", cassettes: "../../cassettes"))
struct ParallelTests {
    private static let ports = Ports()

    @Test(arguments: 0..<200) func hasItsOwnServer(_ number: Int) async throws {
        let server = try MockServer.required()
        Self.ports.note(server.port)
        for _ in 0..<2 {
            let (data, _) = try await URLSession.shared.data(from: server.url.appendingPathComponent("stream/3"))
            #expect(data.count > 400)
        }
        #expect(server.journal.entries.map(\.target) == ["/stream/3", "/stream/3"])
        #expect(server.replayedCount == 2)
    }
}

@Suite(.mockServer(upstream: Upstream.url, mode: .missing, cassettes: temporaryFolder) { $0.recordsInCI = true })
struct ParallelRecordingTests {
    @Test(arguments: 0..<12) func recordsForItself(_ number: Int) async throws {
        let server = try MockServer.required()
        for path in ["a", "b", "a"] {
            let url = server.url.appendingPathComponent("\(number)/\(path)")
            let (data, _) = try await URLSession.shared.data(from: url)
            #expect(String(decoding: data, as: UTF8.self) == "/\(number)/\(path)")
        }
        #expect(server.recordedCount + server.replayedCount == 3)
    }
}

/// The tests in `Fixtures.swift`, in processes of their own, one at a time.
@Suite(.serialized) struct TraitTests {
    private struct Run {
        let status: Int32
        let output: String

        /// The part of the output that is about one test.
        func issues(_ test: String) -> [Substring] {
            output.split(separator: "\n").filter { $0.contains("\(test)(") && $0.contains("recorded an issue") }
        }
    }

    private let folder: String
    private let upstream: MockServer

    init() throws {
        folder =
            FileManager.default.temporaryDirectory.appendingPathComponent("mockserve-fixtures-\(UUID().uuidString)")
            .path
        upstream = try MockServer.start(.responding(with: Upstream.Echo()))
    }

    /// Runs tests whose names match a filter.
    private func run(_ filter: String, _ variables: [String: String] = [:]) async throws -> Run {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["--testing-library", "swift-testing", "--filter", filter]
        var environment = ProcessInfo.processInfo.environment
        for name in environment.keys where name.hasPrefix("MOCKSERVE_") || name == "CI" { environment[name] = nil }
        environment["MOCKSERVE_FIXTURES"] = folder
        environment["MOCKSERVE_FIXTURES_UPSTREAM"] = upstream.url.absoluteString
        environment["NO_COLOR"] = "1"
        process.environment = environment.merging(variables) { $1 }
        let log = URL(fileURLWithPath: "\(folder).log")
        try Data().write(to: log)
        let output = try FileHandle(forWritingTo: log)
        process.standardOutput = output
        process.standardError = output
        let ended = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in ended.continuation.finish() }
        try process.run()
        for await _ in ended.stream {}
        return Run(
            status: process.terminationStatus,
            output: String(decoding: try Data(contentsOf: log), as: UTF8.self)
        )
    }

    private func cassettes() -> [String] {
        let files = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
        return files.filter { !$0.hasSuffix("/") && $0.contains(".cassette") }.sorted()
    }

    @Test func recordsThenReplays() async throws {
        let recorded = try await run("FixtureTests/|FixtureTestsOfOneServer/", ["MOCKSERVE_MODE": "missing"])
        #expect(recorded.status == 0, "\(recorded.output)")
        let made = cassettes()
        let own = made.filter { !$0.contains("hasArguments") }
        #expect(
            own
                == [
                    "Fixtures/FixtureTestsOfOneServer.cassette", "api/Fixtures/FixtureTests.asksOnce.cassette",
                    "api/Fixtures/FixtureTests.ignoresWhatItGets.cassette",
                    "api/Fixtures/FixtureTests.knowsAnIssue.cassette",
                    "api/Fixtures/FixtureTests.mayFail.cassette", "api/Fixtures/FixtureTests.mayLeaveSome.cassette",
                    "api/Fixtures/FixtureTests.mayThrow.cassette",
                    "other/Fixtures/FixtureTests.hasAFolderOfItsOwn.cassette",
                    "own/Fixtures/FixtureTestsOfOneServer.hasItsOwn.cassette",
                ].sorted()
        )
        #expect(made.count - own.count == 6)
        try await upstream.stop()
        let replayed = try await run("FixtureTests/|FixtureTestsOfOneServer/", ["CI": "true"])
        #expect(replayed.status == 0, "\(replayed.output)")
        #expect(cassettes() == made)
    }

    @Test func saysHowToRecord() async throws {
        let replayed = try await run("FixtureTests/(asks|ignores)")
        #expect(replayed.status != 0)
        #expect(cassettes().isEmpty)
        #expect(replayed.issues("asksNothing").isEmpty)
        // Two: that of the miss, and that of the expectation.
        #expect(replayed.issues("asksOnce").count == 2, "\(replayed.output)")
        #expect(
            replayed.output.contains("There is no cassette yet: \(folder)/api/Fixtures/FixtureTests.asksOnce.cassette")
        )
        #expect(replayed.output.contains("MOCKSERVE_MODE=missing swift test --filter 'FixtureTests/asksOnce'"))
        // One issue for three requests, although the test did not look at the answers.
        #expect(replayed.issues("ignoresWhatItGets").count == 1)
        #expect(replayed.output.contains("GET /swallowed/2"))
        let line = try #require(replayed.issues("ignoresWhatItGets").first?.split(separator: ":").dropFirst().first)
        let source = try String(
            contentsOfFile: #filePath.replacing("TraitTests.swift", with: "Fixtures.swift"),
            encoding: .utf8
        )
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        let number = try #require(Int(line))
        #expect(lines[number - 1].contains("@Test") && lines[number - 1].contains("ignoresWhatItGets"))
    }

    @Test func recordsNothingInCI() async throws {
        let refused = try await run("FixtureTests/asksOnce", ["MOCKSERVE_MODE": "missing", "CI": "true"])
        #expect(refused.status != 0 && cassettes().isEmpty)
        #expect(refused.output.contains("the environment variable CI is set"), "\(refused.output)")
        #expect(
            refused.output.contains(
                "On your own machine: MOCKSERVE_MODE=missing swift test --filter 'FixtureTests/asksOnce'"
            )
        )
    }

    @Test func aFailedTestLeavesNothing() async throws {
        let tests = "FixtureTests/(may)"
        let failed = try await run(tests, ["MOCKSERVE_MODE": "missing", "MOCKSERVE_FIXTURES_FAIL": "1"])
        #expect(failed.status != 0)
        #expect(cassettes() == ["api/Fixtures/FixtureTests.mayLeaveSome.cassette"], "\(failed.output)")
        _ = try await run(tests, ["MOCKSERVE_MODE": "missing"])
        let made = cassettes()
        #expect(made.count == 3)
        let before = try made.map { try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")) }
        let again = try await run(tests, ["MOCKSERVE_MODE": "all", "MOCKSERVE_FIXTURES_FAIL": "1"])
        #expect(again.status != 0 && cassettes() == made)
        for (name, content) in zip(made, before) where !name.contains("mayLeaveSome") {
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")) == content, "\(name) has changed")
        }
    }

    @Test func tellsWhatWasNotUsed() async throws {
        #expect(try await run("FixtureTests/mayLeaveSome", ["MOCKSERVE_MODE": "missing"]).status == 0)
        let left = try await run("FixtureTests/mayLeaveSome", ["MOCKSERVE_FIXTURES_FAIL": "1"])
        #expect(left.issues("mayLeaveSome").count == 1, "\(left.output)")
        #expect(left.output.contains("1 recorded interaction was not used:"))
        #expect(left.output.contains("GET /left"))
    }

    @Test func findsARenamedTest() async throws {
        #expect(try await run("FixtureTests/asksOnce", ["MOCKSERVE_MODE": "missing"]).status == 0)
        let place = "\(folder)/api/Fixtures/FixtureTests"
        try FileManager.default.moveItem(atPath: "\(place).asksOnce.cassette", toPath: "\(place).askedBefore.cassette")
        let renamed = try await run("FixtureTests/asksOnce")
        #expect(
            renamed.output.contains("It may have been recorded as FixtureTests.askedBefore, which no longer exists.")
        )
        #expect(
            renamed.output.contains("mv \(place).askedBefore.cassette \(place).asksOnce.cassette"),
            "\(renamed.output)"
        )
    }

    @Test func saysWhichTraitIsMissing() async throws {
        let missing = try await run("FixtureTestsWithoutTrait")
        #expect(missing.status != 0)
        #expect(
            missing.output.contains("This test has no mock server: add the trait .mockServer(…)"),
            "\(missing.output)"
        )
    }
}
