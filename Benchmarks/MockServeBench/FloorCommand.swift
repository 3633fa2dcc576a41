import ArgumentParser
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// The baseline for a replay: a SwiftNIO server with SwiftNIO's own HTTP decoder and encoder that answers every request
/// with the same bytes.
struct FloorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "floor",
        abstract: "Serve one constant answer with bare SwiftNIO.",
        discussion: "Prints its base URL, and serves until it is killed."
    )

    @Option(help: "Bytes of the answer.")
    var body = 1024

    @Option(help: "Threads that serve.")
    var threads = 1

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let size = body
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(ConstantHandler(size: size))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        // Not `print`, which buffers what is written to a pipe.
        FileHandle.standardOutput.write(Data("http://127.0.0.1:\(channel.localAddress?.port ?? 0)\n".utf8))
        try await channel.closeFuture.get()
    }
}

private final class ConstantHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let head: HTTPResponseHead
    private let body: ByteBuffer

    init(size: Int) {
        let fields: HTTPHeaders = [
            "Date": "Thu, 01 Jan 2026 00:00:00 GMT", "Content-Type": "application/json", "Content-Length": "\(size)",
            "Server": "example", "ETag": "\"1\"",
        ]
        head = HTTPResponseHead(version: .http1_1, status: .ok, headers: fields)
        body = ByteBuffer(repeating: UInt8(ascii: "x"), count: size)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
