import ArgumentParser
import Foundation
import MockServe
import UnixSignals

/// What `record` and `replay` take beside: they run until they are told to stop.
struct BackgroundOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Write the base URL to this file once the port accepts.", valueName: "file"))
    var urlFile: String?

    @Option(help: ArgumentHelp("Stop when this process has ended.", valueName: "pid"))
    var parentPid: Int32?

    /// Serves until a signal comes or the parent ends. A second signal ends the program at once.
    func serve(_ configuration: MockServerConfiguration, _ begun: (MockServer) -> Void) async throws -> MockServer {
        // Trapped before the address is printed: whoever reads it may send a signal at once.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let server = try await MockServer.start(configuration)
        Console.print(server.url.absoluteString)
        for name in server.upstreamNames.dropFirst() {
            if let url = server.url(for: name) { Console.print("\(name) \(url.absoluteString)") }
        }
        if let urlFile { try write(server.url.absoluteString, to: urlFile) }
        begun(server)
        await waitForEnd(signals)
        if let urlFile { try? FileManager.default.removeItem(atPath: urlFile) }
        try await stop(server, signals)
        return server
    }

    /// Readers never see half a file.
    private func write(_ url: String, to path: String) throws {
        do {
            try Data("\(url)\n".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw MockServeError(
                .invalidConfiguration,
                "--url-file \(path) cannot be written: \(error.localizedDescription)",
                cause: error
            )
        }
    }

    private func waitForEnd(_ signals: UnixSignalsSequence) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in signals { return } }
            if let parentPid {
                group.addTask { await Self.waitForEnd(of: parentPid) }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private static func waitForEnd(of process: Int32) async {
        while !Task.isCancelled, kill(process, 0) == 0 || errno == EPERM {
            // Cancellation ends the wait early, which the loop sees.
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    private func stop(_ server: MockServer, _ signals: UnixSignalsSequence) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals {
                    Console.say("mockserve: stopped at once; what was not yet committed is lost.")
                    Foundation.exit(130)
                }
            }
            group.addTask { try await server.shutDown() }
            try await group.next()
            group.cancelAll()
        }
    }
}
