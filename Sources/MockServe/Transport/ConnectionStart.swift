import HTTPMessages
import HTTPWire
import NIOCore
import NIOHTTP2
import NIOSSL
import NIOTLS

/// The beginning of a client connection: tells by its first bytes what the client speaks, and is replaced by the handlers
/// for that.
///
/// A TLS record begins with 0x16 (RFC 8446 §5.1), HTTP/2 without negotiation with its preface (RFC 9113 §3.4); all else is
/// for HTTP/1 to judge. Within TLS, what was negotiated by ALPN counts (RFC 7301), if anything was.
final class ConnectionStart: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private enum Beginning {
        case tls
        case http1
        case http2
    }

    private static let handshakeType: UInt8 = 0x16
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let setup: ConnectionSetup
    private let origin: Origin
    private let listener: Int
    /// Set within TLS.
    private let security: NIOSSLServerHandler?
    /// What has arrived while it is not clear what it is.
    private var held = ByteBuffer()
    private var timer: Scheduled<Void>?
    private var hasBegun = false
    private var isOver = false

    /// - Parameters:
    ///   - origin: of the listener.
    ///   - security: the handler of TLS, if this is within it.
    init(_ setup: ConnectionSetup, _ origin: Origin, _ listener: Int, security: NIOSSLServerHandler? = nil) {
        self.setup = setup
        self.origin = origin
        self.listener = listener
        self.security = security
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // A handshake is part of the way to the first request.
        limit(security == nil ? setup.timeouts.idle : setup.timeouts.head, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    private func limit(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        timer?.cancel()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: time) { bound.value.channel.close(mode: .all, promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard !isOver else { return context.fireChannelRead(data) }
        if held.readableBytes == 0 { held = bytes } else { held.writeBuffer(&bytes) }
        switch beginning {
        case .tls: startTLS(context)
        case .http1: startHTTP1(context)
        case .http2: startHTTP2(context)
        case nil:
            guard !hasBegun else { break }
            hasBegun = true
            limit(setup.timeouts.head, context)
        }
    }

    /// Nil as long as more has to arrive.
    private var beginning: Beginning? {
        let bytes = held.readableBytesView
        guard let first = bytes.first else { return nil }
        if first == Self.handshakeType, security == nil { return .tls }
        guard first == Self.preface[0], Self.preface.starts(with: bytes.prefix(Self.preface.count)) else {
            return .http1
        }
        return bytes.count >= Self.preface.count ? .http2 : nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as TLSUserEvent:
            guard case .handshakeCompleted(let negotiated) = event, !isOver else { break }
            if negotiated == "h2" { startHTTP2(context) } else if negotiated != nil { startHTTP1(context) }
        case is QuiesceEvent: context.close(promise: nil)
        case let event as ChannelEvent where event == .inputClosed: endOfInput(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// What has arrived is too little for a preface, so it is for HTTP/1 to judge.
    private func endOfInput(_ context: ChannelHandlerContext) {
        guard held.readableBytes > 0 else { return context.close(promise: nil) }
        startHTTP1(context) { $0.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: What follows

    private func startTLS(_ context: ChannelHandlerContext) {
        guard let handler = try? setup.tls.makeHandler() else { return context.close(promise: nil) }
        replace(context, by: [handler, ConnectionStart(setup, origin, listener, security: handler)])
    }

    /// - Parameter end: what follows the bytes that have arrived.
    private func startHTTP1(_ context: ChannelHandlerContext, _ end: (ChannelHandlerContext) -> Void = { _ in }) {
        let connection = HTTP1Connection(reception(context))
        replace(context, by: [connection], end)
    }

    private func startHTTP2(_ context: ChannelHandlerContext) {
        let connection = HTTP2Connection(reception(context))
        replace(context, by: [connection.makeCodec(), connection])
        connection.link.begin()
    }

    private func reception(_ context: ChannelHandlerContext) -> Reception {
        let isSecure = security != nil
        let client = security.flatMap { ClientIdentity($0) }
        return setup.reception(origin, listener, isSecure: isSecure, client, on: context.eventLoop)
    }

    private func replace(
        _ context: ChannelHandlerContext,
        by handlers: [any ChannelHandler],
        _ end: (ChannelHandlerContext) -> Void = { _ in }
    ) {
        isOver = true
        timer?.cancel()
        do {
            try context.pipeline.syncOperations.addHandlers(handlers, position: .after(self))
        } catch {
            return context.close(promise: nil)
        }
        if held.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(held)) }
        end(context)
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
