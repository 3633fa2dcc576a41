import NIOCore

/// How long a client may take, as `RequestLimits` says.
struct ConnectionTimeouts: Sendable {
    let head: TimeAmount
    let stall: TimeAmount
    let idle: TimeAmount
    /// How often a connection is checked: a timeout is noticed that much later at most.
    let interval: TimeAmount

    init(_ limits: RequestLimits) {
        head = TimeAmount(limits.headTimeout)
        stall = TimeAmount(limits.stallTimeout)
        idle = TimeAmount(limits.idleTimeout)
        let shortest = min(head.nanoseconds, stall.nanoseconds, idle.nanoseconds)
        interval = .nanoseconds(min(max(shortest / 4, 5_000_000), 10_000_000_000))
    }
}
