import CassetteStore
import Foundation
import HTTPWire
import MockServeCore
import NIOCore
import NIOPosix
import Synchronization

/// Answers from a cassette. It has no way to reach an upstream.
final class Replayer: ExchangeResponder {
    /// As it was given.
    let path: String
    /// Where that is, wherever the process goes.
    let file: String
    /// What asks the replayer for the answers of one upstream.
    private let origins: [String]
    let hasAnswersForAny: Bool
    /// The newest interaction that is played: later ones are being recorded.
    let newest: Int64
    /// What of a request counts.
    let rules: RuleSet
    let served: ServedOrigins
    let options: ReplayOptions
    let journal: ScopeJournal
    private let playback: Mutex<PlaybackState>
    /// The newest write that is known to have been answered.
    private let newestWrite = Atomic<Int64>(0)
    private let loops = Mutex<[ObjectIdentifier: NIOLoopBound<LoopReplayer>]>([:])
    /// For what takes longer, shared by all event loops.
    private let reports = Mutex<CassetteReader?>(nil)

    /// - Parameters:
    ///   - reader: an open reader of the cassette; not kept.
    ///   - newest: the newest interaction that is played.
    init(
        _ reader: CassetteReader,
        upstreams: [Upstream],
        newest: Int64 = .max,
        served: ServedOrigins,
        options: ReplayOptions,
        journal: ScopeJournal
    ) throws {
        path = reader.path
        file = URL(fileURLWithPath: reader.path).path
        origins = upstreams.map(\.origin.description)
        hasAnswersForAny = try reader.hasAnswersForAnyUpstream()
        self.newest = newest
        rules = try reader.rules(secrets: options.secrets)
        self.served = served
        self.options = options
        self.journal = journal
        playback = Mutex(PlaybackState(options.playback))
    }

    func responder(on eventLoop: any EventLoop) -> any LoopResponder { loopReplayer(on: eventLoop) }

    /// Called on that event loop.
    func loopReplayer(on eventLoop: any EventLoop) -> LoopReplayer {
        loops.withLock { loops in
            let id = ObjectIdentifier(eventLoop)
            if let known = loops[id] { return known.value }
            let made = LoopReplayer(self, on: eventLoop)
            loops[id] = NIOLoopBound(made, eventLoop: eventLoop)
            return made
        }
    }

    // MARK: Position

    /// Empty if nothing says where it was recorded from.
    func origin(_ upstreamIndex: Int) -> String { origins.isEmpty ? "" : origins[upstreamIndex] }

    /// Takes one step: parallel requests never share an answer, or lose one.
    func step(
        _ key: PlaybackKey,
        _ request: MatchKeyBuilder,
        _ mode: PlaybackMode?,
        _ index: some PlaybackIndex
    ) throws -> Int64? {
        try playback.withLock { try $0.step(key, isWrite: !request.isSafe, by: mode, index) }
    }

    /// A write whose answer does not depend on the position moves it all the same.
    func answerWrite(_ number: Int64) {
        guard number > newestWrite.load(ordering: .relaxed) else { return }
        playback.withLock { state in
            state.answerWrite(number)
            newestWrite.max(number, ordering: .relaxed)
        }
    }

    /// Goes back to the start of the recording, as for a new scope.
    func rewind() {
        playback.withLock { state in
            state = PlaybackState(options.playback)
            newestWrite.store(0, ordering: .relaxed)
        }
    }

    // MARK: Reports

    /// Whether what is redacted for matching is redacted for the journal too.
    var sharesRedactor: Bool { rules.redactor === journal.redactor }

    /// A reader of its own for what takes longer, shared by all event loops.
    private func readerForReports() throws -> CassetteReader {
        try reports.withLock { reports in
            if let reports { return reports }
            let reader = try CassetteReader(path: file)
            reports = reader
            return reader
        }
    }

    /// Interactions that were not played, in recording order: their count, and the first of them.
    func unused(limit: Int) throws -> UnusedInteractions {
        let used = journal.replayedNumbers
        var unused = UnusedInteractions()
        try readerForReports().eachNumber { number, method, target in
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
        let origin = origin(exchange.upstreamIndex)
        let compared = key.compared(origin: origin)
        let keys = [origin, ""].flatMap { origin in
            [key.key(origin: origin)] + (key.isHEAD ? [key.key(origin: origin, asGET: true)] : [])
        }
        let (options, path) = (options, path)
        return NIOThreadPool.singleton.runIfActive(eventLoop: exchange.eventLoop) {
            let asked = compared.redacted(by: rules)
            let reader = try self.readerForReports()
            let nearest = try reader.nearMisses(to: asked, rules, keys: keys, limit: MissReport.nearestLimit)
            return MissReport(
                asked: asked,
                nearest: nearest,
                cassette: path,
                playback: options.playback,
                status: options.missStatus
            )
        }
    }

    // MARK: The end

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let loops = loops.withLock { loops in
            defer { loops = [:] }
            return Array(loops.values)
        }
        let closed = loops.map { loop in loop.eventLoop.submit { loop.value.close() } }
        return EventLoopFuture.andAllComplete(closed, on: eventLoop).map {
            self.reports.withLock { $0.take() }?.close()
        }
    }
}

/// Recorded interactions that a scope did not ask for.
package struct UnusedInteractions: Sendable {
    package var count = 0
    /// Number, method and target, a line each.
    package var first: [String] = []

    package init() {}

    /// How many there are, without a full stop.
    package var sentence: String { "\(Counted.text(count, "recorded interaction")) \(Counted.were(count)) not used" }
}

/// How answers are played.
struct ReplayOptions: Sendable {
    /// As `MockServerConfiguration.speed`.
    var speed: Double
    /// As `MockServerConfiguration.missStatus`.
    var missStatus: Int
    /// As `MockServerConfiguration.playback`.
    var playback: PlaybackMode
    /// As `MockServerConfiguration.freshness`.
    var freshness: TimeAmount
    /// Bytes of memory for one event loop, of `MockServerConfiguration.cacheSize`.
    var cacheSize: Int
    /// Values that count as what stands for them in the cassette.
    var secrets: [DeclaredSecret]
}
