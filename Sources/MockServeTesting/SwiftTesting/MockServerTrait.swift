public import MockServe
public import Testing

/// Gives tests a mock server in the background, each test case its own: own port, own replay position, own journal, own
/// cassette.
///
/// ```swift
/// @Suite(.mockServer("github", upstream: "https://api.github.com"))
/// struct GitHubTests {
///     @Test func user() async throws {
///         let client = GitHub(baseURL: try MockServer.required().url)
///         #expect(try await client.user("ada").name == "Ada")
///     }
/// }
/// ```
///
/// `swift test` replays; `MOCKSERVE_MODE=missing swift test` records what is not in the cassettes yet. The cassette above is
/// `cassettes/github/GitHubTests/GitHubTests.user.cassette`, beside the test file: it is named after the file, the suite
/// and the function, and after the arguments of a test that has some. A test that fails leaves no cassette, and does not
/// change the one that is there.
///
/// Requests without a recorded answer, and interactions that were not used (`UnusedPolicy.fail`), fail the test at its
/// own place in the source, with the report.
public struct MockServerTrait: SuiteTrait, TestTrait, TestScoping {
    /// What shares a server.
    public enum Scope: Sendable {
        /// Each test case, also of a test with arguments, has its own.
        case perTest
        /// All tests of a suite, or all cases of a test, share one, and one cassette. The order of their requests must
        /// not matter then, as tests run in parallel.
        case perSuite
    }

    /// So that a scope knows whether it follows this trait already.
    final class Identity: Sendable {}

    let identity = Identity()
    let settings: TestServerSettings

    /// It applies to all tests in a suite.
    public var isRecursive: Bool { true }

    /// Starts at the outermost trait; those within have been merged into it.
    public func scopeProvider(for test: Test, testCase: Test.Case?) -> MockServerTrait? {
        // A test case has a server, whatever it shares it with; suites and tests have one if it is shared.
        guard testCase == nil else { return self }
        return Self.merged(test).scope == .perSuite ? self : nil
    }

    /// Runs a test with its server, which is ``MockServe/MockServer/current`` meanwhile.
    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        let traits = Self.traits(test).map { ObjectIdentifier($0.identity) }
        if let current = TestScope.current, current.traits.isSuperset(of: traits) { return try await function() }
        try await TestScope.run(Self.merged(test), traits, test, testCase, function)
    }

    private static func traits(_ test: Test) -> [MockServerTrait] { test.traits.compactMap { $0 as? MockServerTrait } }

    /// The settings of all traits of a test, those of inner ones over those of outer ones.
    private static func merged(_ test: Test) -> TestServerSettings {
        traits(test).reduce(into: TestServerSettings()) { $0.merge($1.settings) }
    }
}

extension Trait where Self == MockServerTrait {
    /// Gives each test case, or each suite, a mock server in the background: ``MockServe/MockServer/current``.
    ///
    /// A trait of a test is merged with those of its suites, and overrides them.
    ///
    /// - Parameters:
    ///   - name: the folder in `cassettes` for these tests, such as the name of the service. If it ends in `.cassette`, it
    ///     is the file that all of these tests share. Default: none.
    ///   - upstream: the origin of the real service, `https://api.example.com`. Needed for recording only. Default: the
    ///     environment variable `MOCKSERVE_UPSTREAM`.
    ///   - upstreams: several of them, with names: `MockServer.url(for:)`.
    ///   - mode: what to record. Default: the environment variable `MOCKSERVE_MODE`, otherwise `RecordMode.replay`.
    ///   - playback: which of several recorded answers is given. Default: the environment variable `MOCKSERVE_PLAYBACK`,
    ///     otherwise `Playback.timeline`.
    ///   - unused: what happens if recorded interactions were not used. Default: nothing.
    ///   - scope: what shares a server. Default: nothing, each test case has its own.
    ///   - cassettes: the folder for cassettes, absolute or beside the test file. Default: `cassettes`.
    ///   - configure: changes everything else. Those of outer traits are called first.
    public static func mockServer(
        _ name: String? = nil,
        upstream: String? = nil,
        upstreams: [(name: String, url: String)] = [],
        mode: RecordMode? = nil,
        playback: Playback? = nil,
        unused: UnusedPolicy? = nil,
        scope: MockServerTrait.Scope? = nil,
        cassettes: String? = nil,
        configure: (@Sendable (inout MockServerConfiguration) -> Void)? = nil
    ) -> Self {
        let settings = TestServerSettings(
            name,
            upstream: upstream,
            upstreams,
            mode: mode,
            playback: playback,
            unused: unused,
            scope: scope,
            folder: cassettes,
            configure
        )
        return MockServerTrait(settings: settings)
    }
}
