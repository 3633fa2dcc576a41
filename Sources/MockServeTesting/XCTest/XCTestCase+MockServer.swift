#if canImport(XCTest)
    import Foundation
    public import MockServe
    public import XCTest

    extension XCTestCase {
        /// Starts a mock server for the running test, which is stopped when the test ends.
        ///
        /// ```swift
        /// func testUser() throws {
        ///     let server = try startMockServer("github", upstream: "https://api.github.com")
        ///     let client = GitHub(baseURL: server.url)
        ///     …
        /// }
        /// ```
        ///
        /// `swift test` replays; `MOCKSERVE_MODE=missing swift test` records what is not in the cassettes yet. The cassette above is
        /// `cassettes/github/GitHubTests/GitHubTests.testUser.cassette`, beside the test file. A test that fails leaves no
        /// cassette, and does not change the one that is there. Requests without a recorded answer fail the test, at the line
        /// of this call. What fails in `tearDown` comes after that is decided.
        ///
        /// - Parameters:
        ///   - name: the folder in `cassettes`, such as the name of the service. A test with several servers needs one for each.
        ///     If it ends in `.cassette`, it is the file. Default: none.
        ///   - upstream: the origin of the real service. Needed for recording only. Default: the environment variable
        ///     `MOCKSERVE_UPSTREAM`.
        ///   - upstreams: several of them, with names: `MockServer.url(for:)`.
        ///   - mode: what to record. Default: the environment variable `MOCKSERVE_MODE`, otherwise `RecordMode.replay`.
        ///   - playback: which of several recorded answers is given. Default: the environment variable `MOCKSERVE_PLAYBACK`,
        ///     otherwise `Playback.timeline`.
        ///   - unused: what happens if recorded interactions were not used. Default: nothing.
        ///   - cassettes: the folder for cassettes, absolute or beside the test file. Default: `cassettes`.
        ///   - file: the test file.
        ///   - line: where misses are reported.
        ///   - configure: changes everything else.
        /// - Throws: `MockServeError` if the server could not start.
        public func startMockServer(
            _ name: String? = nil,
            upstream: String? = nil,
            upstreams: [(name: String, url: String)] = [],
            mode: RecordMode? = nil,
            playback: Playback? = nil,
            unused: UnusedPolicy? = nil,
            cassettes: String? = nil,
            file: StaticString = #filePath,
            line: UInt = #line,
            configure: (@Sendable (inout MockServerConfiguration) -> Void)? = nil
        ) throws -> MockServer {
            let settings = TestServerSettings(
                name,
                upstream: upstream,
                upstreams,
                mode: mode,
                playback: playback,
                unused: unused,
                folder: cassettes,
                configure
            )
            let test = TestName(self, file: "\(file)")
            let location = try CassetteLocation.claim(settings, test)
            let configuration = settings.configuration(location, recordedBy: test.recordCommand)
            let server = try MockServer.start(configuration)
            addTeardownBlock { [unowned self] in
                server.finishExchangesBlocking()
                let unused = Result {
                    configuration.unused == .fail ? try server.unusedInteractions() : UnusedInteractions()
                }
                let report = ServerReport(
                    server,
                    countsMisses: configuration.failsOnMisses,
                    unused: unused,
                    hint: RenamedTests.hint(for: location, test)
                )
                if let text = report.text { XCTFail(text, file: file, line: line) }
                let hasFailed = testRun.map { $0.totalFailureCount > 0 } ?? false
                if hasFailed, !configuration.keepsFailedEpisodes { server.dropEpisode() }
                do {
                    try server.stop()
                } catch {
                    XCTFail("\(error)", file: file, line: line)
                }
            }
            return server
        }
    }

    extension TestName {
        /// - Parameter file: the path of the test file.
        init(_ test: XCTestCase, file: String) {
            // `GitHubTests.testUser`, or `-[Module.GitHubTests testUser]` where Objective-C is.
            let method = test.name.split { $0 == "." || $0 == " " || $0 == "]" }.last.map(String.init) ?? test.name
            self.init(file: file, suites: [String(describing: type(of: test))], function: "\(method)()")
        }
    }
#endif
