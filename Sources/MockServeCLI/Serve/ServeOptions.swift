public import ArgumentParser
import Foundation
public import MockServe
import MockServeCore
import NIOPosix
import Synchronization

/// What every serving command takes.
struct ServeOptions: ParsableArguments {
    @Option(help: "Port to listen on; 0 lets the operating system pick one.")
    var port = 0

    @Flag(help: "Share the port with other processes that say so too; connections are shared out among them.")
    var reusePort = false

    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"

    @Option(
        help: ArgumentHelp(
            "Let clients address the server by this name, in addition to loopback and its own address; * for any.",
            valueName: "name"
        )
    )
    var allowHost: [String] = []

    @Option(help: "Listen on this bound TCP socket, handed down by the parent. LISTEN_FDS is honoured too.")
    var listenFd: Int32?

    @Option(help: "Replay recorded timing: 0 at once, 1 as recorded, 2 twice as fast.")
    var speed = 0.0

    @Option(
        help: """
            Which of several answers to the same request is given: \
            \(Playback.allCases.map(\.rawValue).joined(separator: ", ")).
            """
    )
    var playback = Playback.timeline

    @Flag(help: "Do not replace the upstream's origin by the server's own in what clients see.")
    var noMap = false

    @Option(help: "Status of the answer to a request that nothing recorded matches.")
    var missStatus = 404

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

    @OptionGroup(title: "Secrets") var secrets: SecretOptions

    @Flag(help: "Give clients declared secrets instead of their placeholders.")
    var giveBack = false

    @Option(help: "Threads that serve; by default one for each processor that the process may use.")
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Memory for answers that are kept ready and pages of the cassette, in MiB, over all threads.",
            valueName: "mib"
        )
    )
    var cacheSize = 80

    @Option(help: "Seconds to finish exchanges under way when stopping.")
    var stopDeadline = 5.0

    @Flag(name: .shortAndLong, help: "Say nothing on standard error but errors, and one line if there were misses.")
    var quiet = false

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port takes 0 to 65535, not \(port).") }
        guard !reusePort || port > 0 else {
            throw ValidationError("--reuse-port needs --port: the port that is to be shared.")
        }
        guard (0...1 << 20).contains(cacheSize) else { throw ValidationError("--cache-size takes 0 to 1048576 MiB.") }
        guard speed >= 0, speed.isFinite else { throw ValidationError("--speed takes 0 or more, not \(speed).") }
        guard (400...599).contains(missStatus) else {
            throw ValidationError("--miss-status takes 400 to 599, not \(missStatus).")
        }
        guard threads ?? 1 >= 1, threads ?? 1 <= 1024 else { throw ValidationError("--threads takes 1 to 1024.") }
        guard stopDeadline >= 0, stopDeadline <= 86_400 else {
            throw ValidationError("--stop-deadline takes 0 to 86400.")
        }
    }

    /// - Parameter tellsAtOnce: whether misses and failures are said as they happen.
    func apply(to configuration: inout MockServerConfiguration, cassette: String, tellsAtOnce: Bool = true) {
        configuration.listen = listenAddress
        configuration.sharesPort = reusePort
        configuration.cacheSize = cacheSize << 20
        configuration.speed = speed
        configuration.playback = playback
        configuration.mapsOrigins = !noMap
        configuration.missStatus = missStatus
        configuration.stopDeadline = .seconds(stopDeadline)
        configuration.journalFile = journal
        configuration.missFile = MissFile.path(for: cassette)
        configuration.coverageFile = coverage
        configuration.allowedHosts = allowHost
        configuration.redact += secrets.targets
        configuration.givesSecretsBack = giveBack
        if let threads { configuration.eventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: threads) }
        if !quiet, tellsAtOnce {
            let kind = configuration.records ? "not recorded" : "failed"
            configuration.observer = { event in
                if let miss = event.miss { Console.say("mockserve: miss: \(Console.safe(miss.description))") }
                if let failure = event.failure { Console.say("mockserve: \(kind): \(Console.safe(failure))") }
            }
        }
    }

    /// Says so if others than this machine can reach the server.
    func warn(_ server: MockServer) {
        guard server.isReachableFromElsewhere else { return }
        Console.say("mockserve: warning: listening on \(host): other machines can reach this server")
    }

    private var listenAddress: ListenAddress {
        if let listenFd { return .socket(listenFd) }
        let environment = ProcessInfo.processInfo.environment
        // sd_listen_fds(3): the sockets begin at 3 and are for the process LISTEN_PID only.
        if let count = environment["LISTEN_FDS"].flatMap({ Int($0) }), count >= 1,
            environment["LISTEN_PID"].flatMap({ Int32($0) }) == getpid()
        {
            return .socket(3)
        }
        return .address(host, port: port)
    }
}

/// What says where a recording goes and comes from.
struct RecordOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Server to record from: scheme, host and port. Repeat it for several; each gets a port of its own.",
            valueName: "[name=]url"
        )
    )
    var upstream: [String] = []

    @Option(help: ArgumentHelp("PEM file of certificates to trust in addition to the system's.", valueName: "file"))
    var upstreamCa: String?

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
        guard [connectTimeout, readTimeout].allSatisfy({ $0.map { $0 > 0 && $0 <= 86_400 } ?? true }) else {
            throw ValidationError("Timeouts are more than 0 and at most 86400 seconds.")
        }
        let names = upstreams.map(\.name)
        guard Set(names).count == names.count else {
            throw ValidationError(
                "Several upstreams need different names: --upstream api=https://… --upstream auth=https://…"
            )
        }
    }

    var upstreams: [(name: String, url: String)] {
        upstream.map { text in
            guard let equals = text.firstIndex(of: "="), !text[..<equals].contains("/") else {
                return ("default", text)
            }
            return (String(text[..<equals]), String(text[text.index(after: equals)...]))
        }
    }

    /// Options that were given and mean nothing without an upstream. Rules are not among them: the cassette may have them.
    var givenForRecording: [String] {
        [
            (upstreamCa != nil, "--upstream-ca"), (connectTimeout != nil, "--connect-timeout"),
            (readTimeout != nil, "--read-timeout"), (recordInCi, "--record-in-ci"),
            (redaction.noDefaultRedaction, "--no-default-redaction"), (keepCut, "--keep-cut"),
            (!allowOrigin.isEmpty, "--allow-origin"),
        ].filter(\.0).map(\.1)
    }

    func apply(to configuration: inout MockServerConfiguration) throws {
        if let connectTimeout { configuration.upstream.connectTimeout = .seconds(connectTimeout) }
        if let readTimeout { configuration.upstream.readTimeout = .seconds(readTimeout) }
        configuration.upstream.trustedCertificates = upstreamCa
        configuration.recordsInCI = recordInCi
        configuration.keepsCutAnswers = keepCut
        configuration.allowedOrigins = allowOrigin
        configuration.redact += try redaction.rules.map { RedactionTarget($0) }
        configuration.redactsByDefault = !redaction.noDefaultRedaction
        configuration.rules = try rules.rules.map { MatchRule($0) }
    }
}

extension RecordMode: ExpressibleByArgument {}

extension Playback: ExpressibleByArgument {}
