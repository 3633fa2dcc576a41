/// How much of a request is accepted. Beyond that it is refused with a 4xx, and the connection is closed.
public struct RequestLimits: Sendable, Equatable {
    /// Bytes of the request line; over it, `414`. Default: 16 KiB.
    public var startLine = 16 << 10
    /// Bytes of all fields; over it, `431`. Default: 256 KiB.
    public var fieldSection = 256 << 10
    /// Number of fields; over it, `431`. Default: 1,000.
    public var fieldCount = 1000
    /// Bytes of a chunk-size line; over it, `400`. Default: 4 KiB.
    public var chunkLine = 4 << 10
    /// How long a request head may take from its first byte; over it, `408`. Default: 30 seconds.
    public var headTimeout: Duration = .seconds(30)
    /// How long a client may send nothing in the middle of a request body (over it, `408`) or read nothing of an answer
    /// (over it, the connection is cut). Default: 5 minutes.
    public var stallTimeout: Duration = .seconds(300)
    /// How long a connection may be idle between requests before it is closed. Default: 10 minutes.
    public var idleTimeout: Duration = .seconds(600)
    /// Bytes of a body for a ``Responder``; over it, `413`. Recording and replaying have no such limit.
    /// Default: 16 MiB.
    public var responderBody = 16 << 20

    /// The defaults.
    public init() {}
}
