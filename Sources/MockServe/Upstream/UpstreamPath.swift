import HTTPMessages

/// How an upstream is reached: its origin, and what is agreed on with it without asking.
struct UpstreamPath: Sendable {
    let origin: Origin
    /// Whether it speaks HTTP/2 without TLS, which is known beforehand (RFC 9113 §3.3).
    let hasPriorKnowledge: Bool
}
