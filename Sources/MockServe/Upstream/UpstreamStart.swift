import NIOCore
import NIOTLS

/// The beginning of a connection to an upstream: waits until it is established, and is replaced by the handlers for what was
/// agreed on.
final class UpstreamStart: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let waitsForTLS: Bool
    private let begin: (ChannelHandlerContext, UpstreamStart, _ isHTTP2: Bool) throws -> Void
    private let fail: (any Error) -> Void
    private let speaksHTTP2: Bool
    private var isOver = false

    /// - Parameters:
    ///   - waitsForTLS: whether a handshake comes first, in which the version of HTTP is agreed on (RFC 7301).
    ///   - speaksHTTP2: what is spoken without a handshake.
    init(
        waitsForTLS: Bool,
        speaksHTTP2: Bool,
        begin: @escaping (ChannelHandlerContext, UpstreamStart, _ isHTTP2: Bool) throws -> Void,
        fail: @escaping (any Error) -> Void
    ) {
        self.waitsForTLS = waitsForTLS
        self.speaksHTTP2 = speaksHTTP2
        self.begin = begin
        self.fail = fail
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { channelActive(context: context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        if !waitsForTLS { start(context, isHTTP2: speaksHTTP2) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted(let negotiated) = event {
            start(context, isHTTP2: negotiated == "h2")
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func start(_ context: ChannelHandlerContext, isHTTP2: Bool) {
        guard !isOver else { return }
        isOver = true
        do {
            try begin(context, self, isHTTP2)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } catch {
            fail(error)
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isOver { fail(ChannelError.eof) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isOver else { return context.fireErrorCaught(error) }
        fail(error)
        context.close(promise: nil)
    }
}
