/// Runs `body` with a server in the background, and stops the server when `body` is done.
///
/// The server accepts connections before `body` is called. It is stopped when `body` returns or throws, or when the
/// task is cancelled; exchanges under way may then finish within ``MockServerConfiguration/stopDeadline``.
///
/// ```swift
/// try await withMockServer(.replay("cassettes/users.cassette")) { server in
///     let client = UserClient(baseURL: server.url)
///     #expect(try await client.user(1).name == "Ada")
/// }
/// ```
///
/// - Returns: what `body` returns.
/// - Throws: what `body` throws; then what was recorded is dropped (``MockServerConfiguration/keepsFailedEpisodes``).
///   Otherwise ``MockServeError`` if the server could not start, if what was recorded could not be written, if a
///   request had no recorded answer (``MockServerConfiguration/failsOnMisses``), or if an interaction was not used
///   (``MockServerConfiguration/unused``).
public func withMockServer<Result>(
    _ configuration: MockServerConfiguration,
    _ body: (MockServer) async throws -> Result
) async throws -> Result {
    let server = try await MockServer.start(configuration)
    let result: Result
    do {
        result = try await withTaskCancellationHandler {
            try await body(server)
        } onCancel: {
            // Even if the body returns, it did not run to its end.
            if !configuration.keepsFailedEpisodes { server.dropEpisode() }
            server.beginStop()
        }
    } catch {
        if !configuration.keepsFailedEpisodes { server.dropEpisode() }
        // The body's error is the one to report.
        try? await server.stop()
        throw error
    }
    let unused = await server.unusedInteractions(if: configuration.unused == .fail)
    try await server.stop()
    try server.verify(configuration, unused: unused.get())
    return result
}

/// Runs `body` with a server in the background, blocking; for synchronous tests. Not for use on an event loop.
///
/// - Returns: what `body` returns.
/// - Throws: like the asynchronous variant.
@available(*, noasync, message: "Use `try await withMockServer`.")
@_disfavoredOverload  // A closure without `await` would otherwise choose this one in an asynchronous test.
public func withMockServer<Result>(
    _ configuration: MockServerConfiguration,
    _ body: (MockServer) throws -> Result
) throws -> Result {
    let server = try MockServer.start(configuration)
    let result: Result
    do {
        result = try body(server)
    } catch {
        if !configuration.keepsFailedEpisodes { server.dropEpisode() }
        // The body's error is the one to report.
        try? server.stop()
        throw error
    }
    let unused = Swift.Result { try configuration.unused == .fail ? server.unusedInteractions() : UnusedInteractions() }
    try server.stop()
    try server.verify(configuration, unused: unused.get())
    return result
}

/// Runs your own handler in the background while `body` runs.
///
/// ```swift
/// try await withMockServer(responder: { request in .text("hello \(request.path)") }) { server in
///     let (data, _) = try await URLSession.shared.data(from: server.url)
/// }
/// ```
///
/// - Parameters:
///   - responder: called from many tasks at once; an error it throws becomes a `500` that names it.
///   - body: what is done meanwhile.
public func withMockServer<Result>(
    responder: @escaping @Sendable (MockRequest) async throws -> MockResponse,
    _ body: (MockServer) async throws -> Result
) async throws -> Result {
    try await withMockServer(.responding(with: ClosureResponder(responder)), body)
}

/// Runs your own handler in the background while `body` runs, blocking; for synchronous tests.
@available(*, noasync, message: "Use `try await withMockServer`.")
@_disfavoredOverload  // A closure without `await` would otherwise choose this one in an asynchronous test.
public func withMockServer<Result>(
    responder: @escaping @Sendable (MockRequest) async throws -> MockResponse,
    _ body: (MockServer) throws -> Result
) throws -> Result {
    try withMockServer(.responding(with: ClosureResponder(responder)), body)
}
