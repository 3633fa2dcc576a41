import ArgumentParser
import Foundation
import MockServe
import UnixSignals

/// Options of `record` and `replay`, which run until they are told to stop.
struct BackgroundOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Write the base URL to this file once the port accepts.", valueName: "file"))
    var urlFile: String?

    @Option(help: ArgumentHelp("Stop when this process has ended.", valueName: "pid"))
    var parentPid: Int32?

    /// Serves until a signal arrives or the parent ends. A second signal ends the program at once. SIGHUP rewinds a
    /// replay, and stops a recording.
    func serve(
        _ configuration: MockServerConfiguration,
        _ tls: TLSOptions,
        isQuiet: Bool,
        _ begun: (MockServer) -> Void
    ) async throws -> MockServer {
        Self.raiseDescriptorLimit()
        // Trapped before the address is printed: whoever reads it may send a signal at once.
        let signals =
            Signals.hangUpIsIgnored
            ? await UnixSignalsSequence(trapping: .sigint, .sigterm)
            : await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        let server = try await MockServer.start(configuration)
        // Whoever has read the first line may rely on the files.
        do {
            try tls.writeAuthority(of: server)
            if let urlFile { try OptionFile.write("\(server.url.absoluteString)\n", to: urlFile, "--url-file") }
        } catch {
            try? await server.stop()
            throw error
        }
        Console.print(server.url.absoluteString)
        for name in server.upstreamNames.dropFirst() {
            if let url = server.url(for: name) { Console.print("\(name) \(url.absoluteString)") }
        }
        begun(server)
        try await stop(server, signals, isQuiet: isQuiet)
        return server
    }

    /// Every connection needs a descriptor, and shells allow few. The system's maximum is enough for many clients.
    static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max
        else {
            return
        }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Waits for the first signal or the end of the parent, then stops the server. A second signal does not wait for
    /// that.
    private func stop(
        _ server: MockServer,
        _ signals: UnixSignalsSequence,
        isQuiet: Bool
    ) async throws {
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var first: ContinuousClock.Instant?
                for await signal in signals {
                    if signal == .sighup, server.rewind() {
                        if !isQuiet { Console.say("mockserve: back at the start of the recording") }
                        continue
                    }
                    // A caller may signal both the process and its group, which counts once.
                    if let first {
                        guard first.duration(to: .now) > .milliseconds(300) else { continue }
                        Console.say("mockserve: stopped at once")
                        Foundation.exit(130)
                    }
                    first = .now
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
            if let urlFile, OptionFile.isRegular(urlFile) { try? FileManager.default.removeItem(atPath: urlFile) }
            try await server.stop()
            group.cancelAll()
        }
    }

    private static func waitForEnd(of process: Int32) async {
        while !Task.isCancelled, kill(process, 0) == 0 || errno == EPERM {
            // Cancellation ends the wait early; the loop notices it.
            try? await Task.sleep(for: .milliseconds(200))
        }
    }
}
