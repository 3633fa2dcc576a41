import CassetteStore
public import Foundation
import HTTPMessages
import MockServeCore
package import NIOCore
import NIOPosix
import Synchronization

/// A server in the background: one scope, from start to stop, with its own port and its own replay position.
///
/// Prefer ``withMockServer(_:_:)-87hwo``, which always stops the server. After
/// ``start(_:)-9kzii`` you must stop it yourself:
///
/// ```swift
/// let server = try MockServer.start(.replay("cassettes/users.cassette"))
/// defer { try? server.stop() }
/// ```
///
/// Any number of servers may run in one process. By default they share their threads
/// (``MockServerConfiguration/eventLoopGroup``).
public final class MockServer: Sendable {
    /// Base URL, without a slash at the end: `http://127.0.0.1:49152`, or `https://…` if the server demands TLS
    /// (``MockServerConfiguration/tls``).
    public let url: URL
    /// The port that the server listens on.
    public let port: Int
    /// Whether requests are forwarded to an upstream and recorded.
    public let isRecording: Bool

    let listeners: [Listener]
    private let names: [String]
    let service: RunningService
    let registry: ConnectionRegistry
    let stopDeadline: Duration
    private let stopping = Mutex<EventLoopFuture<Void>?>(nil)
    private let keepsEpisode = Mutex(true)

    private init(
        listeners: [Listener],
        service: RunningService,
        registry: ConnectionRegistry,
        configuration: MockServerConfiguration
    ) throws {
        guard let first = listeners.first, let url = URL(string: first.origin.description) else {
            throw MockServeError(.invalidConfiguration, "There is nothing to listen for.")
        }
        self.url = url
        port = first.origin.port
        self.listeners = listeners
        self.service = service
        self.registry = registry
        names = service.upstreams.map(\.name)
        isRecording = service.writer != nil
        stopDeadline = configuration.stopDeadline
        trustsAnyUpstream = service.client != nil && configuration.upstream.trustsAnyone
    }

    // MARK: Starting

    /// Starts a server. When this returns, connections are accepted.
    ///
    /// - Throws: ``MockServeError`` if the configuration is invalid, the address cannot be bound, the cassette cannot
    ///   be opened, or recording is refused.
    public static func start(_ configuration: MockServerConfiguration) async throws -> MockServer {
        // Opening a cassette takes time, and may wait for other processes.
        let service = try await NIOThreadPool.singleton.runIfActive { try RunningService(configuration) }
        return try await launch(configuration, service).get()
    }

    /// Starts a server and blocks until connections are accepted. Not for use on an event loop.
    ///
    /// - Throws: ``MockServeError``, like the asynchronous variant.
    @available(*, noasync, message: "Use `try await MockServer.start(_:)`.")
    public static func start(_ configuration: MockServerConfiguration) throws -> MockServer {
        let service = try RunningService(configuration)
        return try launch(configuration, service).wait()
    }

    /// SwiftNIO's shared threads, or fewer if this process may use fewer processors.
    private static let standardGroup: MultiThreadedEventLoopGroup = {
        let usable = Processors.usable
        return usable < System.coreCount ? MultiThreadedEventLoopGroup(numberOfThreads: usable) : .singleton
    }()

    static func group(_ configuration: MockServerConfiguration) -> any EventLoopGroup {
        configuration.eventLoopGroup ?? standardGroup
    }

    private static func launch(
        _ configuration: MockServerConfiguration,
        _ service: RunningService
    ) -> EventLoopFuture<MockServer> {
        let group = group(configuration)
        let registry = ConnectionRegistry()
        let eventLoop = group.any()
        let setup = ConnectionSetup(configuration, service)
        let listeners = service.listenAddresses(configuration.listen).enumerated().map { index, address in
            Listener.start(
                address,
                scheme: configuration.demandsTLS ? .https : .http,
                sharesPort: configuration.sharesPort,
                group: group,
                registry: registry
            ) { channel, origin in try setup.begin(channel, origin, listener: index) }
        }
        return EventLoopFuture.whenAllComplete(listeners, on: eventLoop).flatMapThrowing { results in
            do {
                let bound = try results.map { try $0.get() }
                service.table.setListeners(bound.map(\.origin))
                return try MockServer(
                    listeners: bound,
                    service: service,
                    registry: registry,
                    configuration: configuration
                )
            } catch {
                for case .success(let listener) in results { listener.channel.close(promise: nil) }
                throw error
            }
        }
        .flatMapError { error in
            // Errors of the cleanup are ignored: they follow from this one.
            service.end(on: eventLoop, keeping: false, deadline: .now()).flatMapErrorThrowing { _ in }
                .flatMapThrowing { throw error }
        }
    }

    /// Makes a channel answer like a connection of a server on `127.0.0.1`, to measure without sockets.
    ///
    /// - Returns: a function that closes the channel.
    package static func addHandlers(
        _ configuration: MockServerConfiguration,
        to channel: any Channel
    ) throws -> () throws -> Void {
        let service = try RunningService(configuration)
        let origin = Origin(scheme: .http, host: "127.0.0.1", port: 80)
        service.table.setListeners([origin])
        try ConnectionSetup(configuration, service).begin(channel, origin, listener: 0)
        return { try channel.close().wait() }
    }

    // MARK: Asking

    /// The base URL for the upstream with this name; nil if there is none.
    public func url(for upstream: String) -> URL? {
        guard let index = names.firstIndex(of: upstream) else { return nil }
        return URL(string: listeners[index].origin.description)
    }

    /// What a client must trust to speak TLS with the server, which it may do in any case; nil if the server has a
    /// certificate of your own (``CertificateOptions/certificateFile``). A new one for every server, unless
    /// ``CertificateOptions/authorityFile`` is set.
    ///
    /// - Throws: an error of the cryptographic library, which is not to be expected.
    public var certificateAuthority: CertificateAuthority? {
        get throws { try service.tls.authority }
    }

    /// The IP address that the server listens on.
    package var listenHost: String { listeners.first?.channel.localAddress?.ipAddress ?? "" }

    /// Whether other machines may reach the server: it listens on an address other than loopback.
    public var isReachableFromElsewhere: Bool {
        listeners.contains { !HostPolicy.isLoopback($0.channel.localAddress?.ipAddress ?? "") }
    }

    /// Whether it forwards to upstreams whose certificates are not checked.
    package let trustsAnyUpstream: Bool

    /// The names of the upstreams, in the order of their listeners; empty for a handler of your own.
    public var upstreamNames: [String] { names }

    /// The requests so far, and what became of them.
    public var journal: Journal { service.journal.snapshot }

    /// Waits until requests that match a pattern have been answered. Earlier requests count too, if they are still in
    /// ``journal``.
    ///
    /// ```swift
    /// try await server.wait(for: "POST /events", count: 2)
    /// ```
    ///
    /// - Parameters:
    ///   - requests: a method and a path. `*` matches any method, and anything within one segment of the path; a
    ///     segment `**` matches any number of segments.
    ///   - count: how many requests.
    ///   - timeout: how long to wait.
    /// - Returns: the first `count` of these requests.
    /// - Throws: ``MockServeError``: ``MockServeError/Code/timedOut`` if they did not arrive in time,
    ///   ``MockServeError/Code/invalidConfiguration`` if the pattern is invalid; `CancellationError`.
    @discardableResult
    public func wait(
        for requests: String,
        count: Int = 1,
        timeout: Duration = .seconds(10)
    ) async throws -> [JournalEntry] {
        let promise = try waiting(for: requests, count: count, timeout: timeout)
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }

    /// Like the asynchronous variant, but blocks. Not for use on an event loop.
    @available(*, noasync, message: "Use `try await server.wait(for:)`.")
    @_disfavoredOverload
    @discardableResult
    public func wait(for requests: String, count: Int = 1, timeout: Duration = .seconds(10)) throws -> [JournalEntry] {
        try waiting(for: requests, count: count, timeout: timeout).futureResult.wait()
    }

    private func waiting(
        for requests: String,
        count: Int,
        timeout: Duration
    ) throws -> EventLoopPromise<[JournalEntry]> {
        let pattern = try RequestPattern(asked: requests)
        let eventLoop = listeners[0].channel.eventLoop
        return service.journal.entries(of: pattern, count: count, timeout: TimeAmount(timeout), on: eventLoop)
    }

    /// Requests without a recorded answer, the first 1,000 of them.
    public var misses: [Miss] { service.journal.summary.misses }

    /// Number of requests without a recorded answer.
    public var missCount: Int { service.journal.summary.missCount }

    /// Recorded interactions that have not been used so far, as number, method and target; the first 1,000 of them.
    /// Reads through the cassette. Empty if nothing is replayed.
    ///
    /// - Throws: ``MockServeError`` if the cassette cannot be read.
    public var unused: [String] {
        get throws { try unusedInteractions().first }
    }

    /// When the first interaction of the cassette was recorded, for tests that set their clocks to it; nil if there is
    /// none.
    ///
    /// - Throws: ``MockServeError`` if the cassette cannot be read.
    public var recordedAt: Date? {
        get throws { try service.recordedAt() }
    }

    /// Looks through the cassette on another thread, if that is asked for.
    package func unusedInteractions(if isAsked: Bool) async -> Result<UnusedInteractions, any Error> {
        guard isAsked else { return .success(UnusedInteractions()) }
        do {
            return .success(try await NIOThreadPool.singleton.runIfActive { try self.unusedInteractions() })
        } catch {
            return .failure(error)
        }
    }

    package func unusedInteractions() throws -> UnusedInteractions {
        guard let replayer = service.replayer else { return UnusedInteractions() }
        do {
            return try replayer.unused(limit: ScopeJournal.limit)
        } catch let error as CassetteError {
            throw MockServeError(error)
        }
    }

    /// Throws what a scope that ended well still fails with: misses, or unused interactions.
    func verify(_ configuration: MockServerConfiguration, unused: UnusedInteractions) throws {
        if configuration.failsOnMisses, let first = misses.first {
            let others = missCount == 1 ? "" : "\n\(Counted.text(missCount - 1, "more request")) had no answer."
            throw MockServeError(.unmatchedRequests, first.explanation + others)
        }
        if configuration.unused == .fail, unused.count > 0 {
            throw MockServeError(.unusedInteractions, unused.list(10))
        }
    }

    /// Number of interactions recorded so far.
    public var recordedCount: Int { service.journal.summary.recorded }

    /// Number of answers recorded so far that the upstream did not complete
    /// (``MockServerConfiguration/keepsCutAnswers``).
    public var recordedCutCount: Int { service.journal.summary.cut }

    /// How many secrets were replaced in what was recorded so far, by kind.
    public var redactedCounts: [String: Int] { service.journal.summary.redacted }

    /// Whether more secrets were met than can be remembered, so that later ones were replaced only where their names or
    /// shapes tell.
    package var hasForgottenSecrets: Bool { service.journal.secrets.learned?.isFull ?? false }

    /// Names that are near to those of secrets, but whose values were left alone because they look like none.
    package var sparedNames: [String] { service.journal.secrets.learned?.spared ?? [] }

    /// Number of requests answered from the cassette.
    public var replayedCount: Int { service.journal.summary.answered }

    /// Number of answers out of the recorded order, which may not be what the client expects: they were recorded before
    /// a write that was already answered, or after one that has not been requested yet. ``JournalEntry/remark`` says
    /// which.
    public var departureCount: Int { service.journal.summary.departures }

    /// How many of the recorded interactions were there already, and have not changed. Known when it has stopped.
    package var unchangedCount: Int { service.journal.summary.unchanged }

    /// How many requests stubs of the cassette have answered.
    package var stubbedCount: Int { service.journal.summary.stubbed }

    /// The first answer out of the recorded order, in one line.
    package var firstDeparture: String? { service.journal.summary.firstDeparture }

    /// Requests that differ only in redacted values but were answered differently, a line each; known once a recording
    /// has ended. A replay answers them in the recorded order.
    public var likenesses: [String] { service.journal.summary.likenesses }

    /// Exchanges that could not be answered, forwarded or recorded, a line each, the first 1,000 of them.
    public var failures: [String] { service.journal.summary.failures }

    /// Number of exchanges that could not be answered, forwarded or recorded.
    public var failureCount: Int { service.journal.summary.failureCount }

    /// Number of connections to upstreams that could not be made.
    package var failedConnectionCount: Int { service.client?.failedConnectionCount ?? 0 }

    /// Goes back to the start of the recording: from now on, requests are answered as in a new scope. The journal goes
    /// on.
    ///
    /// - Returns: false if this server records, or replays nothing.
    @discardableResult
    package func rewind() -> Bool {
        guard let replayer = service.replayer, service.writer == nil else { return false }
        replayer.rewind()
        return true
    }

    // MARK: Stopping

    /// Makes the server drop what it recorded when it stops, because the code that used it failed.
    package func dropEpisode() { keepsEpisode.withLock { $0 = false } }

    /// Begins to stop: accepts no new connections, and lets exchanges under way finish until the deadline. Every caller
    /// gets the same future.
    @discardableResult
    func beginStop() -> EventLoopFuture<Void> {
        stopping.withLock { stopping in
            if let stopping { return stopping }
            let future = stopFuture()
            stopping = future
            return future
        }
    }

    private func stopFuture() -> EventLoopFuture<Void> {
        let eventLoop = listeners[0].channel.eventLoop
        let deadline = NIODeadline.now() + TimeAmount(stopDeadline)
        let service = service
        return drain().flatMap {
            service.end(on: eventLoop, keeping: self.keepsEpisode.withLock { $0 }, deadline: deadline)
        }
    }

    /// Stops the server. When this returns, everything is closed and written. Stopping twice is fine.
    ///
    /// - Throws: ``MockServeError``: ``MockServeError/Code/cassetteUnwritable`` if the cassette lacks some or all of
    ///   what was recorded; also if the coverage file cannot be written.
    public func stop() async throws {
        try await beginStop().get()
    }

    /// Stops the server and blocks until everything is closed and written. Not for use on an event loop. Stopping twice
    /// is fine.
    ///
    /// - Throws: like the asynchronous variant. Without a recording or a coverage file it throws nothing:
    ///   `defer { try? server.stop() }`.
    @available(*, noasync, message: "Use `try await server.stop()`.")
    @_disfavoredOverload
    public func stop() throws {
        try beginStop().wait()
    }

    deinit {
        guard stopping.withLock({ $0 == nil }) else { return }
        let text =
            "mockserve: a server on \(url.absoluteString) was dropped without being stopped: it goes on, and what it records is not ended.\n"
        FileHandle.standardError.write(Data(text.utf8))
    }
}
