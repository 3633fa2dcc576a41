import HTTPMessages
import NIOCore

/// How an upstream is reached: its origin, and what is agreed on with it without asking.
struct UpstreamPath: Hashable, Sendable {
    let origin: Origin
    /// Whether it speaks HTTP/2 without TLS, which is known beforehand (RFC 9113 §3.3).
    let hasPriorKnowledge: Bool
}

extension Channel {
    /// Whether it leads back to one of these listeners of this machine.
    func leads(to listeners: [Origin]) -> Bool {
        guard let remote = remoteAddress, let host = remote.ipAddress else { return false }
        let isOwnMachine = host == localAddress?.ipAddress
        return listeners.contains { $0.port == remote.port && (isOwnMachine || $0.host == host) }
    }
}
