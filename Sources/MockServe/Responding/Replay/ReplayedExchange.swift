import CassetteStore
import HTTPMessages
import MockServeCore
import NIOCore

/// How long to wait for a cassette that somebody else has locked, and how often to try meanwhile.
enum LockPatience {
    static let limit = TimeAmount.seconds(10)
    static let pause = TimeAmount.milliseconds(2)
}

/// One exchange answered from the cassette: reads the request, finds the interaction, plays it.
final class ReplayedExchange: ExchangeReceiver {
    private let exchange: Exchange
    private let map: OriginMap
    private let replayer: LoopReplayer
    private var key: MatchKeyBuilder
    private var mapping: BodyMapping?
    private var hasBody = false
    private var player: BodyPlayer?
    private var isLost = false
    private let whenMissed: ((MatchKeyBuilder) -> Void)?

    /// - Parameter whenMissed: what to do instead of answering with a miss.
    init(_ exchange: Exchange, replayer: LoopReplayer, whenMissed: ((MatchKeyBuilder) -> Void)? = nil) {
        self.exchange = exchange
        self.replayer = replayer
        self.whenMissed = whenMissed
        // So that the request is read with the current rules. An error here recurs when it is answered.
        try? replayer.refresh()
        map = replayer.map(for: exchange.servedOrigin, exchange.upstream)
        key = MatchKeyBuilder(exchange.request, replayer.rules, mappedBy: map)
    }

    func receive(_ bytes: ByteBuffer) {
        if !hasBody {
            hasBody = true
            let isWhole = exchange.request.bodyLength == .known(bytes.readableBytes)
            let isLeft = isWhole && bytes.withUnsafeReadableBytes { map.leaves(body: $0, of: exchange.request) }
            mapping = isLeft ? nil : map.requestBodyMapping(for: exchange.request)
        }
        if mapping == nil {
            bytes.withUnsafeReadableBytes { key.update($0) }
        } else {
            let mapped = mapping?.push(Array(bytes.readableBytesView)) ?? []
            mapped.withUnsafeBytes { key.update($0) }
        }
    }

    func receiveEnd(trailers: Fields) {
        if let rest = mapping?.finish() { rest.withUnsafeBytes { key.update($0) } }
        let deadline = NIODeadline.now() + LockPatience.limit
        replayer.whenOpen { [weak self] result in
            switch result {
            case .success: self?.answer(until: deadline)
            case .failure(let error): self?.fail(error)
            }
        }
    }

    /// Searches again if the rules have changed since the request began, which shows during the first search at the
    /// latest.
    private func find() throws -> LoopReplayer.Answer? {
        try replayer.refresh()
        followRules()
        if let answer = try replayer.answer(key, for: exchange, map) { return answer }
        if followRules(), let answer = try replayer.answer(key, for: exchange, map) { return answer }
        // It may have been recorded before something in it was known to be a secret.
        guard let unlearned = key.unlearned else { return nil }
        return try replayer.answer(unlearned, for: exchange, map)
    }

    /// - Returns: whether the rules have changed.
    @discardableResult
    private func followRules() -> Bool {
        guard key.rules !== replayer.rules else { return false }
        key = key.remade(by: replayer.rules)
        return true
    }

    private func answer(until deadline: NIODeadline) {
        guard !isLost else { return }
        do {
            switch try find() {
            case .prepared(let answer, let number, let remark):
                replayer.note(key, exchange, number, status: answer.status, remark)
                exchange.answer(prepared: answer)
            case .recorded(let answer, let slice, let remark):
                replayer.note(key, exchange, answer.id, status: answer.head.status, remark)
                let slices = SliceReader(replayer, answer.body, first: slice)
                let speed = replayer.replayer.options.speed
                let player = BodyPlayer(answer, exchange, slices: slices, map: map, speed: speed)
                self.player = player
                player.whenFailed = { [weak self] error in
                    self?.note("interaction \(answer.id) of \(self?.replayer.path ?? "") cannot be played: \(error)")
                }
                player.start()
            case nil: if let whenMissed { whenMissed(key) } else { miss() }
            }
        } catch is PlaybackReader.Busy where NIODeadline.now() < deadline {
            let bound = NIOLoopBound(self, eventLoop: exchange.eventLoop)
            exchange.eventLoop.scheduleTask(in: LockPatience.pause) { bound.value.answer(until: deadline) }
        } catch {
            fail(error)
        }
    }

    /// The report on the request so far.
    func report() -> EventLoopFuture<MissReport> { replayer.replayer.report(key, for: exchange) }

    /// Looks for near misses on another thread, because that may take milliseconds.
    private func miss() {
        let bound = NIOLoopBound(self, eventLoop: exchange.eventLoop)
        report().whenComplete { result in bound.value.answerMiss(result) }
    }

    private func answerMiss(_ result: Result<MissReport, any Error>) {
        switch result {
        case .failure(let error): fail(error)
        case .success(let report): report.answer(exchange, replayer.replayer.journal)
        }
    }

    private func note(_ failure: String) {
        let request = exchange.request
        let what = "\(Latin1.string(request.method)) \(Latin1.string(Target(request.target).path))"
        replayer.replayer.journal.note(
            request,
            .failed("\(what): \(failure)"),
            status: 500,
            exchange.notes
        )
    }

    private func fail(_ error: any Error) {
        let error = error is PlaybackReader.Busy ? PlaybackReader.inUse(replayer.path) : error
        note(String(describing: error))
        let problem = Problem(status: 500, title: "The cassette cannot be played", detail: String(describing: error))
        exchange.answer(problem)
    }

    func connectionLost() {
        exchange.detach()
        isLost = true
        player?.stop()
    }

    func writabilityRestored() { player?.resume() }
}
