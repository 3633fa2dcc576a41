public import MockServe
public import Testing

extension MockServer {
    /// The server of the running test, as its trait `.mockServer(…)` or that of its suite says; nil if it has none.
    ///
    /// It follows the task: what runs in a detached task, or a thread, has to be told.
    public static var current: MockServer? { TestScope.current?.server }

    /// The server of the running test.
    ///
    /// - Throws: `MockServeError` if it has none. This is also an issue at the place of the call.
    public static func required(sourceLocation: SourceLocation = #_sourceLocation) throws -> MockServer {
        if let current { return current }
        let error = MockServeError(
            .invalidConfiguration,
            """
            This test has no mock server: add the trait .mockServer(…) to it or to its suite.
            In a detached task or another thread, get the server before: the trait applies to the task of the test.
            """
        )
        Issue.record(error, sourceLocation: sourceLocation)
        throw error
    }
}
