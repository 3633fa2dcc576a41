import ArgumentParser
import Foundation
import MockServe
import Subprocess
import UnixSignals

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a command with a server in the background.",
        discussion: """
            Starts the server, runs COMMAND with MOCKSERVE_URL and every --env set, and exits with COMMAND's status. If \
            that is 0: with 3 if a request had no recorded answer, with 4 if --require-all-used is given and something was \
            not, with 69 if an upstream could not be reached. Without \
            an upstream (--upstream, or MOCKSERVE_UPSTREAM in the environment) the cassette is replayed. Misses, and exchanges that could not be recorded, are reported when COMMAND has \
            ended, so that its own output stays apart.

            The `--` may be left out if COMMAND follows right after the cassette, or after options written as --name=value. COMMAND gets the signals that mockserve \
            gets, but for SIGINT and SIGQUIT at a terminal, which sends them to COMMAND itself; if mockserve is killed, COMMAND is ended.

            In the value of --env, {url} and {port} stand for the server, {NAME.url} and {NAME.port} for one of several \
            upstreams.

            EXAMPLE
              mockserve run github.cassette --env GITHUB_API={url} -- pytest
              mockserve run github.cassette --upstream https://api.github.com --mode missing -- pytest
            """
    )

    @Argument(
        help: "The cassette file, or a file or folder of another tool to replay.",
        completion: .file(extensions: ["cassette"])
    )
    var cassette: String

    @OptionGroup var modes: ModeOption

    @Option(name: .customLong("env"), help: ArgumentHelp("Set a variable for COMMAND.", valueName: "var=template"))
    var variables: [String] = []

    @Flag(help: "Exit with 4 if COMMAND did not ask for every recorded interaction.")
    var requireAllUsed = false

    @Flag(help: "Say misses and failures as they happen, among what COMMAND prints.")
    var live = false

    @Flag(help: "Do not make COMMAND trust the server's certificates: leave SSL_CERT_FILE and the like as they are.")
    var noTrust = false

    @Flag(help: "Keep what was recorded even if COMMAND fails.")
    var keepFailed = false

    @OptionGroup var recording: RecordOptions
    @OptionGroup var serving: ServeOptions

    @Argument(parsing: .postTerminator, help: "The command and its arguments, after `--`.")
    var command: [String] = []

    /// The arguments of the program, with `--` before the command where that is missing and only a command can follow: after
    /// the cassette, with nothing around it but options written as `--name=value`.
    static func withTerminator(_ arguments: [String]) -> [String] {
        guard arguments.first == configuration.commandName else { return arguments }
        func isWhole(_ argument: String) -> Bool { argument.hasPrefix("--") && argument.contains("=") }
        var rest = arguments.dropFirst().drop(while: isWhole)
        guard let cassette = rest.popFirst(), !cassette.hasPrefix("-") else { return arguments }
        rest = rest.drop(while: isWhole)
        guard let program = rest.first, !program.hasPrefix("-") else { return arguments }
        return arguments[..<rest.startIndex] + ["--"] + rest
    }

    func validate() throws {
        guard !command.isEmpty else {
            throw ValidationError(
                "There is no command to run. Write it after `--`: mockserve run x.cassette -- pytest. The `--` may be left out "
                    + "only right after the cassette, or after options written as --name=value."
            )
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
        let signals = await RunProcess.signals()
        let (server, status, unused, isDropped) = try await ExitStatus.reporting {
            let served =
                try recording.hasUpstream ? nil : ServedCassette(cassette, serving.secrets, isQuiet: serving.quiet)
            defer { served?.end() }
            let server = try await MockServer.start(try configure(served))
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
            let isDropped = !status.isSuccess && !keepFailed
            if isDropped { server.dropEpisode() }
            let unused = try requireAllUsed ? server.unusedInteractions() : UnusedInteractions()
            try await server.stop()
            return (server, status, unused, isDropped)
        }
        let summary = Summary(server: server, cassette: cassette, wasTold: live && !serving.quiet, isDropped: isDropped)
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

    /// - Parameter served: nil to record.
    private func configure(_ served: ServedCassette?) throws -> MockServerConfiguration {
        var configuration =
            served?.configuration(cassette) ?? MockServerConfiguration.record(cassette, upstreams: [])
        try modes.apply(to: &configuration)
        try serving.apply(to: &configuration, cassette: cassette, tellsAtOnce: live)
        try recording.apply(to: &configuration)
        try serving.explainIfAsked(configuration)
        return configuration
    }

    /// What makes the command trust the server. Few commands need it without --tls, so that it may be missing then.
    private func trust(_ server: MockServer) throws -> TrustEnvironment? {
        guard !noTrust, let authority = try server.certificateAuthority else { return nil }
        do {
            return try TrustEnvironment(authority, ProcessInfo.processInfo.environment)
        } catch let error as MockServeError where server.url.scheme == "http" {
            Console.say(
                "mockserve: warning: the command does not trust https:// here (--no-trust is quiet about it): \(error)"
            )
            return nil
        }
    }

    private func runCommand(_ server: MockServer, _ signals: UnixSignalsSequence) async throws -> TerminationStatus {
        try serving.tls.writeAuthority(of: server)
        var updates: [Environment.Key: String?] = ["MOCKSERVE_URL": server.url.absoluteString]
        let trust = try trust(server)
        defer { trust?.remove() }
        for (name, value) in trust?.variables ?? [:] {
            if let key = Environment.Key(rawValue: name) { updates[key] = value }
        }
        for variable in variables {
            guard let equals = variable.firstIndex(of: "="),
                let key = Environment.Key(rawValue: String(variable[..<equals]))
            else { continue }
            updates[key] = expand(String(variable[variable.index(after: equals)...]), server)
        }
        return try await RunProcess(command, environment: .inherit.updating(updates)).run(forwarding: signals)
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
