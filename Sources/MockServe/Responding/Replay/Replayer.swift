import CassetteStore
import Foundation
import HTTPMessages
import MockServeCore
import NIOCore
import NIOPosix
import Synchronization

/// Answers from a cassette. It has no way to reach an upstream.
final class Replayer: ExchangeService {
    /// As it was given.
    let path: String
    /// The absolute path, as the process may change its working directory.
    let file: String
    /// The file that all event loops must read, because they share caches.
    let identity: FileIdentity
    /// The newest interaction that is played; later ones are being recorded.
    let newest: Int64
    let upstreams: UpstreamTable
    let options: ReplayOptions
    let journal: ScopeJournal
    /// Shared by all event loops.
    let caches: ReplayCaches
    private let playback: Mutex<PlaybackState>
    /// Interactions that were played, of those that are played once and are the only ones of their keys.
    private let playedOnce = Mutex(NumberSet())
    /// Conversations that were played.
    private let conversations = Mutex(NumberSet())
    private let state: Mutex<Content>
    /// Where the faults of the cassette are, among others.
    private let faults: FaultStore
    private let ownFaults = Mutex<[FaultRule]>([])
    /// What the cassette answers by hand.
    let stubs: CassetteStubs
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
        upstreams: UpstreamTable,
        newest: Int64 = .max,
        options: ReplayOptions,
        faults: FaultStore,
        journal: ScopeJournal
    ) throws {
        let content = Content(
            rules: try reader.rules(secrets: options.secrets),
            hasAnswersForAny: try reader.hasAnswersForAnyUpstream()
        )
        state = Mutex(content)
        caches = ReplayCaches(budget: options.cacheSize / 5 * 3)
        path = reader.path
        let file = URL(fileURLWithPath: reader.path).path
        self.file = file
        let identity = FileIdentity(reader.path)
        self.identity = identity
        stubs = try CassetteStubs(reader, journal) {
            let reader = try CassetteReader(path: file)
            do {
                try identity.check(.replay)
            } catch {
                reader.close()
                throw error
            }
            return reader
        }
        self.newest = newest
        self.upstreams = upstreams
        self.options = options
        self.journal = journal
        playback = Mutex(PlaybackState(options.playback))
        self.faults = faults
        followFaults(content.rules.rules)
    }

    /// Whether only what was recorded decides what is answered.
    var answersAlone: Bool { stubs.isEmpty && faults.isEmpty }

    /// Those that stay go on counting.
    private func followFaults(_ rules: [Rule]) {
        ownFaults.withLock { own in
            let wanted = rules.filter { $0.fault != nil }
            for fault in own where !wanted.contains(where: { fault.isMade(from: $0) }) { fault.remove() }
            own = wanted.compactMap { rule in own.first { $0.isMade(from: rule) } ?? faults.add(rule) }
        }
    }

    /// What may change while the cassette is replayed.
    struct Content: Sendable {
        /// What of a request counts.
        let rules: RuleSet
        let hasAnswersForAny: Bool
    }

    var content: Content { state.withLock { $0 } }

    /// Takes rules that somebody has changed. Event loops that find the same rules share what is made from them.
    ///
    /// - Throws: `RuleError` if that is more than can be redacted.
    func follow(_ found: (rules: [Rule], hasAnswersForAny: Bool)) throws -> Content {
        try state.withLock { content in
            let isSame = content.rules.rules == found.rules
            let rules = isSame ? content.rules : RuleSet(found.rules, secrets: options.secrets)
            try rules.redactor?.check()
            if !isSame { followFaults(found.rules) }
            content = Content(rules: rules, hasAnswersForAny: found.hasAnswersForAny)
            return content
        }
    }

    /// Bytes of the file that the connection of each event loop keeps in memory.
    var pageMemory: Int { options.cacheSize / 5 * 2 / options.loopCount }

    func handler(on eventLoop: any EventLoop) -> any ExchangeHandler { loopReplayer(on: eventLoop) }

    /// Must be called on that event loop.
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

    /// Takes one step: parallel requests never share an answer, or lose one.
    ///
    /// - Returns: the number of the interaction, and a text if it is out of the recorded order; nil for a miss.
    func step(
        _ key: PlaybackKey,
        _ request: MatchKeyBuilder,
        _ mode: PlaybackMode?,
        _ index: some PlaybackIndex
    ) throws -> (Int64, departure: String?)? {
        let (number, departure) = try playback.withLock { playback in
            (try playback.step(key, isWrite: !request.isSafe, by: mode, index), playback.departure)
        }
        guard let number else { return nil }
        guard let departure else { return (number, nil) }
        let text =
            switch departure {
            case .behind(let write): "#\(number) was recorded before #\(write), a write that was answered already"
            case .ahead(let write): "#\(number) was recorded after #\(write), a write that was not asked for yet"
            }
        let path = Latin1.string(Target(Target.originForm(request.target)).path)
        journal.departed("\(Latin1.string(request.method)) \(path): \(text)")
        return (number, text)
    }

    /// - Returns: false if the only interaction of a key was already played.
    func takeOnce(_ number: Int64, _ request: MatchKeyBuilder) -> Bool {
        let isFirst = playedOnce.withLock { played in
            defer { played.insert(number) }
            return !played.contains(number)
        }
        if isFirst, !request.isSafe { answerWrite(number) }
        return isFirst
    }

    var playedConversations: NumberSet { conversations.withLock { $0 } }

    func play(conversation number: Int64) {
        conversations.withLock { $0.insert(number) }
        answerWrite(number)
    }

    /// A write advances the position even if its answer does not depend on that.
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
        playedOnce.withLock { $0 = NumberSet() }
        conversations.withLock { $0 = NumberSet() }
        stubs.rewind()
    }

    // MARK: Reports

    /// The reader for what takes longer, opened when it is first needed.
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

    /// The report on a request without a recorded answer.
    func report(_ key: MatchKeyBuilder, for exchange: Exchange) -> EventLoopFuture<MissReport> {
        // What is shown is redacted, even if the cassette is not.
        let rules = key.rules.redacting(by: journal.redactor)
        let origin = exchange.originText
        let compared = key.compared(origin: origin)
        let keys = [origin, ""].flatMap { key.lookups(origin: $0) }.map(key.key)
        let (options, path) = (options, path)
        return NIOThreadPool.singleton.runIfActive(eventLoop: exchange.eventLoop) {
            let asked = compared.redacted(by: rules)
            let reader = try self.readerForReports()
            let nearest = try reader.nearMisses(to: asked, rules, keys: keys, limit: MissReport.nearestLimit)
            var report = MissReport(
                asked: asked,
                nearest: nearest,
                cassette: path,
                playback: options.playback,
                status: options.missStatus,
                recordCommand: options.recordCommand,
                importedFrom: options.importedFrom
            )
            (report.stubs, report.stubCount) = (self.stubs.near(asked.head), self.stubs.count)
            return report
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
