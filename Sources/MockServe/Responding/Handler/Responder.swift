/// Answers requests: the protocol behind every handler that you run in the background.
///
/// For a closure there is ``ClosureResponder``, and ``withMockServer(responder:_:)-2xeh6`` takes one directly.
public protocol Responder: Sendable {
    /// Answers one request. Called from many tasks at once. A thrown error becomes a `500` that names it.
    func respond(to request: MockRequest) async throws -> MockResponse
}

/// A closure as a ``Responder``.
public struct ClosureResponder: Responder {
    private let body: @Sendable (MockRequest) async throws -> MockResponse

    /// - Parameter body: called from many tasks at once.
    public init(_ body: @escaping @Sendable (MockRequest) async throws -> MockResponse) {
        self.body = body
    }

    /// Calls the closure.
    public func respond(to request: MockRequest) async throws -> MockResponse {
        try await body(request)
    }
}
