public import HTTPTypes

/// Answers requests: the one-line protocol behind every handler you run in the background.
///
/// A closure conforms by ``ClosureResponder``, and ``withMockServer(responder:_:)-(_,_)`` takes one as it is.
public protocol Responder: Sendable {
    /// Answers one request. Called from many tasks at once. An error thrown becomes a `500` that names it.
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

/// A request as a ``Responder`` sees it.
public struct MockRequest: Sendable {
    /// Method, scheme, authority, path with query, and fields.
    public var head: HTTPRequest
    /// The body after transfer-decoding, whole.
    public var body: [UInt8]
    /// Fields after a chunked body.
    public var trailers: HTTPFields

    /// The path without the query.
    public var path: String {
        let target = head.path ?? "/"
        return String(target.prefix { $0 != "?" })
    }

    /// The body as UTF-8 text.
    public var text: String { String(decoding: body, as: UTF8.self) }
}

/// What a ``Responder`` answers.
public struct MockResponse: Sendable {
    /// A body, at once or piece by piece.
    public enum Body: Sendable {
        /// Sent with `Content-Length`.
        case bytes([UInt8])
        /// Each element is sent as it comes, as one chunk; an error cuts the connection.
        case stream(AsyncThrowingStream<[UInt8], any Error>)
    }

    /// Status from 200 on.
    public var status: HTTPResponse.Status
    /// Fields; `Content-Length` and `Transfer-Encoding` are put right by the server.
    public var fields: HTTPFields
    /// Default: empty.
    public var body: Body

    /// Any response.
    public init(status: HTTPResponse.Status, fields: HTTPFields = [:], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = .bytes(body)
    }

    /// A response whose body comes piece by piece, for example as server-sent events.
    public init(
        status: HTTPResponse.Status,
        fields: HTTPFields = [:],
        stream: AsyncThrowingStream<[UInt8], any Error>
    ) {
        self.status = status
        self.fields = fields
        body = .stream(stream)
    }

    /// `text/plain; charset=utf-8`.
    public static func text(_ text: String, status: HTTPResponse.Status = .ok) -> MockResponse {
        MockResponse(status: status, fields: [.contentType: "text/plain; charset=utf-8"], body: Array(text.utf8))
    }

    /// `application/json`, from a text that is JSON already.
    public static func json(_ json: String, status: HTTPResponse.Status = .ok) -> MockResponse {
        MockResponse(status: status, fields: [.contentType: "application/json"], body: Array(json.utf8))
    }
}
