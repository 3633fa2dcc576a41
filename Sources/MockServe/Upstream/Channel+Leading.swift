import HTTPMessages
import NIOCore

extension Channel {
    /// Whether it leads back to one of these listeners of this machine.
    func leads(to listeners: [Origin]) -> Bool {
        guard let remote = remoteAddress, let host = remote.ipAddress else { return false }
        let isOwnMachine = host == localAddress?.ipAddress
        return listeners.contains { $0.port == remote.port && (isOwnMachine || $0.host == host) }
    }
}
