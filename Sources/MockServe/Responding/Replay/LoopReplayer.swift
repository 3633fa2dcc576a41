import CassetteStore
import HTTPMessages
import MockServeCore
import NIOCore
import Synchronization

/// Answers from a cassette on one event loop, with a connection and a journal lane of its own. Event loops share the
/// position of the replay and the caches.
final class LoopReplayer: ExchangeHandler, PreparedAnswers {
    /// What was found for a request.
    enum Answer {
        case prepared(PreparedAnswer, number: Int64, remark: String?)
        /// Must be played; with the first slice of its body, if that was read.
        case recorded(RecordedAnswer, ByteBuffer?, remark: String?)
    }

    /// How many interactions of one key are kept in memory; if there are more, the file is read.
    private static let rowLimit = 64

    let replayer: Replayer
    let journal: JournalLane
    let eventLoop: any EventLoop
    private let caches: ReplayCaches
    private let cassette: LoopReader
    /// What counts in a request.
    private(set) var rules: RuleSet
    private var hasAnswersForAny: Bool
    /// Of the stubs in the file, as it was last read.
    private(set) var stubState = StubState.none
    /// The only interaction of a key, as it was just read.
    private var atHand: (RecordedAnswer, ByteBuffer)?
    private var lastMap: (upstream: ServedUpstream?, served: Origin, map: OriginMap)?
    /// Whether a key with only one interaction is always answered by it. Checked only where an answer may be prepared.
    private var isFixed: Bool
    /// Whether the journal takes the same for secrets.
    private var isRedactedAlike: Bool

    init(_ replayer: Replayer, on eventLoop: any EventLoop) {
        self.replayer = replayer
        self.eventLoop = eventLoop
        journal = replayer.journal.makeLane()
        caches = replayer.caches
        cassette = LoopReader(replayer, on: eventLoop)
        let content = replayer.content
        rules = content.rules
        hasAnswersForAny = content.hasAnswersForAny
        isFixed = PlaybackState.isFixed(replayer.options.playback) && !content.rules.hasPlaybacks
        isRedactedAlike = Redactor.isSame(content.rules.redactor, replayer.journal.redactor)
        cassette.whenChanged = { [unowned self] reader in try follow(reader) }
    }

    var path: String { replayer.path }

    func respond(to exchange: Exchange) -> any ExchangeReceiver {
        if let problem = Problem.unsupported(exchange.request) { return Refusal(exchange, problem) }
        exchange.sendContinueIfExpected()
        // Before the cassette is open it is not known whether it has conversations.
        guard exchange.request.fields.formOfGRPC == .binary, !isOpen || hasConversations else {
            return ReplayedExchange(exchange, replayer: self)
        }
        let conversation = ConversationExchange(exchange, replayer: self)
        conversation.start()
        return conversation
    }

    /// The mapping for a client that knows the server by `origin`.
    func map(for origin: Origin, _ upstream: ServedUpstream?) -> OriginMap {
        if let last = lastMap, last.upstream === upstream, last.served == origin { return last.map }
        let map = replayer.upstreams.map(for: origin, upstream, looksAtContent: rules.looksAtContent)
        if replayer.upstreams.isComplete { lastMap = (upstream, origin, map) }
        return map
    }

    func close() { cassette.close() }

    // MARK: Reading

    var isOpen: Bool { cassette.isOpen }

    /// Calls `body` once the cassette is open: at once, except the first time.
    func whenOpen(_ body: @escaping (Result<Void, any Error>) -> Void) { cassette.whenOpen(body) }

    /// If somebody has changed the cassette, drops what is kept and takes the new rules.
    func refresh() throws { try cassette.refresh() }

    /// A reader within a window of reading: everything that follows in this turn of the event loop sees the same state
    /// of the file.
    ///
    /// - Throws: `PlaybackReader.Busy` if nothing can be read now.
    func reading() throws -> PlaybackReader { try cassette.reading() }

    /// An error counts as yes: it recurs.
    private var hasConversations: Bool { (try? reading())?.hasConversations ?? true }

    /// Called when somebody has changed the cassette.
    private func follow(_ reader: PlaybackReader) throws {
        let content = try replayer.follow(try reader.rules())
        stubState = try reader.stubState()
        atHand = nil
        guard content.rules !== rules else { return hasAnswersForAny = content.hasAnswersForAny }
        rules = content.rules
        hasAnswersForAny = content.hasAnswersForAny
        lastMap = nil
        isRedactedAlike = Redactor.isSame(rules.redactor, replayer.journal.redactor)
        isFixed = PlaybackState.isFixed(replayer.options.playback) && !rules.hasPlaybacks
    }

    func slice(_ number: Int, of body: BodyReference) throws -> ByteBuffer {
        let key = SliceKey(body: body.id, number: number)
        try refresh()
        if let slice = caches.slices.entry(key) { return slice.bytes }
        let slice = try reading().slice(number, of: body)
        caches.slices.keep(KeptSlice(key, slice), size: slice.readableBytes, cassette.generation)
        return slice
    }

    /// Whether a request has the same `Accept-Encoding` as the recorded one: then it gets the same answer.
    func asksAsRecorded(_ request: RequestHead, _ number: Int64) throws -> Bool {
        let asked = request.fields.values("accept-encoding").joined(separator: ", ".utf8)
        return try reading().requestField("accept-encoding", of: number) == Array(asked)
    }

    // MARK: Finding

    /// Only if a key with one interaction is always answered by it.
    var arePrepared: Bool { isFixed && cassette.isOpen && replayer.answersAlone }

    func preparedAnswer(toSame sent: ByteBuffer, at entrance: Entrance) -> PreparedAnswer? {
        guard let request = caches.known.entry(hash(sent)), request.isSame(sent, entrance) else { return nil }
        // An error here recurs in the exchange that begins then, which reports it.
        guard (try? refresh()) != nil, replayer.answersAlone, let kept = request.answer,
            case .prepared(let answer) = kept.content
        else {
            return nil
        }
        kept.touch()
        if !request.isSafe { replayer.answerWrite(request.number) }
        note(request.method, request.target, request.number, status: answer.status)
        return answer
    }

    func preparedAnswer(
        to request: RequestHead,
        sent: ByteBuffer?,
        from origin: Origin,
        _ upstream: ServedUpstream?,
        at entrance: Entrance
    ) -> PreparedAnswer? {
        // As above. What is not supported is refused in an exchange, too.
        guard (try? refresh()) != nil, replayer.answersAlone, Problem.unsupported(request) == nil else { return nil }
        let map = map(for: origin, upstream)
        let builder = MatchKeyBuilder(request, rules, mappedBy: map)
        let key = builder.key(origin: upstream?.originText ?? "")
        let generation = cassette.generation
        guard let (found, isKept) = try? rows(of: key), let number = found.only,
            let (answer, kept) = try? prepared(number, for: request, from: origin, map),
            // What was found is consistent only if nobody has changed the file meanwhile.
            generation == cassette.generation, builder.rules === rules
        else { return nil }
        if !builder.isSafe { replayer.answerWrite(number) }
        let target = noted(builder, request)
        note(request.method, target, number, status: answer.status)
        // A request that came twice is likely to come again. Without a name in `Host`, what the answer says about the
        // server depends on the connection.
        if isKept, let sent, request.fields.first("host")?.isEmpty == false {
            let request = KnownRequest(
                hash(sent),
                sent: sent,
                entrance,
                number,
                kept,
                method: request.method,
                target: target,
                isSafe: builder.isSafe
            )
            caches.known.keep(request, size: request.memory, cassette.generation)
        }
        return answer
    }

    private func hash(_ sent: ByteBuffer) -> Int {
        var hasher = Hasher()
        sent.withUnsafeReadableBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    /// The target as the journal shows it.
    private func noted(_ key: MatchKeyBuilder, _ request: RequestHead) -> [UInt8] {
        let isRedacted = key.isTargetAsSent && isRedactedAlike
        return isRedacted ? request.target : replayer.journal.redacted(request)
    }

    func note(_ key: MatchKeyBuilder, _ exchange: Exchange, _ number: Int64, status: Int, _ remark: String?) {
        let request = exchange.request
        var notes = exchange.notes
        let remarks = [remark, notes.remark].compactMap { $0 }.joined(separator: "; ")
        notes.remark = remarks.isEmpty ? nil : remarks
        note(request.method, noted(key, request), number, status: status, notes)
    }

    private func note(
        _ method: [UInt8],
        _ target: [UInt8],
        _ number: Int64,
        status: Int,
        _ notes: ExchangeNotes = ExchangeNotes()
    ) {
        let outcome = JournalEntry.Outcome.replayed(interaction: Int(number))
        journal.note(method: method, target: target, outcome, status: status, notes)
    }

    /// Finds the answer to a request and advances the position; nil for a miss.
    ///
    /// - Throws: `PlaybackReader.Busy` if nothing can be read now. Then the position has not changed, because it
    ///   changes only within a window of reading.
    func answer(_ request: MatchKeyBuilder, for exchange: Exchange, _ map: OriginMap) throws -> Answer? {
        let origin = exchange.originText
        let mode = rules.playback(request)
        // Answers for any upstream come last.
        for origin in hasAnswersForAny && !origin.isEmpty ? [origin, ""] : [origin] {
            for lookup in request.lookups(origin: origin) {
                if let answer = try answer(request.key(lookup), request, mode, for: exchange, map) { return answer }
            }
        }
        return nil
    }

    private func answer(
        _ key: MatchKey,
        _ request: MatchKeyBuilder,
        _ mode: PlaybackMode?,
        for exchange: Exchange,
        _ map: OriginMap
    ) throws -> Answer? {
        let found = try rows(of: key).rows
        guard let (number, departure) = try step(key, found, request, mode) else { return nil }
        let remark = departure ?? found.remark
        if exchange.takesPrepared,
            let (answer, _) = try prepared(number, for: exchange.request, from: exchange.servedOrigin, map)
        {
            return .prepared(answer, number: number, remark: remark)
        }
        if case .recorded(let answer) = caches.answers.entry(number)?.content {
            return .recorded(answer, nil, remark: remark)
        }
        let (answer, slice) = try read(number)
        if let body = answer.body, body.size > PreparedAnswer.bodyLimit {
            let first = KeptSlice(SliceKey(body: body.id, number: 0), slice)
            caches.slices.keep(first, size: slice.readableBytes, cassette.generation)
            keep(KeptAnswer(number, .recorded(answer)))
        }
        return .recorded(answer, slice, remark: remark)
    }

    private func keep(_ answer: KeptAnswer) {
        caches.answers.keep(answer, size: answer.memory, cassette.generation)
    }

    /// Reads an answer from the file.
    private func read(_ number: Int64) throws -> (RecordedAnswer, ByteBuffer) {
        defer { atHand = nil }
        if let atHand, atHand.0.id == number { return atHand }
        return try reading().answer(number)
    }

    private func rows(of key: MatchKey) throws -> (rows: KeptRows, isKept: Bool) {
        if let rows = caches.rows.entry(key) { return (rows, true) }
        let rows = try read(key)
        caches.rows.keep(rows, size: rows.memory, cassette.generation)
        return (rows, false)
    }

    private func read(_ key: MatchKey) throws -> KeptRows {
        let reader = try reading()
        if let (answer, slice) = try reader.only(key) {
            atHand = (answer, slice)
            let row = PlaybackReader.Row(id: answer.id, variant: nil, status: answer.head.status)
            return KeptRows(key, [row], isComplete: true)
        }
        let rows = try reader.rows(key, limit: Self.rowLimit + 1)
        let isComplete = rows.count <= Self.rowLimit
        let shown = isComplete ? rows : Array(rows.prefix(Self.rowLimit))
        let statuses = Set(shown.map(\.status))
        let remark = statuses.count > 1 ? try reader.likeness(key)?.description : nil
        return KeptRows(key, shown, isComplete: isComplete, remark: remark)
    }

    /// The number of the interaction that answers a request, and a text if it is out of the recorded order.
    private func step(
        _ key: MatchKey,
        _ found: KeptRows,
        _ request: MatchKeyBuilder,
        _ mode: PlaybackMode?
    ) throws -> (Int64, departure: String?)? {
        guard !found.rows.isEmpty else { return nil }
        if let only = found.only {
            if PlaybackState.isFixed(replayer.options.playback, by: mode) {
                if !request.isSafe { replayer.answerWrite(only) }
                return (only, nil)
            }
            // One bit is enough for whether it was played.
            if replayer.options.playback != .strict, mode ?? replayer.options.playback == .once {
                _ = try reading()
                return replayer.takeOnce(only, request) ? (only, nil) : nil
            }
        }
        let reader = try reading()
        if found.isComplete {
            let rows = RowIndex(rows: found.rows, reader: reader)
            return try replayer.step(rows.playbackKey(key, for: request), request, mode, rows)
        }
        return try replayer.step(reader.playbackKey(key, for: request), request, mode, reader)
    }

    /// A prepared answer; nil if this client needs another one, or if it is too long, cut, or sent with recorded
    /// timing.
    private func prepared(
        _ number: Int64,
        for request: RequestHead,
        from origin: Origin,
        _ map: OriginMap
    ) throws -> (PreparedAnswer, KeptAnswer)? {
        if let kept = caches.answers.entry(number) {
            guard case .prepared(let answer) = kept.content else { return nil }
            if answer.fits(request, map) { return (answer, kept) }
        }
        guard replayer.options.speed == 0 else { return nil }
        let (answer, slice) = try read(number)
        let codings = answer.head.status == 206 ? [] : listMembers(answer.head.fields.values("content-encoding"))
        guard answer.body?.size ?? 0 <= PreparedAnswer.bodyLimit, answer.cut == nil, request.accepts(codings) else {
            atHand = (answer, slice)
            return nil
        }
        // What other versions send is made from that.
        var asHTTP1 = request
        asHTTP1.version = .http11
        guard
            let bytes = AnswerPress.plain(answer, slice, asHTTP1, map)
                ?? pressed(answer, slice, for: asHTTP1, from: origin, map)
        else { return nil }
        let prepared = PreparedAnswer(status: answer.head.status, bytes: bytes, codings: codings, map: map)
        let kept = KeptAnswer(number, .prepared(prepared))
        keep(kept)
        return (prepared, kept)
    }

    private func pressed(
        _ answer: RecordedAnswer,
        _ slice: ByteBuffer,
        for request: RequestHead,
        from origin: Origin,
        _ map: OriginMap
    ) -> ByteBuffer? {
        var hasFailed = false
        let bytes = AnswerPress.press(request, from: origin, on: eventLoop) { exchange in
            let slices = SliceReader(self, answer.body, first: slice)
            let player = BodyPlayer(answer, exchange, slices: slices, map: map, speed: 0)
            player.start()
            hasFailed = player.hasFailed
        }
        return hasFailed ? nil : bytes
    }
}
