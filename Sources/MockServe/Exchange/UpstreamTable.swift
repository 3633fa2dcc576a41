import CassetteStore
import HTTPMessages
import MockServeCore
import Synchronization

/// An upstream as a server stands for it.
final class ServedUpstream: Sendable {
    let origin: Origin
    /// What interactions say that they were recorded from.
    let originText: String

    init(_ upstream: Upstream) {
        origin = upstream.origin
        originText = origin.description
    }
}

/// The upstreams of a server: which of them a request is for, and where clients find each, which is known once every listener is
/// bound.
final class UpstreamTable: Sendable {
    private struct Key: Hashable {
        let upstream: ObjectIdentifier?
        let served: Origin
        let looksAtContent: Bool
    }

    /// Clients name a server in a few ways only; more of them are mapped without being remembered.
    private static let cacheLimit = 64

    /// One a listener, in the same order.
    private let upstreams: [ServedUpstream]
    private let mapsContent: Bool
    private let secrets: [DeclaredSecret]
    private let listeners = Mutex<[Origin]>([])
    private let cache = Mutex<[Key: OriginMap]>([:])

    /// - Parameter secrets: given back to clients.
    init(_ upstreams: [Upstream], mapsContent: Bool, revealing secrets: [DeclaredSecret] = []) {
        self.secrets = secrets
        self.upstreams = upstreams.map(ServedUpstream.init)
        self.mapsContent = mapsContent
    }

    /// The upstream that a request is for; nil if the server stands for none.
    ///
    /// - Parameter listener: by which the request came in. Each stands for one upstream.
    func upstream(for request: RequestHead, listener: Int) -> ServedUpstream? {
        upstreams.indices.contains(listener) ? upstreams[listener] : nil
    }

    var ownListeners: [Origin] { listeners.withLock { $0 } }

    func setListeners(_ origins: [Origin]) { listeners.withLock { $0 = origins } }

    /// The mapping as a client needs it: its own name for the upstream that it speaks to, the listeners' for the others.
    ///
    /// - Parameters:
    ///   - served: by which the client knows this server.
    ///   - looksAtContent: as for `OriginMap`.
    func map(for served: Origin, _ upstream: ServedUpstream?, looksAtContent: Bool) -> OriginMap {
        let key = Key(upstream: upstream.map(ObjectIdentifier.init), served: served, looksAtContent: looksAtContent)
        if let map = cache.withLock({ $0[key] }) { return map }
        var pairs: [OriginMap.Pair] = []
        for (other, listener) in zip(upstreams, ownListeners) where other !== upstream {
            pairs.append(OriginMap.Pair(upstream: other.origin, served: listener))
        }
        if let upstream { pairs.insert(OriginMap.Pair(upstream: upstream.origin, served: served), at: 0) }
        let map = OriginMap(
            pairs,
            mapsContent: mapsContent,
            looksAtContent: looksAtContent,
            revealing: secrets
        )
        cache.withLock { cache in
            if cache.count < Self.cacheLimit { cache[key] = map }
        }
        return map
    }
}
