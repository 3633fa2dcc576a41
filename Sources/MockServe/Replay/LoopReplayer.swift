import CassetteStore
import HTTPWire
import MockServeCore
import NIOCore
import Synchronization

/// Answers from a cassette on one event loop: what it reads by, keeps ready and writes down is its own, so that event loops
/// meet only in the position of the replay.
final class LoopReplayer: LoopResponder {
    /// What is found for a request.
    enum Answer {
        case prepared(PreparedAnswer, number: Int64)
        /// To be played, with the first slice of its body if that is at hand.
        case recorded(RecordedAnswer, ByteBuffer?)
    }

    /// How many interactions of one key are kept in memory; of more of them the file is asked.
    private static let rowLimit = 64

    let replayer: Replayer
    let journal: JournalLane
    private let eventLoop: any EventLoop
    private var opened: PlaybackReader?
    private var isReading = false
    private var isClosed = false
    private var checked: NIODeadline?
    private var rows: MemoryCache<MatchKey, KeptRows>
    private var slices: MemoryCache<SliceKey, KeptSlice>
    private var known: MemoryCache<Int, KnownRequest>
    private var lastMap: (upstreamIndex: Int, served: Origin, map: OriginMap)?
    /// Whether keys that only one interaction has are always answered by that one.
    private let isFixed: Bool

    init(_ replayer: Replayer, on eventLoop: any EventLoop) {
        self.replayer = replayer
        self.eventLoop = eventLoop
        journal = replayer.journal.makeLane()
        isFixed = PlaybackState.isFixed(replayer.options.playback) && !replayer.rules.hasPlaybacks
        rows = MemoryCache(budget: replayer.options.cacheSize / 16 * 5)
        known = MemoryCache(budget: replayer.options.cacheSize / 16)
        slices = MemoryCache(budget: replayer.options.cacheSize / 16 * 3)
    }

    var path: String { replayer.path }

    func respond(to exchange: Exchange) -> any ExchangeReceiver {
        if let problem = Problem.unsupported(exchange.request) { return Refusal(exchange, problem) }
        exchange.sendContinueIfExpected()
        return ReplayedExchange(exchange, replayer: self)
    }

    /// The mapping as a client needs it that knows the server by `origin`.
    func map(for origin: Origin, _ upstreamIndex: Int) -> OriginMap {
        if let last = lastMap, last.upstreamIndex == upstreamIndex, last.served == origin { return last.map }
        let map = replayer.served.map(for: origin, upstreamIndex)
        lastMap = (upstreamIndex, origin, map)
        return map
    }

    func close() {
        isClosed = true
        endReading()
        opened?.close()
        opened = nil
    }

    // MARK: Reading

    private func reader() throws -> PlaybackReader {
        if let opened { return opened }
        guard !isClosed else { throw CassetteError(.unreadable, path: path, "was closed: the server has stopped.") }
        // The rest is for what is kept ready.
        let memory = replayer.options.cacheSize / 16 * 7
        let reader = try PlaybackReader(path: replayer.file, newest: replayer.newest, memory: memory)
        opened = reader
        return reader
    }

    /// A reader within a window of reading, which ends once the event loop has gone through what it has to do now.
    private func reading() throws -> PlaybackReader {
        let reader = try reader()
        guard !isReading else { return reader }
        isReading = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        bound.execute { $0.endReading() }
        if try reader.begin() {
            rows.removeAll()
            known.removeAll()
            slices.removeAll()
        }
        checked = .now()
        return reader
    }

    private func endReading() {
        guard isReading else { return }
        isReading = false
        opened?.end()
    }

    /// Gives up what is kept if somebody has changed the cassette.
    private func refresh() throws {
        guard !isReading, let checked, .now() - checked < replayer.options.freshness else {
            _ = try reading()
            return
        }
    }

    func slice(_ number: Int, of body: BodyReference) throws -> ByteBuffer {
        let key = SliceKey(body: body.id, number: number)
        try refresh()
        if let slice = slices.entry(key) { return slice.bytes }
        let slice = try reading().slice(number, of: body)
        slices.keep(KeptSlice(key, slice), size: slice.readableBytes)
        return slice
    }

    // MARK: Finding

    /// Only where keys that one interaction has are always answered by that one.
    var preparesAnswers: Bool { isFixed }

    func preparedAnswer(toSame sent: ByteBuffer, _ upstreamIndex: Int) -> ByteBuffer? {
        guard let request = known.entry(hash(sent)), request.isSame(sent, upstreamIndex),
            let number = request.rows.only
        else { return nil }
        // What fails here fails again in the exchange that is begun then, which says so.
        guard (try? refresh()) != nil, let answer = request.rows.prepared, answer.map === request.map else {
            return nil
        }
        if !request.isSafe { replayer.answerWrite(number) }
        note(request.method, request.target, number, status: answer.status)
        return answer.bytes
    }

    func preparedAnswer(
        to request: RequestHead,
        sent: ByteBuffer,
        from origin: Origin,
        _ upstreamIndex: Int
    ) -> ByteBuffer? {
        let map = map(for: origin, upstreamIndex)
        let builder = MatchKeyBuilder(request, replayer.rules, mappedBy: map)
        let key = builder.key(origin: replayer.origin(upstreamIndex))
        // As above.
        guard let found = try? rows(of: key), let number = found.only else { return nil }
        let isKept = found.isKept
        guard let answer = try? prepared(found, number, for: request, from: origin, map) else { return nil }
        if !builder.isSafe { replayer.answerWrite(number) }
        let target = noted(builder, request)
        note(request.method, target, number, status: answer.status)
        // Once more is enough to count on it to come again.
        if isKept {
            let request = KnownRequest(
                hash(sent),
                sent: sent,
                upstreamIndex,
                found,
                map,
                method: request.method,
                target: target,
                isSafe: builder.isSafe
            )
            known.keep(request, size: request.memory)
        }
        return answer.bytes
    }

    private func hash(_ sent: ByteBuffer) -> Int {
        var hasher = Hasher()
        sent.withUnsafeReadableBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    /// The target as the journal has it.
    private func noted(_ key: MatchKeyBuilder, _ request: RequestHead) -> [UInt8] {
        let isRedacted = key.isTargetAsSent && replayer.sharesRedactor
        return isRedacted ? request.target : replayer.journal.redacted(request.target)
    }

    func note(_ key: MatchKeyBuilder, _ request: RequestHead, _ number: Int64, status: Int) {
        note(request.method, noted(key, request), number, status: status)
    }

    private func note(_ method: [UInt8], _ target: [UInt8], _ number: Int64, status: Int) {
        journal.note(method: method, target: target, .replayed(interaction: Int(number)), status: status)
    }

    /// What answers a request, one step further on; nil for a miss.
    func answer(_ request: MatchKeyBuilder, for exchange: Exchange, _ map: OriginMap) throws -> Answer? {
        let origin = replayer.origin(exchange.upstreamIndex)
        let mode = replayer.rules.playback(request)
        func answer(_ origin: String, asGET: Bool) throws -> Answer? {
            try self.answer(request.key(origin: origin, asGET: asGET), request, mode, for: exchange, map)
        }
        if let answer = try answer(origin, asGET: false) { return answer }
        if request.isHEAD, let answer = try answer(origin, asGET: true) { return answer }
        // Answers written for any upstream.
        guard replayer.hasAnswersForAny, !origin.isEmpty else { return nil }
        if let answer = try answer("", asGET: false) { return answer }
        return request.isHEAD ? try answer("", asGET: true) : nil
    }

    private func answer(
        _ key: MatchKey,
        _ request: MatchKeyBuilder,
        _ mode: PlaybackMode?,
        for exchange: Exchange,
        _ map: OriginMap
    ) throws -> Answer? {
        let found = try rows(of: key)
        guard let number = try step(key, found, request, mode) else { return nil }
        if exchange.takesPrepared,
            let answer = try prepared(found, number, for: exchange.request, from: exchange.servedOrigin, map)
        {
            return .prepared(answer, number: number)
        }
        if case .recorded(let answer) = found.kept[number] { return .recorded(answer, nil) }
        let (answer, slice) = try found.takeAtHand() ?? reading().answer(number)
        if let body = answer.body, body.size > PreparedAnswer.bodyLimit {
            let first = KeptSlice(SliceKey(body: body.id, number: 0), slice)
            slices.keep(first, size: slice.readableBytes)
            found.kept[number] = .recorded(answer)
            rows.keep(found, size: found.memory)
        }
        return .recorded(answer, slice)
    }

    private func rows(of key: MatchKey) throws -> KeptRows {
        try refresh()
        return try rows.entry(key) ?? read(key)
    }

    private func read(_ key: MatchKey) throws -> KeptRows {
        if let (answer, slice) = try reading().only(key) {
            let found = KeptRows(key, [PlaybackReader.Row(id: answer.id, variant: nil)], isComplete: true)
            found.atHand = (answer, slice)
            return found
        }
        let rows = try reading().rows(key, limit: Self.rowLimit + 1)
        let isComplete = rows.count <= Self.rowLimit
        return KeptRows(key, isComplete ? rows : Array(rows.prefix(Self.rowLimit)), isComplete: isComplete)
    }

    /// The number of the interaction that answers a request.
    private func step(
        _ key: MatchKey,
        _ found: KeptRows,
        _ request: MatchKeyBuilder,
        _ mode: PlaybackMode?
    ) throws -> Int64? {
        guard !found.rows.isEmpty else { return nil }
        if let only = found.only, PlaybackState.isFixed(replayer.options.playback, by: mode) {
            if !request.isSafe { replayer.answerWrite(only) }
            return only
        }
        let reader = try reading()
        if found.isComplete {
            let rows = RowIndex(rows: found.rows, reader: reader)
            return try replayer.step(rows.playbackKey(key, for: request), request, mode, rows)
        }
        return try replayer.step(reader.playbackKey(key, for: request.request), request, mode, reader)
    }

    /// An answer as any client is sent it; nil if this client wants it otherwise, or it is too long or comes in its time.
    private func prepared(
        _ found: KeptRows,
        _ number: Int64,
        for request: RequestHead,
        from origin: Origin,
        _ map: OriginMap
    ) throws -> PreparedAnswer? {
        if found.only == number {
            if let answer = found.prepared, answer.fits(request, map) { return answer }
        } else if case .prepared(let answer) = found.kept[number], answer.fits(request, map) {
            return answer
        }
        guard replayer.options.speed == 0 else { return nil }
        if case .recorded = found.kept[number] { return nil }
        let (answer, slice) = try found.takeAtHand() ?? reading().answer(number)
        let codings = answer.head.status == 206 ? [] : listMembers(answer.head.fields.values("content-encoding"))
        guard answer.body?.size ?? 0 <= PreparedAnswer.bodyLimit, answer.cut == nil, request.accepts(codings) else {
            if found.only == number { found.atHand = (answer, slice) }
            return nil
        }
        guard
            let bytes = AnswerPress.plain(answer, slice, request, map)
                ?? pressed(answer, slice, for: request, from: origin, map)
        else { return nil }
        let prepared = PreparedAnswer(status: answer.head.status, bytes: bytes, codings: codings, map: map)
        if found.only == number { found.prepared = prepared } else { found.kept[number] = .prepared(prepared) }
        rows.keep(found, size: found.memory)
        return prepared
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
