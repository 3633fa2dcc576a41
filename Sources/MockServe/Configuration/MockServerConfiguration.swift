package import MockServeCore
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
/// Some settings can also come from the environment, such as `MOCKSERVE_MODE`, `MOCKSERVE_UPSTREAM`,
/// `MOCKSERVE_PLAYBACK` and `MOCKSERVE_SPEED`. They override the defaults, and code overrides them. A handler of your own follows
/// none of them.
public struct MockServerConfiguration: Sendable {
    enum Service: Sendable {
        case replay(path: String)
        case record(path: String, upstreams: [(name: String, url: String)], mode: RecordMode)
        case responder(any Responder)
    }

    private(set) var service: Service

    /// Whether it may forward requests to an upstream.
    package var records: Bool { mode != nil && mode != .replay }

    /// The recording mode; nil for a replay or a handler.
    package internal(set) var mode: RecordMode? {
        get { if case .record(_, _, let mode) = service { mode } else { nil } }
        set {
            guard let newValue, case .record(let path, let upstreams, _) = service else { return }
            service = .record(path: path, upstreams: upstreams, mode: newValue)
        }
    }

    /// Names and URLs of the upstreams.
    package internal(set) var upstreams: [(name: String, url: String)] {
        get { if case .record(_, let upstreams, _) = service { upstreams } else { [] } }
        set {
            guard case .record(let path, _, let mode) = service else { return }
            service = .record(path: path, upstreams: newValue, mode: mode)
        }
    }

    /// Where each setting that is not a default comes from, by the setting's name.
    var sources: [String: String] = [:]
    /// The first invalid setting in the environment; nil if all are valid.
    var environmentProblem: String?

    /// Where to listen. Default: `127.0.0.1`, on a port the operating system picks.
    public var listen: ListenAddress = .loopback

    /// The threads that serve; the server does not shut them down. Default: threads that all servers of the process
    /// share, one for each processor that the process may use.
    public var eventLoopGroup: (any EventLoopGroup)?

    /// Whether other servers of the same user, in this process or others, may listen on the same port at the same time
    /// (`SO_REUSEPORT`). The operating system distributes the connections. Each server has its own replay position. All
    /// of them must set this, and name the port. Default: false.
    public var sharesPort = false

    /// Whether clients must speak TLS: ``MockServer/url`` begins with `https`, and requests without TLS are refused. A client
    /// may speak TLS in any case. Default: false.
    public var tls = false

    /// The certificates of the server.
    public var certificates = CertificateOptions()

    /// Whether requests without TLS are refused. Without it, nobody can show a certificate.
    var demandsTLS: Bool { tls || certificates.clientAuthoritiesFile != nil }

    /// Handlers of your own, which answer before anything is replayed, recorded or forwarded: for example, to replay
    /// all endpoints but one. Requests that they answer count neither as replayed nor as missed, and are not recorded.
    /// Default: none.
    ///
    /// ```swift
    /// var configuration = MockServerConfiguration.replay("cassettes/shop.cassette")
    /// configuration.routes.post("/charges") { _ in .json(#"{"error": "card_declined"}"#, status: 402) }
    /// ```
    public var routes = Router()

    /// How fast recorded timing is replayed: 0 sends everything at once (the default), 1 keeps the recorded gaps, 2
    /// halves them.
    public var speed: Double = 0

    /// Which of several recorded answers to the same request is used. Default: ``Playback/timeline``.
    public var playback: Playback = .timeline

    /// Whether the server's own origin replaces the upstream's in answers, and the upstream's replaces it in requests:
    /// in fields such as `Location`, in the `Domain` and `Secure` of cookies, and in text bodies. Default: true.
    public var mapsOrigins = true

    /// Status of the answer to a request without a recorded one. Default: 404, which SDKs do not retry.
    public var missStatus = 404

    /// Rules for matching and playback, used when this server records. They are kept in the cassette, so every replay
    /// of it follows them too. A replayed cassette must have them already: otherwise starting fails with
    /// ``MockServeError/Code/invalidConfiguration``, and the message says how to add them. Default: none.
    public var rules: [CassetteRule] = []

    /// Whether a scope fails if a request had no recorded answer, even if the code under test ignored that:
    /// ``withMockServer(_:_:)-87hwo`` then throws
    /// ``MockServeError/Code/unmatchedRequests``, unless its body has thrown. Default: true.
    public var failsOnMisses = true

    /// What to redact in addition to the default, in both directions, before anything is written. A replayed cassette
    /// must have these among its rules already, except for declared secrets.
    public var redact: [RedactionTarget] = []

    /// Whether well-known secrets are redacted when this server records: credentials in fields, cookies, tokens and
    /// passwords in queries, forms and JSON, keys of known formats. This becomes a rule of the cassette; recording into
    /// a cassette that has the rule fails if this is false. Default: true.
    public var redactsByDefault = true

    /// Whether a replay gives clients declared secrets instead of their placeholders. Default: false.
    public var givesSecretsBack = false

    /// What happens to a scope that did not use every recorded interaction. Default: ``UnusedPolicy/ignore``.
    public var unused = UnusedPolicy.ignore

    /// Bytes of memory for a replay: for answers that are kept ready, shared by all threads that serve, and for pages
    /// of the cassette. It does not grow with the cassette or the number of threads. Default: 80 MiB.
    public var cacheSize = 80 << 20

    /// How much of its requests the server remembers (``MockServer/journal``).
    public var journalLimits = JournalLimits()

    /// A file to which every request and what became of it is added, one JSON object per line. Default: none.
    public var journalFile: String?

    /// Faults that the server begins with, in addition to those of the cassette.
    package var faults: [Rule] = []

    /// What a miss says about how to record; nil for the command `mockserve`.
    package var recordCommand: String?

    /// The file or folder of another tool that the cassette was imported from, for as long as the server runs.
    package var importedFrom: String?

    /// Whether a recording goes into a copy, which replaces the cassette at a good end if anything was recorded.
    package var replacesAtEnd = false

    /// Whether a replay starts although there is no cassette: then every request is a miss.
    package var startsWithoutCassette = false

    /// How long kept content of a cassette may be used before the file is checked for changes.
    package var freshness: Duration = .milliseconds(1)

    /// Whether an event loop opens the cassette itself, and waits for that: for measuring without threads.
    package var opensOnLoop = false

    /// A file that is replaced by the misses of this server, if there are any.
    package var missFile: String?

    /// A file to which the interactions that were replayed or recorded are added when the server stops, for
    /// `mockserve cassette unused`. Any number of servers may share one. Default: none.
    public var coverageFile: String?

    /// Host names under which clients may address this server, in addition to loopback, the address it listens on, and
    /// its upstreams; `*` for any. Requests with another `Host` are refused with `421`: otherwise a web page could
    /// reach the server under a name that it resolves to this machine (DNS rebinding). Default: none.
    public var allowedHosts: [String] = []

    /// Web origins whose pages may have requests forwarded, in addition to loopback and the server's own
    /// (`https://app.example.com`, `null`; `*` for any). Requests with another `Origin` are refused with `403`.
    /// Default: none.
    public var allowedOrigins: [String] = []

    /// Whether an answer that the upstream did not complete is recorded, and replayed as it was cut. If not, it is
    /// reported, but not recorded. In both cases the client gets what arrived of it. Default: false.
    public var keepsCutAnswers = false

    /// How long stopping waits for exchanges under way. Default: 5 seconds.
    public var stopDeadline: Duration = .seconds(5)

    /// Whether to record even if the environment variable `CI` is set. Default: false.
    public var recordsInCI = false

    /// Whether what was recorded is kept when the body of the scope throws. Default: false.
    public var keepsFailedEpisodes = false

    /// How upstreams are reached while recording.
    public var upstream = UpstreamOptions()

    /// How much of a request is accepted before it is refused.
    public var limits = RequestLimits()

    /// Called with misses and failures as they happen, on any thread. Default: none.
    public var observer: (@Sendable (ServerEvent) -> Void)?

    /// Redacts what is shown and noted; nil if nothing is to be redacted.
    func redactor(_ secrets: KnownSecrets) -> Redactor? {
        // An invalid rule is reported where it would be kept.
        let rules = redact.compactMap { try? $0.rule.get().redaction }
        let standard = redactsByDefault ? [RedactionRule.catalog(RedactionCatalog.version)] : []
        return Redactor.for(standard + rules, secrets, isCurrent: true)
    }

    private init(_ service: Service) {
        self.service = service
        // What it says is about cassettes.
        if case .responder = service { return }
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
    ///   - mode: what to record. Default: the environment variable `MOCKSERVE_MODE`, otherwise ``RecordMode/once``.
    public static func record(
        _ path: String,
        upstream: String,
        mode: RecordMode? = nil
    ) -> MockServerConfiguration {
        record(path, upstreams: [("default", upstream)], mode: mode)
    }

    /// Forwards to several upstreams, each on a port of its own, and records them into one cassette.
    ///
    /// - Parameters:
    ///   - path: the cassette file; it is created if there is none.
    ///   - upstreams: names and origins. ``MockServer/url(for:)`` is the address for each of them, ``MockServer/url``
    ///     that for the first. If empty: those in the environment variable `MOCKSERVE_UPSTREAM`, `[NAME=]URL` separated
    ///     by commas.
    ///   - mode: what to record. Default: the environment variable `MOCKSERVE_MODE`, otherwise ``RecordMode/once``.
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
    ///
    /// - Parameter responder: called from many tasks at once.
    public static func responding(with responder: any Responder) -> MockServerConfiguration {
        MockServerConfiguration(.responder(responder))
    }
}
