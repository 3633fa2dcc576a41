import CassetteStore
import HTTPWire
import MockServeCore
import NIOCore
import NIOPosix
import Synchronization

/// Answers from a cassette. It has no way to reach an upstream.
final class Replayer: ExchangeResponder {
    /// What asks the replayer for the answers of one upstream.
    private let origins: [String]
    private let hasAnswersForAny: Bool
    private let hasVariants: Bool
    private let newest: Int64
    /// What of a request counts.
    let rules: RuleSet
    private let readers: ReaderPool
    private let served: ServedOrigins
    private let playback: Mutex<PlaybackState>
    let options: ReplayOptions
    let journal: ScopeJournal

    /// - Parameters:
    ///   - reader: an open reader of the cassette; taken over.
    ///   - newest: the newest interaction that is played: later ones are being recorded.
    init(
        _ reader: CassetteReader,
        upstreams: [Upstream],
        newest: Int64 = .max,
        served: ServedOrigins,
        options: ReplayOptions,
        journal: ScopeJournal
    ) throws {
        origins = upstreams.map(\.origin.description)
        hasAnswersForAny = try reader.hasAnswersForAnyUpstream()
        hasVariants = try reader.hasVariants()
        self.newest = newest
        rules = try reader.rules(secrets: options.secrets)
        readers = ReaderPool(reader)
        self.served = served
        self.options = options
        self.journal = journal
        playback = Mutex(PlaybackState(options.playback))
    }

    func respond(to exchange: Exchange) -> any ExchangeReceiver {
        if let problem = Problem.unsupported(exchange.request) { return Refusal(exchange, problem) }
        exchange.sendContinueIfExpected()
        return ReplayedExchange(exchange, map: served.map(for: exchange), replayer: self)
    }

    /// The interaction that answers a request, one step further on; nil for a miss.
    func next(_ key: MatchKeyBuilder, for exchange: Exchange) throws -> Interaction? {
        let reader = try reader(for: exchange)
        let origin = origins.isEmpty ? "" : origins[exchange.upstreamIndex]
        let recording = PlayedRecording(reader, last: newest)
        let mode = rules.playback(key.request)
        for candidate in key.candidates(origin: origin, orAny: hasAnswersForAny) {
            let candidate =
                try hasVariants
                ? recording.playbackKey(candidate, for: key.request) : PlaybackKey(candidate)
            // One step at a time: parallel requests never share an answer, or lose one.
            let number = try playback.withLock { playback in
                try playback.step(candidate, isWrite: !exchange.request.isSafe, by: mode, recording)
            }
            if let number { return try reader.interaction(number) }
        }
        return nil
    }

    /// Numbers of the interactions that were played.
    var used: Set<Int64> { playback.withLock { $0.used } }

    /// Interactions that were not played, in recording order: their count, and the first of them.
    func unused(limit: Int) throws -> UnusedInteractions {
        let used = used
        var unused = UnusedInteractions()
        try readers.readerForReports().eachNumber { number, method, target in
            guard number <= newest, !used.contains(number) else { return }
            unused.count += 1
            if unused.first.count < limit { unused.first.append("#\(number) \(method) \(target)") }
        }
        return unused
    }

    /// What there is to say of a request that nothing answers.
    func report(_ key: MatchKeyBuilder, for exchange: Exchange) -> EventLoopFuture<MissReport> {
        // What is shown is redacted, even if the cassette is not.
        let rules = rules.redacting(by: journal.redactor)
        let asked = key.compared(origin: origins.isEmpty ? "" : origins[exchange.upstreamIndex]).redacted(by: rules)
        let (readers, options) = (readers, options)
        return NIOThreadPool.singleton.runIfActive(eventLoop: exchange.eventLoop) {
            let reader = try readers.readerForReports()
            let nearest = try reader.nearMisses(to: asked, rules, limit: MissReport.nearestLimit)
            return MissReport(
                asked: asked,
                nearest: nearest,
                cassette: reader.path,
                playback: options.playback,
                status: options.missStatus
            )
        }
    }

    func reader(for exchange: Exchange) throws -> CassetteReader {
        try readers.reader(for: exchange.eventLoop)
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        readers.close()
        return eventLoop.makeSucceededVoidFuture()
    }
}

/// Recorded interactions that a scope did not ask for.
package struct UnusedInteractions: Sendable {
    package var count = 0
    /// Number, method and target, a line each.
    package var first: [String] = []

    package init() {}
}

/// How answers are played.
struct ReplayOptions: Sendable {
    /// As `MockServerConfiguration.speed`.
    var speed: Double
    /// As `MockServerConfiguration.missStatus`.
    var missStatus: Int
    /// As `MockServerConfiguration.playback`.
    var playback: PlaybackMode
    /// Values that count as what stands for them in the cassette.
    var secrets: [DeclaredSecret]
}

extension MatchKeyBuilder {
    /// The keys to look under, best first: the request's own, that of a `GET` for a `HEAD` (RFC 9110 §9.3.2), and the
    /// same for answers written for any upstream.
    fileprivate func candidates(origin: String, orAny: Bool) -> [MatchKey] {
        var keys = [key(origin: origin)]
        if isHEAD { keys.append(key(origin: origin, asGET: true)) }
        guard orAny, !origin.isEmpty else { return keys }
        keys.append(key(origin: ""))
        if isHEAD { keys.append(key(origin: "", asGET: true)) }
        return keys
    }
}
