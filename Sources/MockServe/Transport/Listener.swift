import Foundation
import HTTPMessages
import MockServeCore
import NIOCore
import NIOPosix

/// One bound port.
struct Listener: Sendable {
    let channel: any Channel
    /// The origin under which clients on this machine reach it.
    let origin: Origin

    /// Binds and listens. When the future completes, connections are accepted.
    ///
    /// - Parameters:
    ///   - scheme: of the origin.
    ///   - begin: prepares the channel of a connection; gets the origin too.
    static func start(
        _ address: ListenAddress,
        scheme: Origin.Scheme,
        sharesPort: Bool,
        group: any EventLoopGroup,
        registry: ConnectionRegistry,
        begin: @escaping @Sendable (any Channel, Origin) throws -> Void
    ) -> EventLoopFuture<Listener> {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(
                ChannelOptions.socket(SocketOptionLevel(SOL_SOCKET), SocketOptionName(SO_REUSEPORT)),
                value: sharesPort ? 1 : 0
            )
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 8192, maximum: 65536)
            )
            .childChannelInitializer { channel in
                registry.add(channel)
                return channel.eventLoop.makeCompletedFuture {
                    let origin = channel.localAddress.flatMap { Self.origin($0, scheme) } ?? Self.fallback
                    try begin(channel, origin)
                }
            }
        let bound: EventLoopFuture<any Channel> =
            switch address.kind {
            case .address(let host, let port):
                // An address needs no resolver, which takes time and asks other machines.
                if let address = try? SocketAddress(ipAddress: host, port: port) {
                    bootstrap.bind(to: address)
                } else {
                    bootstrap.bind(host: host, port: port)
                }
            case .socket(let descriptor):
                if let problem = Self.problem(ofSocket: descriptor) {
                    group.any().makeFailedFuture(
                        MockServeError(.cannotListen, "Cannot listen on file descriptor \(descriptor): \(problem).")
                    )
                } else {
                    bootstrap.withBoundSocket(descriptor)
                }
            }
        return bound.flatMapThrowing { channel in
            guard let origin = channel.localAddress.flatMap({ Self.origin($0, scheme) }), origin.port != 0 else {
                channel.close(promise: nil)
                throw MockServeError(.cannotListen, "The socket handed in is not a bound TCP socket.")
            }
            return Listener(channel: channel, origin: origin)
        }
        .flatMapErrorThrowing { error in throw Self.explain(error, address) }
    }

    /// Why a descriptor cannot be used; nil if it is a socket.
    private static func problem(ofSocket descriptor: CInt) -> String? {
        var kind: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &size) != 0 else { return nil }
        return errno == EBADF ? "it is not open" : "it is not a socket"
    }

    private static let fallback = Origin(scheme: .http, host: "127.0.0.1", port: 80)

    /// Clients reach a server on the wildcard address through loopback.
    private static func origin(_ address: SocketAddress, _ scheme: Origin.Scheme) -> Origin? {
        guard let host = address.ipAddress, let port = address.port else { return nil }
        let reachable = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
        return Origin(scheme: scheme, host: reachable, port: port)
    }

    private static func explain(_ error: any Error, _ address: ListenAddress) -> MockServeError {
        if let error = error as? MockServeError { return error }
        switch address.kind {
        case .address(let host, let port):
            let place = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            var message = "Cannot listen on \(place): \(reason(error))."
            if (error as? IOError)?.errnoCode == EADDRINUSE {
                message += " Use port 0 to let the operating system pick a free one."
            }
            return MockServeError(.cannotListen, message, cause: error)
        case .socket(let descriptor):
            let message = "Cannot listen on file descriptor \(descriptor): \(reason(error))."
            return MockServeError(.cannotListen, message, cause: error)
        }
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
        if error is SocketAddressError { return "the address is not known" }
        return String(describing: error)
    }
}
