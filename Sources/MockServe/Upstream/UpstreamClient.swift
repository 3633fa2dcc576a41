import Foundation
import HTTPMessages
import MockServeCore
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Connections to upstreams, kept alive per origin and event loop. Follows no redirects, decodes nothing.
final class UpstreamClient: Sendable {
    /// Idle connections kept per origin and event loop.
    private static let idleLimit = 64
    /// How long a connection may have been idle for a request that cannot be sent twice: servers close idle
    /// connections, and a request that crosses the close is lost.
    private static let freshness = TimeAmount.milliseconds(500)

    private struct PoolKey: Hashable {
        let eventLoop: ObjectIdentifier
        let origin: Origin
    }

    private let options: UpstreamOptions
    private let upstreams: UpstreamTable
    private let proxies: ProxySettings?
    private let tls: Mutex<NIOSSLContext?> = Mutex(nil)
    private let idle = Mutex<[PoolKey: [NIOLoopBound<UpstreamConnection>]]>([:])
    private let unreachable = Atomic<Int>(0)

    /// - Parameter upstreams: knows the server's own listeners, to which nothing is sent.
    init(_ options: UpstreamOptions, _ upstreams: UpstreamTable) throws(MockServeError) {
        self.options = options
        self.upstreams = upstreams
        proxies =
            options.usesEnvironmentProxies
            ? try ProxySettings(environment: ProcessInfo.processInfo.environment) : nil
        // A bad file is better reported at start than at the first request.
        if options.trustedCertificates != nil { _ = try tlsContext() }
    }

    /// Connections that could not be made: refused, timed out, unknown name, or no TLS handshake.
    var failedConnectionCount: Int { unreachable.load(ordering: .relaxed) }

    /// A stream for one request to `origin`.
    ///
    /// - Parameters:
    ///   - isRepeatable: whether the request may be sent again if the connection turns out to be dead.
    ///   - ready: called on the event loop: at once if a connection is idle.
    func stream(
        to origin: Origin,
        on eventLoop: any EventLoop,
        isRepeatable: Bool,
        _ ready: @escaping (Result<any UpstreamStream, UpstreamFailure>) -> Void
    ) {
        if let idle = idleConnection(to: origin, on: eventLoop, isRepeatable: isRepeatable) {
            return ready(checked(idle))
        }
        let bound = NIOLoopBound(ready, eventLoop: eventLoop)
        connect(to: origin, on: eventLoop).whenComplete { result in
            switch result {
            case .success(let connection): bound.value(self.checked(connection.value))
            case .failure(let error): bound.value(.failure(UpstreamFailure(error, upstream: origin.description)))
            }
        }
    }

    private func checked(_ connection: UpstreamConnection) -> Result<any UpstreamStream, UpstreamFailure> {
        guard connection.leads(to: upstreams.ownListeners) else { return .success(connection) }
        connection.cancel()
        return .failure(.isThisServer(connection.origin))
    }

    /// An idle connection to `origin`, if there is one.
    ///
    /// - Parameter isRepeatable: whether the request may be sent again if the connection turns out to be dead.
    private func idleConnection(to origin: Origin, on eventLoop: any EventLoop, isRepeatable: Bool)
        -> UpstreamConnection?
    {
        let key = PoolKey(eventLoop: ObjectIdentifier(eventLoop), origin: origin)
        while let bound = idle.withLock({ $0[key]?.popLast() }) {
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
        func add(to connections: inout [NIOLoopBound<UpstreamConnection>]) -> Bool {
            guard connections.count < Self.idleLimit else { return false }
            connections.append(bound)
            return true
        }
        let isKept = idle.withLock { add(to: &$0[key, default: []]) }
        if !isKept { connection.cancel() }
    }

    /// Closes the idle connections.
    func close() {
        let connections = idle.withLock { idle in
            defer { idle = [:] }
            return idle.values.flatMap { $0 }
        }
        for connection in connections { connection.execute { $0.cancel() } }
    }

    // MARK: Connecting

    /// A new connection to `origin`.
    private func connect(
        to origin: Origin,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<NIOLoopBound<UpstreamConnection>> {
        let ready = eventLoop.makePromise(of: Void.self)
        let proxy = proxies?.proxy(for: origin)
        let connection = NIOLoopBound(
            UpstreamConnection(
                origin: origin,
                by: origin.scheme == .http ? proxy : nil,
                isTLS: origin.scheme == .https,
                readTimeout: TimeAmount(options.readTimeout),
                ready: ready,
                release: { [weak self] connection in self?.keep(connection, on: eventLoop) }
            ),
            eventLoop: eventLoop
        )
        let limit = TimeAmount(options.connectTimeout)
        let timeout = eventLoop.scheduleTask(in: limit) { ready.fail(ChannelError.connectTimeout(limit)) }
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(limit)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // So that it shows in time whether a slow upstream takes an upload.
            .channelOption(.socketOption(.so_sndbuf), value: 256 << 10)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.setUp(channel, connection.value, proxy: proxy)
                }
            }
        let channel = bootstrap.connect(host: proxy?.host ?? origin.host, port: proxy?.port ?? origin.port)
        channel.whenFailure { ready.fail($0) }
        return ready.futureResult.map { connection }.always { result in
            timeout.cancel()
            guard case .failure = result else { return }
            self.unreachable.add(1, ordering: .relaxed)
            channel.whenSuccess { $0.close(promise: nil) }
        }
    }

    private func setUp(
        _ channel: any Channel,
        _ connection: UpstreamConnection,
        proxy: ProxySettings.Proxy?
    ) throws {
        guard connection.origin.scheme == .https else {
            try channel.pipeline.syncOperations.addHandler(connection)
            return
        }
        let tls = try tlsContext()
        let addTLS = { (pipeline: ChannelPipeline.SynchronousOperations) throws in
            let host = connection.origin.host
            let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
            let handler = try NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host)
            try pipeline.addHandlers([handler, connection])
        }
        if let proxy {
            let tunnel = TunnelHandler(to: connection.origin, by: proxy, whenOpen: addTLS) { connection.ready.fail($0) }
            try channel.pipeline.syncOperations.addHandler(tunnel)
        } else {
            try addTLS(channel.pipeline.syncOperations)
        }
    }

    private func tlsContext() throws(MockServeError) -> NIOSSLContext {
        let options = options
        let result: Result<NIOSSLContext, MockServeError> = tls.withLock { context in
            if let context { return .success(context) }
            return Result { () throws(MockServeError) in
                let made = try Self.makeTLSContext(options)
                context = made
                return made
            }
        }
        return try result.get()
    }

    private static func makeTLSContext(_ options: UpstreamOptions) throws(MockServeError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        do {
            if let path = options.trustedCertificates {
                let certificates = try NIOSSLCertificate.fromPEMFile(path)
                configuration.additionalTrustRoots = [.certificates(certificates)]
            }
            return try NIOSSLContext(configuration: configuration)
        } catch {
            let file = options.trustedCertificates ?? "the system's certificates"
            throw MockServeError(
                .invalidConfiguration,
                "\(file) cannot be read as PEM certificates to trust: \(error)",
                cause: error
            )
        }
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
