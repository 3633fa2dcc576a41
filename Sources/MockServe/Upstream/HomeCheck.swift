import HTTPMessages
import NIOCore

/// Whether a connection leads back to this server. That is not known of one to a proxy.
struct HomeCheck {
    private var leadsHome: Bool?

    /// - Parameter listeners: of this server, which stay the same once they are known.
    mutating func leads(_ channel: (any Channel)?, to listeners: () -> [Origin]) -> Bool {
        if let leadsHome { return leadsHome }
        let listeners = listeners()
        let leadsHome = channel?.leads(to: listeners) ?? false
        // While the server starts, they are not all known.
        if !listeners.isEmpty { self.leadsHome = leadsHome }
        return leadsHome
    }
}

extension Channel {
    /// Whether it leads back to one of these listeners of this machine.
    fileprivate func leads(to listeners: [Origin]) -> Bool {
        guard let remote = remoteAddress, let host = remote.ipAddress else { return false }
        let isOwnMachine = host == localAddress?.ipAddress
        return listeners.contains { $0.port == remote.port && (isOwnMachine || $0.host == host) }
    }
}
