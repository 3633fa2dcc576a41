import MockServeCore

extension MockServer {
    /// Answers requests by hand, before anything is replayed, recorded or forwarded. Of several stubs that match, the last
    /// added answers. What stubs answer is not recorded, and no miss. Stubs that a cassette keeps (`mockserve cassette stub`)
    /// come after these.
    ///
    /// ```swift
    /// server.stub(.get("/users/{id}"), .json(["id": 1]))
    /// server.stub(.get("/slow"), .text("ok"), delay: .seconds(1)).times(2)
    /// ```
    ///
    /// - Parameters:
    ///   - request: method and path.
    ///   - answer: the same for each request, a sequence, or what a function makes.
    ///   - query: parameters that the query must have, among others.
    ///   - fields: fields that the request must have; case does not count in names.
    ///   - body: what the body must be. A body over ``RequestLimits/responderBody`` is for no stub.
    ///   - delay: how long to wait before answering.
    ///   - condition: what else must be true. It is called on the thread that serves, so it must not block.
    /// - Returns: a handle: what was asked of the stub, and how to take it away.
    @discardableResult
    public func stub(
        _ request: StubPattern,
        _ answer: StubAnswer,
        query: [String: String] = [:],
        fields: [String: String] = [:],
        body: StubBody? = nil,
        delay: Duration = .zero,
        where condition: (@Sendable (MockRequest) -> Bool)? = nil
    ) -> Stub {
        let (template, reason) = Self.template(request.path)
        // It answers every path with an error that says so, instead of none silently.
        let answer =
            reason.map { reason in
                let message = "The path of a stub, \(request.path), makes no sense: \(reason)."
                return .make { _ in throw MockServeError(.invalidConfiguration, message) }
            } ?? answer
        var conditions = StubConditions(query: query, fields: fields, body: nil)
        var looks: (@Sendable ([UInt8]) -> Bool)?
        switch body?.kind {
        case .written(let written): conditions.bodies = [written]
        case .matching(let matches): looks = matches
        case nil: break
        }
        let stub = Stub(template, answer, delay: delay, conditions) { [looks] request in
            looks?(request.body) ?? true && condition?(request) ?? true
        }
        service.stubs.add(stub, method: request.method)
        return stub
    }

    /// The same with an answer that is made from each request.
    ///
    /// ```swift
    /// server.stub(.post("/charges"), body: .json(containing: ["amount": 5])) { request in
    ///     .text("charged", status: .created)
    /// }
    /// ```
    @discardableResult
    public func stub(
        _ request: StubPattern,
        query: [String: String] = [:],
        fields: [String: String] = [:],
        body: StubBody? = nil,
        delay: Duration = .zero,
        where condition: (@Sendable (MockRequest) -> Bool)? = nil,
        answer: @escaping @Sendable (MockRequest) async throws -> MockResponse
    ) -> Stub {
        stub(request, .make(answer), query: query, fields: fields, body: body, delay: delay, where: condition)
    }

    /// - Returns: one for every path, and the reason, if the path makes no sense.
    static func template(_ path: String) -> (PathTemplate, reason: String?) {
        do {
            return (try PathTemplate(path), nil)
        } catch {
            return (.all, error.reason)
        }
    }
}
