import HTTPMessages
import HTTPWire
import MockServeCore
import NIOCore

/// Opens a tunnel through a proxy with `CONNECT` (RFC 9110 §9.3.6), then is replaced by the handlers of the connection.
final class TunnelHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let origin: Origin
    private let proxy: ProxySettings.Proxy
    private let whenOpen: (ChannelPipeline.SynchronousOperations) throws -> Void
    private let whenFailed: (any Error) -> Void
    // The answer to CONNECT has no body, like one to HEAD.
    private var parser = ResponseParser(answersHEAD: true)

    init(
        to origin: Origin,
        by proxy: ProxySettings.Proxy,
        whenOpen: @escaping (ChannelPipeline.SynchronousOperations) throws -> Void,
        whenFailed: @escaping (any Error) -> Void
    ) {
        self.origin = origin
        self.proxy = proxy
        self.whenOpen = whenOpen
        self.whenFailed = whenFailed
    }

    func channelActive(context: ChannelHandlerContext) {
        let authority = origin.host.contains(":") ? "[\(origin.host)]:\(origin.port)" : "\(origin.host):\(origin.port)"
        var fields = Fields([("Host", authority)])
        if let authorization = proxy.authorization { fields.append("Proxy-Authorization", authorization) }
        var output = ByteBuffer()
        output.writeRequestHead(
            RequestHead(method: Array("CONNECT".utf8), target: Array(authority.utf8), fields: fields)
        )
        context.writeAndFlush(wrapOutboundOut(output), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        parser.append(unwrapInboundIn(data))
        do {
            while let part = try parser.next() {
                guard case .head(let head) = part else { continue }
                guard (200..<300).contains(head.status), parser.leftover == 0 else {
                    throw UpstreamFailure("the proxy \(proxy.host):\(proxy.port) answered CONNECT with \(head.status)")
                }
                try whenOpen(context.pipeline.syncOperations)
                context.pipeline.syncOperations.removeHandler(self, promise: nil)
                return
            }
        } catch let error as WireError {
            fail(context, UpstreamFailure(error, upstream: origin.description))
        } catch {
            fail(context, error)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(context, UpstreamFailure("the proxy \(proxy.host):\(proxy.port) closed the connection"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(context, error) }

    private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
        whenFailed(error)
        context.close(promise: nil)
    }
}
