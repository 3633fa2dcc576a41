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
    ///
    /// - Parameter rewound: what is to be done when SIGHUP has rewound the recording; nil if that signal means nothing.
    func serve(
        _ configuration: MockServerConfiguration,
        rewound: (@Sendable () -> Void)? = nil,
        _ begun: (MockServer) -> Void
    ) async throws -> MockServer {
        Self.raiseDescriptorLimit()
        // Trapped before the address is printed: whoever reads it may send a signal at once.
        let signals =
            rewound == nil
            ? await UnixSignalsSequence(trapping: .sigint, .sigterm)
            : await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        let server = try await MockServer.start(configuration)
        // Whoever has read the first line may rely on the file.
        if let urlFile { try write(server.url.absoluteString, to: urlFile) }
        Console.print(server.url.absoluteString)
        for name in server.upstreamNames.dropFirst() {
            if let url = server.url(for: name) { Console.print("\(name) \(url.absoluteString)") }
        }
        begun(server)
        try await stop(server, signals, rewound)
        return server
    }

    /// Every connection is a descriptor, of which shells allow few. What the system allows at most is enough for many clients.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max
        else {
            return
        }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Waits for a first signal or the end of the parent, then stops the server; a second signal does not wait for that.
    private func stop(
        _ server: MockServer,
        _ signals: UnixSignalsSequence,
        _ rewound: (@Sendable () -> Void)?
    ) async throws {
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var isFirst = true
                for await signal in signals {
                    if signal == .sighup {
                        server.rewind()
                        rewound?()
                        continue
                    }
                    guard isFirst else {
                        Console.say("mockserve: stopped at once")
                        Foundation.exit(130)
                    }
                    isFirst = false
                    stop.finish()
                }
            }
            if let parentPid {
                group.addTask {
                    await Self.waitForEnd(of: parentPid)
                    stop.finish()
                }
            }
            for await _ in stops {}
            if let urlFile { try? FileManager.default.removeItem(atPath: urlFile) }
            try await server.shutDown()
            group.cancelAll()
        }
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

    private static func waitForEnd(of process: Int32) async {
        while !Task.isCancelled, kill(process, 0) == 0 || errno == EPERM {
            // Cancellation ends the wait early, which the loop sees.
            try? await Task.sleep(for: .milliseconds(200))
        }
    }
}
