public import ArgumentParser
import Foundation
public import MockServe
import MockServeCore
import NIOPosix
import Synchronization

/// The options of all serving commands.
struct ServeOptions: ParsableArguments {
    @Option(help: "Port to listen on; 0 lets the operating system pick one. (default: 0)")
    var port: Int?

    @Flag(help: "Share the port with other processes that say so too; connections are shared out among them.")
    var reusePort = false

    @Option(help: "Address to listen on. (default: 127.0.0.1)")
    var host: String?

    @Option(
        help: ArgumentHelp(
            "Let clients address the server by this name, in addition to loopback and its own address; * for any.",
            valueName: "name"
        )
    )
    var allowHost: [String] = []

    @Option(help: "Listen on this bound TCP socket, handed down by the parent. LISTEN_FDS is honoured too.")
    var listenFd: Int32?

    @Option(help: "Replay recorded timing: 0 at once, 1 as recorded, 2 twice as fast. (default: 0)")
    var speed: Double?

    @Option(
        help: """
            Which of several answers to the same request is given: \
            \(Playback.allCases.map(\.rawValue).joined(separator: ", ")). (default: timeline)
            """
    )
    var playback: Playback?

    @Flag(help: "Do not replace the upstream's origin by the server's own in what clients see.")
    var noMap = false

    @Option(help: "Status of the answer to a request that nothing recorded matches. (default: 404)")
    var missStatus: Int?

    @Option(
        help: ArgumentHelp(
            "Add every request and what became of it to this file, a JSON object a line.",
            valueName: "file"
        )
    )
    var journal: String?

    @Option(
        help: ArgumentHelp(
            "Add which interactions were used to this file, for `cassette unused`. Runs may share one.",
            valueName: "file"
        )
    )
    var coverage: String?

    @OptionGroup var faults: FaultOptions
    @OptionGroup(title: "TLS") var tls: TLSOptions
    @OptionGroup(title: "Secrets") var secrets: SecretOptions

    @Flag(help: "Give clients declared secrets instead of their placeholders.")
    var giveBack = false

    @Option(help: "Threads that serve; by default one for each processor that the process may use.")
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Memory for answers that are kept ready and pages of the cassette, in MiB, over all threads. (default: 80)",
            valueName: "mib"
        )
    )
    var cacheSize: Int?

    @Option(help: "Seconds to finish exchanges under way when stopping. (default: 5)")
    var stopDeadline: Double?

    @Flag(
        help:
            "Print every setting, its value and where that comes from (default, environment or option), and do nothing else."
    )
    var explainConfig = false

    @Flag(name: .shortAndLong, help: "Say nothing on standard error but errors, and one line if there were misses.")
    var quiet = false

    func validate() throws {
        guard threads ?? 1 >= 1, threads ?? 1 <= 1024 else { throw ValidationError("--threads takes 1 to 1024.") }
        try given.validate()
    }

    /// The settings that these options give.
    private var given: GivenSettings {
        var given = GivenSettings()
        given.add("port", port)
        given.add("host", host)
        given.add("allow-host", allowHost)
        given.add("speed", speed)
        given.add("playback", playback?.rawValue)
        given.add("miss-status", missStatus)
        given.add("cache-size", cacheSize)
        given.add("stop-deadline", stopDeadline)
        given.add("journal", journal)
        given.add("coverage", coverage)
        tls.add(to: &given)
        if noMap { given.add("map", false, by: "--no-map") }
        if giveBack { given.add("give-back", true) }
        return given
    }

    /// - Parameter tellsAtOnce: whether misses and failures are shown as they happen.
    func apply(to configuration: inout MockServerConfiguration, cassette: String, tellsAtOnce: Bool = true) throws {
        configuration.followEnvironment(isCommandLine: true)
        for name in quiet ? [] : Setting.unknown(among: ProcessInfo.processInfo.environment.keys) {
            Console.say("mockserve: warning: \(name) in the environment is not a setting; --explain-config lists them")
        }
        try given.apply(to: &configuration)
        guard !reusePort || configuration.listen.port > 0 else {
            throw MockServeError(.invalidConfiguration, "--reuse-port needs --port: the port that is to be shared.")
        }
        if let socket = inheritedSocket { configuration.listen = .socket(socket) }
        configuration.sharesPort = reusePort
        configuration.missFile = MissFile.path(for: cassette)
        configuration.redact += secrets.targets
        configuration.faults = try faults.rules
        if let threads { configuration.eventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: threads) }
        if !quiet, tellsAtOnce {
            let kind = configuration.records ? "not recorded" : "failed"
            configuration.observer = { event in
                if let miss = event.miss { Console.say("mockserve: miss: \(Console.safe(miss.description))") }
                if let failure = event.failure { Console.say("mockserve: \(kind): \(Console.safe(failure))") }
            }
        }
    }

    /// Prints the configuration and ends the program, if that was asked for.
    func explainIfAsked(_ configuration: MockServerConfiguration) throws {
        guard explainConfig else { return }
        Console.print(try configuration.explanation())
        throw ExitCode.success
    }

    /// Warns if other machines can reach the server.
    func warn(_ server: MockServer) {
        if !quiet, !server.isRecording {
            for secret in secrets.targets where secret.isMissing {
                Console.say("mockserve: \(secret.problem ?? ""); going on without that secret")
            }
        }
        if server.trustsAnyUpstream {
            Console.say("mockserve: warning: the certificates of upstreams are not checked (--upstream-insecure)")
        }
        guard server.isReachableFromElsewhere else { return }
        Console.say("mockserve: warning: listening on \(server.listenHost): other machines can reach this server")
    }

    private var inheritedSocket: Int32? {
        if let listenFd { return listenFd }
        let environment = ProcessInfo.processInfo.environment
        // sd_listen_fds(3): the sockets begin at descriptor 3, and are only for the process LISTEN_PID.
        guard let count = environment["LISTEN_FDS"].flatMap({ Int($0) }), count >= 1,
            environment["LISTEN_PID"].flatMap({ Int32($0) }) == getpid()
        else { return nil }
        return 3
    }
}

/// The recording mode of a run with an upstream.
struct ModeOption: ParsableArguments {
    @Option(help: "What to record: \(RecordMode.allCases.map(\.rawValue).joined(separator: ", ")). (default: once)")
    var mode: RecordMode?

    func apply(to configuration: inout MockServerConfiguration) throws {
        var given = GivenSettings()
        given.add("mode", mode?.rawValue)
        try given.apply(to: &configuration)
    }
}

/// Options of a recording: where it comes from, and what is kept.
struct RecordOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Server to record from: scheme, host and port; h2c:// for HTTP/2 without TLS. Repeat it for several; each gets a port of its own.",
            valueName: "[name=]url"
        )
    )
    var upstream: [String] = []

    @Option(help: ArgumentHelp("PEM file of certificates to trust in addition to the system's.", valueName: "file"))
    var upstreamCa: String?

    @Option(
        help: ArgumentHelp(
            "Certificate to show to upstreams that ask for one, with its chain, in PEM.",
            valueName: "file"
        )
    )
    var upstreamCert: String?

    @Option(
        help: ArgumentHelp(
            "Its key, in PEM. The environment variable MOCKSERVE_UPSTREAM_PASSPHRASE has the passphrase, if there is one.",
            valueName: "file"
        )
    )
    var upstreamKey: String?

    @Flag(
        help: "Do not check the certificates of upstreams: whoever stands between can read and change what is recorded."
    )
    var upstreamInsecure = false

    @Flag(help: "Do not speak HTTP/2 with upstreams that offer it.")
    var noUpstreamHttp2 = false

    @Option(
        help:
            "Seconds a connection to an upstream may take. (default: \(UpstreamOptions().connectTimeout.components.seconds))"
    )
    var connectTimeout: Double?

    @Option(
        help:
            "Seconds an upstream may send nothing; four times as long it may take nothing. (default: \(UpstreamOptions().readTimeout.components.seconds))"
    )
    var readTimeout: Double?

    @OptionGroup(title: "Rules, kept in the cassette") var rules: RuleOptions
    @OptionGroup(title: "Rules, kept in the cassette") var redaction: RedactOptions

    @Flag(help: "Record even though the environment variable CI is set.")
    var recordInCi = false

    @Flag(help: "Record answers that the upstream did not complete, and replay them cut.")
    var keepCut = false

    @Option(
        help: ArgumentHelp(
            "Forward requests of web pages of this origin, in addition to pages of this machine; * for any.",
            valueName: "origin"
        )
    )
    var allowOrigin: [String] = []

    func validate() throws {
        for text in upstream where text.isEmpty { throw ValidationError("--upstream is empty.") }
        try given.validate()
        let names = upstreams.map(\.name)
        guard Set(names).count == names.count else {
            throw ValidationError(
                "Several upstreams need different names: --upstream api=https://… --upstream auth=https://…"
            )
        }
    }

    private var upstreams: [(name: String, url: String)] { upstream.map { Setting.upstream($0) } }

    /// Whether an option or the environment names a server to record from.
    var hasUpstream: Bool { !upstream.isEmpty || !MockServerConfiguration.record("", upstreams: []).upstreams.isEmpty }

    /// The settings that these options give.
    private var given: GivenSettings {
        var given = GivenSettings()
        given.add("upstream", upstream)
        given.add("upstream-ca", upstreamCa)
        given.add("upstream-cert", upstreamCert)
        given.add("upstream-key", upstreamKey)
        if upstreamInsecure { given.add("upstream-insecure", true) }
        if noUpstreamHttp2 { given.add("upstream-http2", false, by: "--no-upstream-http2") }
        given.add("connect-timeout", connectTimeout)
        given.add("read-timeout", readTimeout)
        given.add("allow-origin", allowOrigin)
        if recordInCi { given.add("record-in-ci", true) }
        if keepCut { given.add("keep-cut", true) }
        return given
    }

    /// The given options that mean nothing without an upstream. Rules are not among them: the cassette may have them.
    var givenForRecording: [String] {
        [
            (upstreamCa != nil, "--upstream-ca"), (upstreamCert != nil, "--upstream-cert"),
            (upstreamKey != nil, "--upstream-key"), (upstreamInsecure, "--upstream-insecure"),
            (noUpstreamHttp2, "--no-upstream-http2"), (connectTimeout != nil, "--connect-timeout"),
            (readTimeout != nil, "--read-timeout"), (recordInCi, "--record-in-ci"),
            (redaction.noDefaultRedaction, "--no-default-redaction"), (keepCut, "--keep-cut"),
            (!allowOrigin.isEmpty, "--allow-origin"),
        ].filter(\.0).map(\.1)
    }

    func apply(to configuration: inout MockServerConfiguration) throws {
        try given.apply(to: &configuration)
        configuration.redact += try redaction.rules.map { RedactionTarget($0) }
        configuration.redactsByDefault = !redaction.noDefaultRedaction
        configuration.rules = try rules.rules.map { CassetteRule($0) }
    }
}

extension RecordMode: ExpressibleByArgument {}

extension Playback: ExpressibleByArgument {}
