import ArgumentParser
import Foundation
import MockServe
import MockServeCore
import NIOCore
import NIOEmbedded

/// Answers requests with the code of a server, but without sockets, so that its work can be counted exactly.
struct RequestsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requests",
        abstract: "Answer requests from a cassette on an embedded channel.",
        discussion: "What `make guard` runs under an instruction counter."
    )

    @Argument(help: "A cassette of mockserve-bench generate.")
    var cassette: String

    @Option(help: "How many requests, for one interaction after another.")
    var count = 1000

    @Option(help: "How many interactions the cassette has.")
    var interactions = 100

    @Flag(help: "Requests that never come twice with the same bytes, so that each is read anew.")
    var distinct = false

    @Flag(help: "Requests with a JSON body.")
    var post = false

    func run() throws {
        let channel = EmbeddedChannel()
        var configuration = MockServerConfiguration.replay(cassette)
        // Work that depends on time must not count.
        configuration.freshness = .seconds(86_400)
        configuration.opensOnLoop = true
        let end = try MockServer.addHandlers(configuration, to: channel)
        // Always the same number of requests, so that making them cancels out in the difference between two runs.
        let requests = (0..<max(count, 3000)).map(request)
        var bytes = 0
        for request in requests.prefix(count) {
            try channel.writeInbound(request)
            while let answer = try channel.readOutbound(as: ByteBuffer.self) { bytes += answer.readableBytes }
            channel.embeddedEventLoop.run()
        }
        guard bytes > count * 1024 else { throw ValidationError("\(cassette) did not answer.") }
        try end()
    }

    private func request(_ number: Int) -> ByteBuffer {
        let item = number % interactions
        var text = post ? "POST /items HTTP/1.1\r\n" : "GET /items/\(item) HTTP/1.1\r\n"
        text += "Host: 127.0.0.1\r\n"
        if distinct { text += "X-Request: \(1_000_000 + number)\r\n" }
        guard post else { return ByteBuffer(string: text + "\r\n") }
        let body = SampleInteraction.requestBody(item)
        var buffer = ByteBuffer(
            string: text + "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n"
        )
        buffer.writeBytes(body)
        return buffer
    }
}
