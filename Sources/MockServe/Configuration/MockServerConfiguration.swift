import MockServeCore
public import NIOCore

/// What a server does and where it listens.
///
/// Make one with ``replay(_:)``, ``record(_:upstream:mode:)`` or ``responding(with:)``, then change what should differ
/// from the defaults:
///
/// ```swift
/// var configuration = MockServerConfiguration.replay("cassettes/users.cassette")
/// configuration.listen = .address("::1")
/// ```
///
/// The environment may say some of it: `MOCKSERVE_MODE`, `MOCKSERVE_UPSTREAM`, `MOCKSERVE_PLAYBACK`, `MOCKSERVE_SPEED` and others are
/// stronger than the defaults, and weaker than what code says.
public struct MockServerConfiguration: Sendable {
    enum Service: Sendable {
        case replay(path: String)
        case record(path: String, upstreams: [(name: String, url: String)], mode: RecordMode)
        case responder(any Responder)
    }

    private(set) var service: Service

    /// Whether it may record.
    package var records: Bool { mode != nil && mode != .replay }

    /// What is recorded; nil if there is no question of that.
    package internal(set) var mode: RecordMode? {
        get { if case .record(_, _, let mode) = service { mode } else { nil } }
        set {
            guard let newValue, case .record(let path, let upstreams, _) = service else { return }
            service = .record(path: path, upstreams: upstreams, mode: newValue)
        }
    }

    /// Names and URLs of the servers recorded from.
    package internal(set) var upstreams: [(name: String, url: String)] {
        get { if case .record(_, let upstreams, _) = service { upstreams } else { [] } }
        set {
            guard case .record(let path, _, let mode) = service else { return }
            service = .record(path: path, upstreams: newValue, mode: mode)
        }
    }

    /// Who said a setting, by its name, if it is not the default.
    var sources: [String: String] = [:]
    /// What of the environment makes no sense; nil if all is well.
    var environmentProblem: String?

    /// Where to listen. Default: `127.0.0.1`, on a port the operating system picks.
    public var listen: ListenAddress = .loopback

    /// Threads that serve; the server does not shut them down. Default: those that all servers of the process share, one for each
    /// processor that the process may use.
    public var eventLoopGroup: (any EventLoopGroup)?

    /// Whether other servers, of this process or of others of the same user, may listen on the same port at the same time
    /// (`SO_REUSEPORT`): the operating system shares the connections out. Each has a replay position of its own. All of them
    /// must ask for it, and name the port. Default: false.
    public var sharesPort = false

    /// What is answered by handlers of your own, before anything is replayed, recorded or forwarded: replay, but this one endpoint is
    /// mine. Such requests count neither as replayed nor as missed, and are not recorded. Default: nothing.
    ///
    /// ```swift
    /// var configuration = MockServerConfiguration.replay("cassettes/shop.cassette")
    /// configuration.routes.post("/charges") { _ in .json(#"{"error": "card_declined"}"#, status: 402) }
    /// ```
    public var routes = Router()

    /// How fast recorded timing is replayed: 0 sends everything at once (the default), 1 keeps the recorded gaps, 2 halves
    /// them.
    public var speed: Double = 0

    /// Which of several recorded answers to the same request is given. Default: ``Playback/timeline``.
    public var playback: Playback = .timeline

    /// Whether the upstream's origin is replaced by the server's own in what the client sees, and back in what it sends:
    /// in fields such as `Location`, in cookies' `Domain` and `Secure`, and in text bodies. Default: true.
    public var mapsOrigins = true

    /// Status of the answer to a request that nothing recorded matches. Default: 404, which SDKs do not retry.
    public var missStatus = 404

    /// What matching leaves out, takes in or replaces when this server records; kept in the cassette, so that every replay
    /// of it does the same. A cassette that is replayed must have them already: otherwise starting fails with
    /// ``MockServeError/Code/invalidConfiguration``, and the message says how to add them. Default: none.
    public var rules: [CassetteRule] = []

    /// Whether a scope fails if a request came that nothing recorded matches, even if the code under test swallowed the
    /// answer: ``withMockServer(_:_:)-(_,(MockServer)asyncthrows->Result)`` then throws
    /// ``MockServeError/Code/unmatchedRequests``, unless its body has thrown. Default: true.
    public var failsOnMisses = true

    /// What is to be redacted in addition to what is by default, in both directions, before anything is written. A cassette that is
    /// replayed must have it among its rules already, but for declared secrets.
    public var redact: [RedactionTarget] = []

    /// Whether well-known secrets are redacted when this server records: credentials in fields, cookies, tokens and passwords
    /// in queries, forms and JSON, keys of known shapes. Kept in the cassette; one that has it is not recorded into without. Default:
    /// true.
    public var redactsByDefault = true

    /// Whether clients that are replayed to get declared secrets instead of their placeholders. Default: false.
    public var givesSecretsBack = false

    /// What becomes of a scope that did not use every recorded interaction. Default: ``UnusedPolicy/ignore``.
    public var unused = UnusedPolicy.ignore

    /// Bytes of memory for what is replayed: answers that are kept ready, for all threads that serve, and pages of the cassette. The
    /// memory of a server depends on it, not on the size of the cassette or the number of threads. Default: 80 MiB.
    public var cacheSize = 80 << 20

    /// How much of what it was asked the server remembers (``MockServer/journal``).
    public var journalLimits = JournalLimits()

    /// A file to which every request and what became of it is added, one JSON object a line. Default: none.
    public var journalFile: String?

    /// How old what is kept of a cassette may be before the file is asked whether it has changed.
    package var freshness: Duration = .milliseconds(1)

    /// Whether an event loop opens the cassette itself, and waits: for measuring without threads.
    package var opensOnLoop = false

    /// A file that gets the misses of this server, if there are any, instead of those of an earlier one.
    package var missFile: String?

    /// A file to which the interactions that were used are added when the server stops, for `mockserve cassette unused`. Any
    /// number of servers may share one. Default: none.
    public var coverageFile: String?

    /// Names by which clients may address this server in `Host`, in addition to loopback, the address it listens on, and its upstreams;
    /// `*` for any. Others are refused with `421`: otherwise a web page could reach the server by a name that it resolves to this
    /// machine (DNS rebinding). Default: none.
    public var allowedHosts: [String] = []

    /// Web origins whose pages may make a server that forwards send requests, in addition to loopback and its own
    /// (`https://app.example.com`, `null`; `*` for any). Requests that name another one in `Origin` are refused with `403`.
    /// Default: none.
    public var allowedOrigins: [String] = []

    /// Whether an answer that the upstream did not complete is recorded, and replayed as it was cut. If not, it is reported and
    /// not recorded. The client gets what came of it in both cases. Default: false.
    public var keepsCutAnswers = false

    /// How long stopping waits for exchanges under way. Default: 5 seconds.
    public var stopDeadline: Duration = .seconds(5)

    /// Whether to record even where the environment variable `CI` is set. Default: false.
    public var recordsInCI = false

    /// Whether what was recorded is kept when the body of the scope throws. Default: false.
    public var keepsFailedEpisodes = false

    /// How upstreams are reached while recording.
    public var upstream = UpstreamOptions()

    /// How much of a request is accepted before it is refused.
    public var limits = RequestLimits()

    /// Told of misses and failures as they happen, from any thread. Default: nobody.
    public var observer: (@Sendable (ServerEvent) -> Void)?

    /// For what is shown and noted; nil if nothing is to be redacted.
    var redactor: Redactor? {
        // A rule that makes no sense is told of where it is to be kept.
        let rules = redact.compactMap { try? $0.rule.get().redaction }
        let standard = redactsByDefault ? [RedactionRule.catalog(RedactionCatalog.version)] : []
        return Redactor.for(standard + rules, secrets: redact.compactMap(\.secret))
    }

    private init(_ service: Service) {
        self.service = service
        followEnvironment(isCommandLine: false)
    }

    /// Answers from a cassette, offline.
    ///
    /// - Parameter path: the cassette file.
    public static func replay(_ path: String) -> MockServerConfiguration {
        MockServerConfiguration(.replay(path: path))
    }

    /// Forwards to an upstream and records what it answers; depending on `mode`, replays what was recorded before.
    ///
    /// - Parameters:
    ///   - path: the cassette file; it is created if there is none.
    ///   - upstream: the origin of the real service, `http://host[:port]` or `https://host[:port]`.
    ///   - mode: what to record. Default: what the environment variable `MOCKSERVE_MODE` says, otherwise ``RecordMode/once``.
    public static func record(
        _ path: String,
        upstream: String,
        mode: RecordMode? = nil
    ) -> MockServerConfiguration {
        record(path, upstreams: [("default", upstream)], mode: mode)
    }

    /// Forwards to several upstreams, each with a port of its own, and records them into one cassette.
    ///
    /// - Parameters:
    ///   - upstreams: names and origins; find each one's address with ``MockServer/url(for:)``. The first one's is
    ///     ``MockServer/url``. None: those of the environment variable `MOCKSERVE_UPSTREAM`, `[NAME=]URL` separated by commas.
    ///   - mode: what to record. Default: what the environment variable `MOCKSERVE_MODE` says, otherwise ``RecordMode/once``.
    public static func record(
        _ path: String,
        upstreams: [(name: String, url: String)],
        mode: RecordMode? = nil
    ) -> MockServerConfiguration {
        var configuration = MockServerConfiguration(.record(path: path, upstreams: [], mode: .once))
        if let mode {
            configuration.mode = mode
            configuration.sources["mode"] = "call"
        }
        if !upstreams.isEmpty {
            configuration.upstreams = upstreams
            configuration.sources["upstream"] = "call"
        }
        return configuration
    }

    /// Runs a handler of your own.
    public static func responding(with responder: any Responder) -> MockServerConfiguration {
        MockServerConfiguration(.responder(responder))
    }
}
