import ArgumentParser
import Foundation
import MockServe
import NIOPosix

/// A server that answers from stubs alone.
struct StubsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stubs",
        abstract: "Answer GET /items/N from stubs, one for each N.",
        discussion: "Prints its base URL, and serves with one thread until it is killed."
    )

    @Option(help: "How many stubs.")
    var count = 1

    @Option(help: "Bytes of an answer.")
    var body = 1024

    func run() async throws {
        var configuration = MockServerConfiguration.responding(with: Router())
        configuration.eventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await MockServer.start(configuration)
        let text = String(repeating: "x", count: body)
        for number in 0..<count { server.stub(.get("/items/\(number)"), .text(text)) }
        FileHandle.standardOutput.write(Data("\(server.url.absoluteString)\n".utf8))
        while true { try await Task.sleep(for: .seconds(3600)) }
    }
}
