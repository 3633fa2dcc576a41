import Foundation
import HTTPMessages
import MockServeCore
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Connections to upstreams, kept alive per origin and event loop. Follows no redirects, decodes nothing.
///
/// Where HTTP/2 is spoken, one connection serves all exchanges of an event loop, as many as the upstream takes.
final class UpstreamClient: Sendable {
    /// Idle connections kept per origin and event loop.
    private static let idleLimit = 64
    /// How long a connection may have been idle for a request that cannot be sent twice: servers close idle
    /// connections, and a request that crosses the close is lost. HTTP/2 says which were lost.
    private static let freshness = TimeAmount.milliseconds(500)

    private struct PoolKey: Hashable {
        let eventLoop: ObjectIdentifier
        let origin: Origin
    }

    /// What a request for a connection has to do.
    private enum Turn {
        /// Make one for itself.
        case alone
        /// Make one, which others wait for.
        case first
        case waiting
    }

    private typealias Ready = (Result<any UpstreamStream, UpstreamFailure>) -> Void

    /// The connections of one event loop to one origin.
    private struct Pool {
        var idle: [NIOLoopBound<UpstreamConnection>] = []
        var shared: [NIOLoopBound<HTTP2UpstreamConnection>] = []
        /// Whether a connection is being made that may serve those who wait.
        var isConnecting = false
        var waiting: [NIOLoopBound<Ready>] = []
        /// Nil until there was a connection.
        var speaksHTTP2: Bool?
    }

    private let options: UpstreamOptions
    private let upstreams: UpstreamTable
    private let proxies: ProxySettings?
    private let tls: UpstreamTLS
    /// Those that speak HTTP/2 without TLS.
    private let priorKnowledge: Set<Origin>
    private let pools = Mutex<[PoolKey: Pool]>([:])
    private let unreachable = Atomic<Int>(0)
    private let isClosed = Atomic<Bool>(false)

    /// - Parameters:
    ///   - upstreams: knows the server's own listeners, to which nothing is sent.
    ///   - priorKnowledge: the origins that speak HTTP/2 without TLS.
    init(
        _ options: UpstreamOptions,
        _ upstreams: UpstreamTable,
        priorKnowledge: Set<Origin> = []
    ) throws(MockServeError) {
        self.priorKnowledge = priorKnowledge
        self.options = options
        self.upstreams = upstreams
        proxies =
            options.usesEnvironmentProxies
            ? try ProxySettings(environment: ProcessInfo.processInfo.environment) : nil
        tls = try UpstreamTLS(options)
    }

    /// Connections that could not be made: refused, timed out, unknown name, or no TLS handshake.
    var failedConnectionCount: Int { unreachable.load(ordering: .relaxed) }

    /// A stream for one request to `origin`.
    ///
    /// - Parameters:
    ///   - isRepeatable: whether the request may be sent again if the connection turns out to be dead.
    ///   - ready: called on the event loop: at once if there is a connection.
    func stream(
        to origin: Origin,
        on eventLoop: any EventLoop,
        isRepeatable: Bool,
        _ ready: @escaping (Result<any UpstreamStream, UpstreamFailure>) -> Void
    ) {
        let path = UpstreamPath(origin: origin, hasPriorKnowledge: priorKnowledge.contains(origin))
        let key = PoolKey(eventLoop: ObjectIdentifier(eventLoop), origin: origin)
        if let stream = sharedStream(key) { return ready(stream) }
        if let idle = idleConnection(key, isRepeatable: isRepeatable) { return ready(checked(.http1(idle))) }
        let bound = NIOLoopBound(ready, eventLoop: eventLoop)
        let mayShare = path.hasPriorKnowledge || path.origin.scheme == .https
        let turn = pools.withLock { pools in
            var pool = pools[key, default: Pool()]
            defer { pools[key] = pool }
            guard mayShare, pool.speaksHTTP2 != false else { return Turn.alone }
            // It is better to wait for one connection than to make many, of which only one is used.
            guard !pool.isConnecting else {
                pool.waiting.append(bound)
                return .waiting
            }
            pool.isConnecting = true
            return .first
        }
        guard turn != .waiting else { return }
        connect(to: path, on: eventLoop).whenComplete { result in
            self.connected(result, key, path, eventLoop, isFirst: turn == .first, bound.value)
        }
    }

    private func connected(
        _ result: Result<NIOLoopBound<UpstreamLink>, any Error>,
        _ key: PoolKey,
        _ path: UpstreamPath,
        _ eventLoop: any EventLoop,
        isFirst: Bool,
        _ ready: Ready
    ) {
        guard !isClosed.load(ordering: .relaxed) else {
            if case .success(let link) = result { link.value.cancel() }
            return ready(.failure(UpstreamFailure(ChannelError.eof, upstream: path.origin.description)))
        }
        let waiting = pools.withLock { pools -> [NIOLoopBound<Ready>] in
            var pool = pools[key, default: Pool()]
            defer { pools[key] = pool }
            if case .success(let link) = result {
                if case .http2(let connection) = link.value {
                    pool.speaksHTTP2 = true
                    pool.shared.append(NIOLoopBound(connection, eventLoop: eventLoop))
                } else {
                    pool.speaksHTTP2 = false
                }
            }
            // Those who wait, wait for the first.
            guard isFirst else { return [] }
            pool.isConnecting = false
            defer { pool.waiting = [] }
            return pool.waiting
        }
        switch result {
        case .success(let link):
            ready(checked(link.value))
            for other in waiting { stream(to: path.origin, on: eventLoop, isRepeatable: false, other.value) }
        case .failure(let error):
            let failure = UpstreamFailure(error, upstream: path.origin.description)
            ready(.failure(failure))
            for other in waiting { other.value(.failure(failure)) }
        }
    }

    /// A stream on a connection that is used by others too, if there is one.
    private func sharedStream(_ key: PoolKey) -> Result<any UpstreamStream, UpstreamFailure>? {
        let shared = pools.withLock { $0[key]?.shared ?? [] }
        guard let usable = shared.first(where: { $0.value.isUsable }) else { return nil }
        return checked(.http2(usable.value))
    }

    private func checked(_ link: UpstreamLink) -> Result<any UpstreamStream, UpstreamFailure> {
        switch link {
        case .http1(let connection):
            guard connection.leads(to: upstreams.ownListeners) else { return .success(connection) }
        case .http2(let connection):
            guard connection.leads(to: upstreams.ownListeners) else { return .success(connection.stream()) }
        }
        link.cancel()
        return .failure(.isThisServer(link.origin))
    }

    /// An idle connection, if there is one.
    private func idleConnection(_ key: PoolKey, isRepeatable: Bool) -> UpstreamConnection? {
        while let bound = pools.withLock({ $0[key]?.idle.popLast() }) {
            let connection = bound.value
            guard connection.isUsable else { continue }
            let age = connection.idleSince.map { .now() - $0 } ?? .nanoseconds(0)
            if isRepeatable || age < Self.freshness { return connection }
            connection.cancel()
        }
        return nil
    }

    private func keep(_ connection: UpstreamConnection, on eventLoop: any EventLoop) {
        let key = PoolKey(eventLoop: ObjectIdentifier(eventLoop), origin: connection.origin)
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        let isKept = pools.withLock { pools in
            guard pools[key]?.idle.count ?? 0 < Self.idleLimit else { return false }
            pools[key, default: Pool()].idle.append(bound)
            return true
        }
        if !isKept { connection.cancel() }
    }

    private func drop(_ connection: HTTP2UpstreamConnection) {
        let key = PoolKey(eventLoop: ObjectIdentifier(connection.eventLoop), origin: connection.origin)
        pools.withLock { $0[key]?.shared.removeAll { $0.value === connection } }
    }

    /// Closes the connections, which are idle by now. Whoever still waits for one gets none.
    func close() {
        isClosed.store(true, ordering: .relaxed)
        let pools = pools.withLock { pools in
            defer { pools = [:] }
            return Array(pools.values)
        }
        for pool in pools {
            for connection in pool.idle { connection.execute { $0.cancel() } }
            for connection in pool.shared { connection.execute { $0.cancel() } }
            for ready in pool.waiting { ready.execute { $0(.failure(UpstreamFailure("the server has stopped"))) } }
        }
    }

    // MARK: Connecting

    /// A new connection.
    private func connect(
        to path: UpstreamPath,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<NIOLoopBound<UpstreamLink>> {
        let ready = eventLoop.makePromise(of: NIOLoopBound<UpstreamLink>.self)
        let proxy = proxies?.proxy(for: path.origin)
        let limit = TimeAmount(options.connectTimeout)
        let timeout = eventLoop.scheduleTask(in: limit) { ready.fail(ChannelError.connectTimeout(limit)) }
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(limit)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // So that it shows in time whether a slow upstream takes an upload.
            .channelOption(.socketOption(.so_sndbuf), value: 256 << 10)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.setUp(channel, path, proxy, ready)
                }
            }
        let channel = bootstrap.connect(
            host: proxy?.host ?? path.origin.host,
            port: proxy?.port ?? path.origin.port
        )
        channel.whenFailure { ready.fail($0) }
        return ready.futureResult.always { result in
            timeout.cancel()
            guard case .failure = result else { return }
            self.unreachable.add(1, ordering: .relaxed)
            channel.whenSuccess { $0.close(promise: nil) }
        }
    }

    private func setUp(
        _ channel: any Channel,
        _ path: UpstreamPath,
        _ proxy: ProxySettings.Proxy?,
        _ ready: EventLoopPromise<NIOLoopBound<UpstreamLink>>
    ) throws {
        let isSecure = path.origin.scheme == .https
        let needsTunnel = isSecure || path.hasPriorKnowledge
        let start = UpstreamStart(waitsForTLS: isSecure, speaksHTTP2: path.hasPriorKnowledge) {
            context,
            start,
            isHTTP2 in
            if isHTTP2 {
                try self.beginHTTP2(context, start, path.origin, ready)
            } else {
                try self.beginHTTP1(context, start, path.origin, needsTunnel ? nil : proxy, ready)
            }
        } fail: { error in
            ready.fail(error)
        }
        let tls = tls
        let addHandlers = { (pipeline: ChannelPipeline.SynchronousOperations) throws in
            if isSecure { try pipeline.addHandler(tls.makeHandler(for: path.origin)) }
            try pipeline.addHandler(start)
        }
        if let proxy, needsTunnel {
            let tunnel = TunnelHandler(to: path.origin, by: proxy, whenOpen: addHandlers) { ready.fail($0) }
            try channel.pipeline.syncOperations.addHandler(tunnel)
        } else {
            try addHandlers(channel.pipeline.syncOperations)
        }
    }

    /// Adds the handlers for what is spoken on a connection that is established.
    private func beginHTTP1(
        _ context: ChannelHandlerContext,
        _ start: UpstreamStart,
        _ origin: Origin,
        _ proxy: ProxySettings.Proxy?,
        _ ready: EventLoopPromise<NIOLoopBound<UpstreamLink>>
    ) throws {
        let eventLoop = context.eventLoop
        let readTimeout = TimeAmount(options.readTimeout)
        let connection = UpstreamConnection(origin: origin, by: proxy, readTimeout: readTimeout) { [weak self] in
            self?.keep($0, on: eventLoop)
        }
        try context.pipeline.syncOperations.addHandler(connection, position: .after(start))
        ready.succeed(NIOLoopBound(.http1(connection), eventLoop: eventLoop))
    }

    /// The same for HTTP/2, where the upstream first says how many exchanges it takes.
    private func beginHTTP2(
        _ context: ChannelHandlerContext,
        _ start: UpstreamStart,
        _ origin: Origin,
        _ ready: EventLoopPromise<NIOLoopBound<UpstreamLink>>
    ) throws {
        let eventLoop = context.eventLoop
        let connection = HTTP2UpstreamConnection(
            origin: origin,
            on: eventLoop,
            readTimeout: TimeAmount(options.readTimeout)
        ) { result in
            ready.completeWith(result.map { NIOLoopBound(.http2($0), eventLoop: eventLoop) })
        } whenSpent: { [weak self] in
            self?.drop($0)
        }
        let handlers: [any ChannelHandler] = [connection.makeCodec(), connection]
        try context.pipeline.syncOperations.addHandlers(handlers, position: .after(start))
        connection.link.begin()
    }
}

extension TimeAmount {
    /// At least a millisecond.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = Double(seconds) * 1e9 + Double(attoseconds) / 1e9
        self = .nanoseconds(Int64(min(max(nanoseconds, 1e6), 1e18)))
    }
}
