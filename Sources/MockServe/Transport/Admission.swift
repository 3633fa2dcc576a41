import HTTPMessages
import MockServeCore

/// Which requests of a connection are let in, and by which origin their client knows this server.
struct Admission {
    private let listenerOrigin: Origin
    private let hosts: HostPolicy
    private var knownHost: KnownHost?

    /// What a `Host` field said: nearly every request of a connection says the same.
    private struct KnownHost {
        let value: ArraySlice<UInt8>
        let origin: Origin
        let isAllowed: Bool
    }

    /// - Parameter listenerOrigin: the origin of a client that names no host.
    init(_ listenerOrigin: Origin, _ hosts: HostPolicy) {
        self.listenerOrigin = listenerOrigin
        self.hosts = hosts
    }

    mutating func admit(_ head: RequestHead) -> (Origin, isAllowed: Bool) {
        let host = head.fields.first("host")
        let isOriginForm = head.target.first == UInt8(ascii: "/")
        if let host, let knownHost, knownHost.value == host, isOriginForm {
            return (knownHost.origin, knownHost.isAllowed)
        }
        let named = host.flatMap { Origin(scheme: listenerOrigin.scheme, authority: Latin1.string($0)) }
        let (origin, isAllowed) = (named ?? listenerOrigin, hosts.allows(head, own: listenerOrigin))
        if let host, isOriginForm { knownHost = KnownHost(value: host, origin: origin, isAllowed: isAllowed) }
        return (origin, isAllowed)
    }
}
