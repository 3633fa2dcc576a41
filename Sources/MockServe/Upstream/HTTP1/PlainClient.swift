package import HTTPMessages
import HTTPWire
import MockServeCore
import NIOCore
import NIOPosix

/// A whole answer.
package struct PlainAnswer: Sendable {
    package var head: ResponseHead
    /// Without transfer coding.
    package var body: [UInt8]
    package var trailers: Fields
}

/// Sends one request on a connection of its own and reads the answer: for the demo and for tests.
package enum PlainClient {
    /// - Parameters:
    ///   - origin: an `http` server; `https` is not supported.
    ///   - head: sent as it is, with `Host`, `Content-Length` and `Connection` added.
    ///   - limit: bytes of the body of the answer.
    ///   - patience: how long the whole exchange may take.
    /// - Throws: `ChannelError`, `WireError`, `MockServeError` for an answer that is too long or too late, or what the connection
    ///   failed with.
    package static func send(
        _ head: RequestHead,
        body: [UInt8] = [],
        to origin: Origin,
        limit: Int = .max,
        patience: Duration = .seconds(3600)
    ) async throws -> PlainAnswer {
        var head = head
        head.fields.append("Host", origin.authority)
        if !body.isEmpty { head.fields.append("Content-Length", String(body.count)) }
        head.fields.append("Connection", "close")
        var request = ByteBuffer()
        request.writeRequestHead(head)
        request.writeBytes(body)
        let answersHEAD = head.isHEAD
        let bytes = request
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        let promise = eventLoop.makePromise(of: PlainAnswer.self)
        let channel = ClientBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = Handler(bytes, ResponseParser(answersHEAD: answersHEAD), limit: limit, promise)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: origin.host, port: origin.port)
        channel.whenFailure { promise.fail($0) }
        let timer = eventLoop.scheduleTask(in: TimeAmount(patience)) {
            promise.fail(MockServeError(.upstreamUnreachable, "there was no whole answer within \(patience)"))
            channel.whenSuccess { $0.close(promise: nil) }
        }
        promise.futureResult.whenComplete { _ in timer.cancel() }
        return try await promise.futureResult.get()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let request: ByteBuffer
        private var parser: ResponseParser
        private let promise: EventLoopPromise<PlainAnswer>
        private let limit: Int
        private var head: ResponseHead?
        private var body: [UInt8] = []

        init(
            _ request: ByteBuffer,
            _ parser: ResponseParser,
            limit: Int,
            _ promise: EventLoopPromise<PlainAnswer>
        ) {
            self.limit = limit
            self.request = request
            self.parser = parser
            self.promise = promise
        }

        func channelActive(context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(request), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            parser.append(unwrapInboundIn(data))
            do {
                while let part = try parser.next() {
                    switch part {
                    case .head(let head): self.head = head
                    case .body(let bytes): body.append(contentsOf: bytes.readableBytesView)
                    case .end(let trailers): succeed(trailers, context)
                    case .informational, .chunk: break
                    }
                    guard body.count <= limit else {
                        throw MockServeError(.upstreamUnreachable, "the answer is longer than \(limit >> 20) MiB")
                    }
                }
            } catch {
                promise.fail(error)
                context.close(promise: nil)
            }
        }

        private func succeed(_ trailers: Fields, _ context: ChannelHandlerContext) {
            guard let head else { return }
            promise.succeed(PlainAnswer(head: head, body: body, trailers: trailers))
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            do {
                if try parser.finish() { succeed(Fields(), context) }
                // Ignored if the promise is already fulfilled.
                promise.fail(ChannelError.eof)
            } catch {
                promise.fail(error)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            promise.fail(error)
            context.close(promise: nil)
        }
    }
}
