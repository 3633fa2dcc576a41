public import MockServeCore
public import HTTPTypes

/// What a stub answers: a response, several in a row, or what a function makes of the request.
public struct StubAnswer: Sendable {
    /// Takes the request and how many the stub has answered before.
    let respond: @Sendable (MockRequest, Int) async throws -> MockResponse

    /// What a function makes of each request. An error it throws becomes a `500` that names it.
    public static func make(
        _ respond: @escaping @Sendable (MockRequest) async throws -> MockResponse
    ) -> StubAnswer {
        StubAnswer { request, _ in try await respond(request) }
    }

    /// The same response to each request.
    public static func response(_ response: MockResponse) -> StubAnswer { StubAnswer { _, _ in response } }

    /// `application/json`. A value that cannot be written as JSON is answered with a `500` that says so.
    public static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> StubAnswer {
        let response = Result { try MockResponse.json(value, status: status) }
        return StubAnswer { _, _ in try response.get() }
    }

    /// `application/json`, from a literal.
    public static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> StubAnswer {
        let response = Result { try MockResponse.json(value, status: status) }
        return StubAnswer { _, _ in try response.get() }
    }

    /// `text/plain; charset=utf-8`.
    public static func text(_ text: String, status: HTTPResponse.Status = .ok) -> StubAnswer {
        response(.text(text, status: status))
    }

    /// Any bytes, by default `application/octet-stream`.
    public static func bytes(
        _ bytes: [UInt8],
        type: String = "application/octet-stream",
        status: HTTPResponse.Status = .ok
    ) -> StubAnswer {
        response(MockResponse(status: status, fields: [.contentType: type], body: bytes))
    }

    /// A response without a body.
    public static func status(_ status: HTTPResponse.Status) -> StubAnswer { response(MockResponse(status: status)) }

    /// These, one after the other; the last one again and again.
    ///
    /// - Parameter answers: at least one; without any, each request is answered with a `500` that says so.
    public static func sequence(_ answers: [StubAnswer]) -> StubAnswer {
        StubAnswer { request, before in
            guard let last = answers.last else {
                throw MockServeError(.invalidConfiguration, "This stub has a sequence without an answer.")
            }
            return try await (before < answers.count ? answers[before] : last).respond(request, before)
        }
    }
}
