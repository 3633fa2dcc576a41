import CassetteStore
import HTTPMessages
import MockServeCore
import Synchronization

/// An upstream that a server stands in for.
final class ServedUpstream: Sendable {
    let name: String
    let origin: Origin
    /// The origin, as recorded interactions have it.
    let originText: String

    init(_ upstream: Upstream) {
        name = upstream.name
        origin = upstream.origin
        originText = origin.description
    }
}

/// The upstreams of a server: which one a request is for, and where clients find each of them, which is known once all
/// listeners are bound.
final class UpstreamTable: Sendable {
    private struct Key: Hashable {
        let upstream: ObjectIdentifier?
        let served: Origin
        let looksAtContent: Bool
    }

    /// Clients name a server in only a few ways. Further maps are made without being kept.
    private static let cacheLimit = 64

    /// One for each listener, in the same order.
    private let upstreams: [ServedUpstream]
    private let mapsContent: Bool
    private let secrets: [DeclaredSecret]
    private let listeners = Mutex<[Origin]>([])
    private let cache = Mutex<[Key: OriginMap]>([:])

    /// - Parameter secrets: declared secrets that clients get instead of their placeholders.
    init(_ upstreams: [Upstream], mapsContent: Bool, revealing secrets: [DeclaredSecret] = []) {
        self.secrets = secrets
        self.upstreams = upstreams.map(ServedUpstream.init)
        self.mapsContent = mapsContent
    }

    /// The upstream that a request is for; nil if the server has none for it.
    ///
    /// - Parameter listener: the listener that accepted the connection. Each stands for one upstream.
    func upstream(for request: RequestHead, listener: Int) -> ServedUpstream? {
        upstreams.indices.contains(listener) ? upstreams[listener] : nil
    }

    /// Whether every listener is bound. The first accepts connections a little before.
    var isComplete: Bool { ownListeners.count >= upstreams.count }

    var ownListeners: [Origin] { listeners.withLock { $0 } }

    func setListeners(_ origins: [Origin]) { listeners.withLock { $0 = origins } }

    /// The mapping for a client: the origin under which it knows this server for the upstream it speaks to, and the
    /// listeners' origins for the others.
    ///
    /// - Parameters:
    ///   - served: the origin under which the client knows this server.
    ///   - looksAtContent: as for `OriginMap`.
    func map(for served: Origin, _ upstream: ServedUpstream?, looksAtContent: Bool) -> OriginMap {
        let key = Key(upstream: upstream.map(ObjectIdentifier.init), served: served, looksAtContent: looksAtContent)
        if let map = cache.withLock({ $0[key] }) { return map }
        var pairs: [OriginMap.Pair] = []
        for (other, listener) in zip(upstreams, ownListeners) where other !== upstream {
            // Every port takes both, and a page must not be sent from TLS to plain connections.
            let origin = Origin(scheme: served.scheme, host: listener.host, port: listener.port)
            pairs.append(OriginMap.Pair(upstream: other.origin, served: origin))
        }
        if let upstream { pairs.insert(OriginMap.Pair(upstream: upstream.origin, served: served), at: 0) }
        let map = OriginMap(
            pairs,
            mapsContent: mapsContent,
            looksAtContent: looksAtContent,
            revealing: secrets
        )
        guard isComplete else { return map }
        cache.withLock { cache in
            if cache.count < Self.cacheLimit { cache[key] = map }
        }
        return map
    }
}
