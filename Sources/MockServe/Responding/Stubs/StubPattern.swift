public import HTTPTypes

/// Which requests a stub or a fault is for, by method and path.
///
/// In the path, `{name}` matches one segment, which the answer finds in ``MockRequest/parameters``; a last segment `**`
/// matches any number of segments. The query does not count. `GET` answers `HEAD` too.
public struct StubPattern: Sendable {
    /// Nil for any.
    let method: String?
    let path: String

    /// Requests with this method.
    public static func method(_ method: HTTPRequest.Method, _ path: String) -> StubPattern {
        StubPattern(method: method.rawValue, path: path)
    }

    /// `GET` and `HEAD`.
    public static func get(_ path: String) -> StubPattern { method(.get, path) }

    /// `POST`.
    public static func post(_ path: String) -> StubPattern { method(.post, path) }

    /// `PUT`.
    public static func put(_ path: String) -> StubPattern { method(.put, path) }

    /// `PATCH`.
    public static func patch(_ path: String) -> StubPattern { method(.patch, path) }

    /// `DELETE`.
    public static func delete(_ path: String) -> StubPattern { method(.delete, path) }

    /// Any method.
    public static func any(_ path: String) -> StubPattern { StubPattern(method: nil, path: path) }
}
