import CassetteStore
import MockServeCore
import Synchronization

/// Where clients find each upstream: known once every listener is bound.
final class ServedOrigins: Sendable {
    private struct Key: Hashable {
        let upstreamIndex: Int
        let served: Origin
        let looksAtContent: Bool
    }

    /// Clients name a server in a few ways only; more of them are mapped without being remembered.
    private static let cacheLimit = 64

    private let upstreams: [Upstream]
    private let mapsContent: Bool
    private let secrets: [DeclaredSecret]
    private let listeners = Mutex<[Origin]>([])
    private let cache = Mutex<[Key: OriginMap]>([:])

    /// - Parameter secrets: given back to clients.
    init(upstreams: [Upstream], mapsContent: Bool, revealing secrets: [DeclaredSecret] = []) {
        self.secrets = secrets
        self.upstreams = upstreams
        self.mapsContent = mapsContent
    }

    var ownListeners: [Origin] { listeners.withLock { $0 } }

    func setListeners(_ origins: [Origin]) { listeners.withLock { $0 = origins } }

    /// The mapping as a client needs it: its own name for its own listener.
    ///
    /// - Parameters:
    ///   - origin: by which the client knows its own listener.
    ///   - looksAtContent: as for `OriginMap`.
    func map(for origin: Origin, _ upstreamIndex: Int, looksAtContent: Bool) -> OriginMap {
        let key = Key(upstreamIndex: upstreamIndex, served: origin, looksAtContent: looksAtContent)
        if let map = cache.withLock({ $0[key] }) { return map }
        let listeners = listeners.withLock { $0 }
        var pairs: [OriginMap.Pair] = []
        for (index, upstream) in upstreams.enumerated() {
            if index == key.upstreamIndex {
                pairs.insert(OriginMap.Pair(upstream: upstream.origin, served: key.served), at: 0)
            } else if listeners.indices.contains(index) {
                pairs.append(OriginMap.Pair(upstream: upstream.origin, served: listeners[index]))
            }
        }
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
