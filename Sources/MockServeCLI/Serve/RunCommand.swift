import ArgumentParser
import Foundation
import MockServe
import Subprocess
import Synchronization
import UnixSignals

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a command with a server in the background.",
        discussion: """
            Starts the server, runs COMMAND with MOCKSERVE_URL and every --env set, and exits with COMMAND's status. If \
            that is 0: with 3 if a request had no recorded answer, with 4 if --require-all-used is given and something was \
            not, with 69 if an upstream could not be reached. Without \
            an upstream (--upstream, or MOCKSERVE_UPSTREAM in the environment) the cassette is replayed. Misses, and exchanges that could not be recorded, are told when COMMAND has \
            ended, so that its own output stays apart.

            In the value of --env, {url} and {port} stand for the server, {NAME.url} and {NAME.port} for one of several \
            upstreams.

            EXAMPLE
              mockserve run github.cassette --env GITHUB_API={url} -- pytest
              mockserve run github.cassette --upstream https://api.github.com --mode missing -- pytest
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @OptionGroup var modes: ModeOption

    @Option(name: .customLong("env"), help: ArgumentHelp("Set a variable for COMMAND.", valueName: "var=template"))
    var variables: [String] = []

    @Flag(help: "Exit with 4 if COMMAND did not ask for every recorded interaction.")
    var requireAllUsed = false

    @Flag(help: "Say misses and failures as they happen, among what COMMAND prints.")
    var live = false

    @Flag(help: "Keep what was recorded even if COMMAND fails.")
    var keepFailed = false

    @OptionGroup var recording: RecordOptions
    @OptionGroup var serving: ServeOptions

    @Argument(parsing: .postTerminator, help: "The command and its arguments, after `--`.")
    var command: [String]

    func validate() throws {
        guard !command.isEmpty else {
            throw ValidationError("There is no command to run. Write it after `--`: mockserve run x.cassette -- pytest")
        }
        guard modes.mode == nil || modes.mode == .replay || recording.hasUpstream else {
            throw ValidationError("--mode needs --upstream, the server to record from.")
        }
        if !recording.hasUpstream {
            let given = recording.givenForRecording + (keepFailed ? ["--keep-failed"] : [])
            guard given.isEmpty else {
                throw ValidationError(
                    "\(given.joined(separator: ", ")): only for recording, which needs --upstream. "
                        + "Without it the cassette is replayed."
                )
            }
        }
        for variable in variables where !variable.dropFirst().contains("=") {
            throw ValidationError("--env takes VAR=TEMPLATE, such as --env API_URL={url}, not `\(variable)`.")
        }
    }

    func run() async throws {
        // Trapped before anything starts, so that no signal is lost.
        let signals =
            Signals.hangUpIsIgnored
            ? await UnixSignalsSequence(trapping: .sigint, .sigterm)
            : await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        let (server, status, unused) = try await ExitStatus.reporting {
            let server = try await MockServer.start(try configure())
            serving.warn(server)
            let status: TerminationStatus
            do {
                status = try await runCommand(server, signals)
            } catch {
                if !keepFailed { server.dropEpisode() }
                // The reason why the command did not run is the one to report.
                try? await server.stop()
                throw error
            }
            if !status.isSuccess, !keepFailed { server.dropEpisode() }
            let unused = try requireAllUsed ? server.unusedInteractions() : UnusedInteractions()
            try await server.stop()
            return (server, status, unused)
        }
        let summary = Summary(server: server, cassette: cassette, wasTold: live && !serving.quiet)
        if serving.quiet { summary.sayWorst() } else { summary.say() }
        Summary.sayUnused(unused)
        switch status {
        case .exited(0): break
        case .exited(let code): throw ExitCode(code)
        case .signaled(let signal): throw ExitCode(128 + signal)
        }
        if server.missCount > 0 { throw ExitStatus.misses.code }
        if unused.count > 0 { throw ExitStatus.unused.code }
        if server.failedConnectionCount > 0 { throw ExitStatus.upstream.code }
    }

    private func configure() throws -> MockServerConfiguration {
        var configuration =
            recording.hasUpstream
            ? MockServerConfiguration.record(cassette, upstreams: []) : MockServerConfiguration.replay(cassette)
        try modes.apply(to: &configuration)
        try serving.apply(to: &configuration, cassette: cassette, tellsAtOnce: live)
        try recording.apply(to: &configuration)
        try serving.explainIfAsked(configuration)
        return configuration
    }

    private func runCommand(_ server: MockServer, _ signals: UnixSignalsSequence) async throws -> TerminationStatus {
        var updates: [Environment.Key: String?] = ["MOCKSERVE_URL": server.url.absoluteString]
        for variable in variables {
            guard let equals = variable.firstIndex(of: "="),
                let key = Environment.Key(rawValue: String(variable[..<equals]))
            else { continue }
            updates[key] = expand(String(variable[variable.index(after: equals)...]), server)
        }
        let environment = Environment.inherit.updating(updates)
        let child = ChildProcess()
        // Spawned programs start with no signal ignored, so a shell ignores SIGHUP for the command.
        let ignoring = Signals.hangUpIsIgnored ? ["/bin/sh", "-c", "trap '' HUP; exec \"$@\"", "sh"] : []
        if !ignoring.isEmpty, !Self.isThere(command[0]) {
            // The shell would report that in its own words, and with a status of its own.
            throw MockServeError(.invalidConfiguration, "`\(command[0])` cannot be run: there is no such program.")
        }
        let command = ignoring + command
        return try await withThrowingTaskGroup(of: TerminationStatus?.self) { group in
            group.addTask { try await Self.spawn(command, environment, child) }
            group.addTask {
                for await signal in signals where !Self.terminalSends(signal) { child.send(signal.rawValue) }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let status = result { return status }
            }
            throw CancellationError()
        }
    }

    /// A key at the terminal sends its signal to the command too, which must not get it twice.
    private static func terminalSends(_ signal: UnixSignal) -> Bool {
        signal == .sigint && Console.isTerminal(STDIN_FILENO)
    }

    private static func spawn(
        _ command: [String],
        _ environment: Environment,
        _ child: ChildProcess
    ) async throws -> TerminationStatus {
        do {
            let result = try await Subprocess.run(
                // A name is looked up in PATH, a path is taken as it is, as a shell does.
                command[0].contains("/") ? .path(FilePath(command[0])) : .name(command[0]),
                arguments: Arguments(Array(command.dropFirst())),
                environment: environment,
                input: .currentStandardInput,
                output: .currentStandardOutput,
                error: .currentStandardError
            ) { execution in
                child.began(execution.processIdentifier.value)
            }
            return result.terminationStatus
        } catch let error as SubprocessError {
            throw MockServeError(.invalidConfiguration, "`\(command[0])` cannot be run: \(error)", cause: error)
        }
    }

    private static func isThere(_ program: String) -> Bool {
        if program.contains("/") { return access(program, X_OK) == 0 }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    private func expand(_ template: String, _ server: MockServer) -> String {
        var text = template.replacing("{url}", with: server.url.absoluteString)
        text = text.replacing("{port}", with: String(server.port))
        for name in server.upstreamNames {
            guard let url = server.url(for: name) else { continue }
            text = text.replacing("{\(name).url}", with: url.absoluteString)
            text = text.replacing("{\(name).port}", with: String(url.port ?? 80))
        }
        return text
    }
}

/// The process of the command. It may run, and signals for it may arrive, before its number is known here.
private final class ChildProcess: Sendable {
    private struct State {
        var id: pid_t?
        var waiting: [CInt] = []
    }

    private let state = Mutex(State())

    func began(_ id: pid_t) {
        let waiting = state.withLock { state in
            defer { state = State(id: id) }
            return state.waiting
        }
        for signal in waiting { kill(id, signal) }
    }

    func send(_ signal: CInt) {
        let id = state.withLock { state in
            if state.id == nil { state.waiting.append(signal) }
            return state.id
        }
        if let id { kill(id, signal) }
    }
}
