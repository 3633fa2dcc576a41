#if canImport(XCTest)
    public import MockServe
    public import XCTest

    /// A test case whose every test has a mock server of its own: own port, own replay position, own cassette.
    ///
    /// ```swift
    /// final class GitHubTests: MockServerTestCase {
    ///     override func makeServer() throws -> MockServer {
    ///         try startMockServer("github", upstream: "https://api.github.com")
    ///     }
    ///
    ///     func testUser() throws {
    ///         let client = GitHub(baseURL: server.url)
    ///         …
    ///     }
    /// }
    /// ```
    ///
    /// `startMockServer` of `XCTestCase` says how servers and cassettes follow from tests; it does the same without this class.
    open class MockServerTestCase: XCTestCase {
        private var started: MockServer?

        /// The server of the running test. Using it before ``setUpWithError()`` or after the test is a mistake in the test.
        public var server: MockServer {
            guard let started else {
                preconditionFailure("There is a server only while a test runs, after setUpWithError().")
            }
            return started
        }

        /// Starts the server of a test. A subclass must override it, usually with `startMockServer`.
        open func makeServer() throws -> MockServer {
            throw MockServeError(
                .invalidConfiguration,
                "\(type(of: self)) does not say which server it needs. Override makeServer(): try startMockServer(\"name\")"
            )
        }

        /// Starts the server. An override calls `super` first.
        open override func setUpWithError() throws {
            try super.setUpWithError()
            started = try makeServer()
        }

        /// The server has stopped by then.
        open override func tearDownWithError() throws {
            started = nil
            try super.tearDownWithError()
        }
    }
#endif
