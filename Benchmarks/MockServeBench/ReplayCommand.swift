import ArgumentParser
import Foundation
import MockServe
import NIOPosix
import Synchronization

/// Replays with settings for which the command line of mockserve has no option.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Replay a cassette with a journal of another length.",
        discussion: "Prints its base URL, and serves with one thread until it is killed."
    )

    @Argument(help: "The cassette file.")
    var cassette: String

    @Option(help: "Requests that are remembered.")
    var journalEntries = 10_000

    func run() async throws {
        var configuration = MockServerConfiguration.replay(cassette)
        configuration.eventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        configuration.journalLimits.entries = journalEntries
        let server = try await MockServer.start(configuration)
        FileHandle.standardOutput.write(Data("\(server.url.absoluteString)\n".utf8))
        while true { try await Task.sleep(for: .seconds(3600)) }
    }
}
