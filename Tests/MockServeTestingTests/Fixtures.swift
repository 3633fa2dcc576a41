import Foundation
import MockServe
import MockServeTesting
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// What the tests of this file are run with, by `TraitTests`, in processes of their own: some fail, as they should.
enum Fixture {
    private static let environment = ProcessInfo.processInfo.environment
    static let folder = environment["MOCKSERVE_FIXTURES"]
    static let upstream = environment["MOCKSERVE_FIXTURES_UPSTREAM"]
    static let fails = environment["MOCKSERVE_FIXTURES_FAIL"] != nil
    static let isAsked = folder != nil
    static let reason: Comment = "TraitTests runs it in a process of its own, where some of it fails as it should"

    /// What the server of the running test answers.
    static func get(_ path: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
        let url = try MockServer.required(sourceLocation: sourceLocation).url.appendingPathComponent(path)
        return String(decoding: try await URLSession.shared.data(from: url).0, as: UTF8.self)
    }
}

@Suite(
    .enabled(if: Fixture.isAsked, Fixture.reason),
    .mockServer("api", upstream: Fixture.upstream, cassettes: Fixture.folder)
)
struct FixtureTests {
    @Test func asksOnce() async throws {
        #expect(try await Fixture.get("one") == "/one")
    }

    @Test func asksNothing() {}

    @Test func mayFail() async throws {
        let answer = try await Fixture.get("fails")
        #expect(answer == "/fails" && !Fixture.fails)
    }

    @Test func mayThrow() async throws {
        _ = try await Fixture.get("throws")
        if Fixture.fails { throw CancellationError() }
    }

    @Test func ignoresWhatItGets() async throws {
        for number in 0..<3 { _ = try await Fixture.get("swallowed/\(number)") }
    }

    @Test(.mockServer("other")) func hasAFolderOfItsOwn() async throws {
        #expect(try await Fixture.get("own") == "/own")
    }

    @Test(.mockServer(unused: .fail)) func mayLeaveSome() async throws {
        _ = try await Fixture.get("used")
        if !Fixture.fails { _ = try await Fixture.get("left") }
    }

    @Test(arguments: ["a/b", "a b", "…"], [1, 2]) func hasArguments(_ text: String, number: Int) async throws {
        let escaped = text.utf8.map { String($0, radix: 16) }.joined()
        #expect(try await Fixture.get("\(escaped)/\(number)") == "/\(escaped)/\(number)")
    }

    @Test func knowsAnIssue() async throws {
        #expect(try await Fixture.get("known") == "/known")
        withKnownIssue { #expect(Bool(false)) }
    }
}

@Suite(.enabled(if: Fixture.isAsked, Fixture.reason))
struct FixtureTestsWithoutTrait {
    @Test func needsOne() async throws {
        _ = try await Fixture.get("none")
    }
}

@Suite(
    .enabled(if: Fixture.isAsked, Fixture.reason),
    .mockServer(upstream: Fixture.upstream, scope: .perSuite, cassettes: Fixture.folder)
)
struct FixtureTestsOfOneServer {
    static let ports = Ports()

    @Test func first() async throws {
        #expect(try await Fixture.get("first") == "/first")
        Self.ports.note(try MockServer.required().port)
    }

    @Test(arguments: 0..<5) func second(_ number: Int) async throws {
        #expect(try await Fixture.get("second") == "/second")
        Self.ports.note(try MockServer.required().port)
    }

    @Test(.mockServer("own")) func hasItsOwn() async throws {
        #expect(try await Fixture.get("third") == "/third")
        #expect(!Self.ports.all.contains(try MockServer.required().port))
    }

    @Suite struct Inner {
        @Test func sharesIt() async throws {
            #expect(try await Fixture.get("inner") == "/inner")
            FixtureTestsOfOneServer.ports.note(try MockServer.required().port)
            #expect(FixtureTestsOfOneServer.ports.all.count == 1)
        }
    }
}
