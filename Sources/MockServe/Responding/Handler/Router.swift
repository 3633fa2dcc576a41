public import HTTPTypes
import MockServeCore

/// Handlers by method and path: a small service in a few lines.
///
/// ```swift
/// var router = Router()
/// router.get("/users/{id}") { request in try .json(["id": request.parameters["id"]]) }
/// router.post("/users") { request in .json(request.text, status: .created) }
/// try await withMockServer(.responding(with: router)) { server in … }
/// ```
///
/// In a path, `{name}` matches one segment, which the handler finds in ``MockRequest/parameters``; a last segment `**`
/// matches any number of segments. If several routes match, the first one answers. Routes for `GET` answer `HEAD` too.
/// If a path matches only with other methods, the answer is `405`; if it matches no route, `404`.
///
/// As ``MockServerConfiguration/routes``, a router answers the requests that its routes match, and leaves the rest to a
/// replay or recording.
public struct Router: Responder {
    /// Answers the requests of one route.
    public typealias Handler = @Sendable (MockRequest) async throws -> MockResponse

    private struct Route: Sendable {
        let method: HTTPRequest.Method
        let template: PathTemplate
        let handler: Handler
    }

    private var routes: [Route] = []
    /// What is wrong with the first invalid path.
    private(set) var problem: String?

    /// A router without routes.
    public init() {}

    /// Whether no route was added.
    public var isEmpty: Bool { routes.isEmpty && problem == nil }

    /// Adds a route.
    ///
    /// - Parameters:
    ///   - method: of the requests.
    ///   - path: begins with `/`. An invalid path makes the start of a server, or every answer, fail with an error that names it.
    ///   - handler: called from many tasks at once.
    public mutating func on(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        do {
            routes.append(Route(method: method, template: try PathTemplate(path), handler: handler))
        } catch {
            problem = problem ?? "The route \(method.rawValue) \(path) makes no sense: \(error.reason)."
        }
    }

    /// Adds a route for `GET` and `HEAD`.
    public mutating func get(_ path: String, _ handler: @escaping Handler) { on(.get, path, handler) }

    /// Adds a route for `POST`.
    public mutating func post(_ path: String, _ handler: @escaping Handler) { on(.post, path, handler) }

    /// Adds a route for `PUT`.
    public mutating func put(_ path: String, _ handler: @escaping Handler) { on(.put, path, handler) }

    /// Adds a route for `PATCH`.
    public mutating func patch(_ path: String, _ handler: @escaping Handler) { on(.patch, path, handler) }

    /// Adds a route for `DELETE`.
    public mutating func delete(_ path: String, _ handler: @escaping Handler) { on(.delete, path, handler) }

    /// Answers with the first route that matches.
    ///
    /// - Throws: what its handler throws; ``MockServeError`` if a path is invalid.
    public func respond(to request: MockRequest) async throws -> MockResponse {
        if let problem { throw MockServeError(.invalidConfiguration, problem) }
        if let (route, parameters) = route(request.method, request.path) {
            var request = request
            request.parameters = parameters
            return try await route.handler(request)
        }
        var allowed: [String] = []
        for route in routes where route.template.match(request.path) != nil {
            let methods = route.method == .get ? ["GET", "HEAD"] : [route.method.rawValue]
            for method in methods where !allowed.contains(method) { allowed.append(method) }
        }
        guard !allowed.isEmpty else {
            let known = routes.map { "\n\($0.method.rawValue) \($0.template.text)" }.joined()
            let text = "There is no route for \(request.method.rawValue) \(request.path). There are:\(known)\n"
            return .text(text, status: .notFound)
        }
        var response = MockResponse.text(
            "This path has \(allowed.joined(separator: ", ")) only.\n",
            status: .methodNotAllowed
        )
        response.fields[.allow] = allowed.joined(separator: ", ")
        return response
    }

    /// Whether a route matches.
    func answers(_ method: HTTPRequest.Method, _ path: String) -> Bool { route(method, path) != nil }

    private func route(_ method: HTTPRequest.Method, _ path: String) -> (Route, [String: String])? {
        for route in routes where route.method == method || route.method == .get && method == .head {
            if let parameters = route.template.match(path) { return (route, parameters) }
        }
        return nil
    }
}
