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
public struct MockServerConfiguration: Sendable {
    enum Service: Sendable {
        case replay(path: String)
        case record(path: String, upstreams: [(name: String, url: String)], mode: RecordMode)
        case responder(any Responder)
    }

    let service: Service

    /// Whether it may record.
    package var records: Bool { if case .record = service { true } else { false } }

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
    public var rules: [MatchRule] = []

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
    ///   - mode: what to record. Default: ``RecordMode/once``.
    public static func record(
        _ path: String,
        upstream: String,
        mode: RecordMode = .once
    ) -> MockServerConfiguration {
        record(path, upstreams: [("default", upstream)], mode: mode)
    }

    /// Forwards to several upstreams, each with a port of its own, and records them into one cassette.
    ///
    /// - Parameter upstreams: names and origins; find each one's address with ``MockServer/url(for:)``. The first one's is
    ///   ``MockServer/url``.
    public static func record(
        _ path: String,
        upstreams: [(name: String, url: String)],
        mode: RecordMode = .once
    ) -> MockServerConfiguration {
        MockServerConfiguration(.record(path: path, upstreams: upstreams, mode: mode))
    }

    /// Runs a handler of your own.
    public static func responding(with responder: any Responder) -> MockServerConfiguration {
        MockServerConfiguration(.responder(responder))
    }
}

/// Which of several recorded answers to the same request is given. Every scope begins at the beginning.
public enum Playback: String, Sendable, CaseIterable {
    /// In order, the last one stays; and a write (any method that is not safe, RFC 9110 §9.2.1) moves time forward: reads
    /// are answered from what was recorded between the last write that was answered and the next one, however often they were
    /// polled before.
    case timeline
    /// In order, and the last one stays, whatever is written meanwhile.
    case sequence
    /// Each answer once; after the last comes a miss.
    case once
    /// In order, and again from the first.
    case cycle
    /// Always the first.
    case first
    /// All requests must come in the recorded order; any other is a miss.
    case strict

    var mode: PlaybackMode {
        switch self {
        case .timeline: .timeline
        case .sequence: .sequence
        case .once: .once
        case .cycle: .cycle
        case .first: .first
        case .strict: .strict
        }
    }
}

/// What becomes of a scope that did not use every recorded interaction.
public enum UnusedPolicy: Sendable {
    /// Nothing.
    case ignore
    /// It throws ``MockServeError/Code/unusedInteractions`` when it ends, unless there is another error.
    case fail
}

/// What a recording server records.
public enum RecordMode: String, Sendable, CaseIterable {
    /// Records if the cassette has no interactions yet; otherwise replays it and touches no upstream.
    case once
    /// Replays what was recorded before and records the rest.
    case missing
    /// Records everything. When the scope ends well, new answers take the place of older ones to the same requests.
    case all
    /// Records everything. When the scope ends well, and anything was recorded, it takes the place of all that was recorded before;
    /// rules and answers written by hand stay.
    case rewrite
    /// Forwards everything and records nothing.
    case passthrough
}

/// Where a server listens.
public struct ListenAddress: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case address(host: String, port: Int)
        case socket(CInt)
    }

    let kind: Kind

    /// `127.0.0.1`, on a port the operating system picks.
    public static let loopback = address("127.0.0.1")

    /// An IPv4 or IPv6 address or a name, and a port; 0 lets the operating system pick one. With several upstreams the
    /// port is the first one's; the others get ports that the operating system picks.
    public static func address(_ host: String, port: Int = 0) -> ListenAddress {
        ListenAddress(kind: .address(host: host, port: port))
    }

    /// The name that was given, if it was one.
    var names: [String] {
        if case .address(let host, _) = kind { [host] } else { [] }
    }

    /// A TCP socket the caller has bound. The server takes it over, listens on it and closes it.
    public static func socket(_ descriptor: CInt) -> ListenAddress {
        ListenAddress(kind: .socket(descriptor))
    }
}

/// How upstreams are reached.
public struct UpstreamOptions: Sendable, Equatable {
    /// How long a connection, with its TLS handshake, may take. Default: 10 seconds.
    public var connectTimeout: Duration = .seconds(10)

    /// How long an upstream may send nothing while an answer is awaited; it may take nothing of an upload four times as long. Default: 60
    /// seconds.
    public var readTimeout: Duration = .seconds(60)

    /// A PEM file of certificates to trust in addition to the system's.
    public var trustedCertificates: String?

    /// Whether `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of the environment are honoured. Default: true.
    public var usesEnvironmentProxies = true

    /// The defaults.
    public init() {}
}

/// How much of a request is accepted before it is refused with a 4xx and the connection closed.
public struct RequestLimits: Sendable, Equatable {
    /// Bytes of the request line; over it, `414`. Default: 16 KiB.
    public var startLine = 16 << 10
    /// Bytes of all fields; over it, `431`. Default: 256 KiB.
    public var fieldSection = 256 << 10
    /// Number of fields; over it, `431`. Default: 1,000.
    public var fieldCount = 1000
    /// Bytes of a chunk-size line; over it, `400`. Default: 4 KiB.
    public var chunkLine = 4 << 10
    /// How long a request head may take from its first byte; over it, `408`. Default: 30 seconds.
    public var headTimeout: Duration = .seconds(30)
    /// How long a client may send nothing in the middle of a request body, over it `408`, or read nothing of an answer, over it
    /// the connection is cut. Default: 5 minutes.
    public var stallTimeout: Duration = .seconds(300)
    /// How long a connection may be idle between requests before it is closed. Default: 10 minutes.
    public var idleTimeout: Duration = .seconds(600)
    /// Bytes of a body that a ``Responder`` is given; over it, `413`. Recording and replaying have no such limit.
    /// Default: 16 MiB.
    public var responderBody = 16 << 20

    /// The defaults.
    public init() {}
}
