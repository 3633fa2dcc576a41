import CassetteStore
import HTTPMessages
import MockServeCore
import NIOCore
import Synchronization

/// Forwards every exchange to its upstream, and records it if there is a cassette to write to: the service of the modes
/// `once` (on an empty cassette), `all`, `rewrite` and `passthrough`.
final class Recorder: ExchangeService, ExchangeHandler {
    private struct State {
        /// Keeps exchanges alive after their clients have gone.
        var underWay: [Int: NIOLoopBound<ForwardedExchange>] = [:]
        var lastNumber = 0
        var whenIdle: EventLoopPromise<Void>?
    }

    let client: UpstreamClient
    /// Nil if nothing is recorded.
    let writer: CassetteWriter?
    /// As `MockServerConfiguration.keepsCutAnswers`.
    let keepsCut: Bool
    private let upstreams: UpstreamTable
    private let pages: OriginPolicy
    private let journal: ScopeJournal
    private let state = Mutex(State())

    init(
        client: UpstreamClient,
        writer: CassetteWriter?,
        keepsCut: Bool,
        upstreams: UpstreamTable,
        pages: OriginPolicy,
        journal: ScopeJournal
    ) {
        self.client = client
        self.writer = writer
        self.keepsCut = keepsCut
        self.pages = pages
        self.upstreams = upstreams
        self.journal = journal
    }

    func respond(to exchange: Exchange) -> any ExchangeReceiver {
        if let problem = refusal(exchange) { return Refusal(exchange, problem) }
        guard let upstream = exchange.upstream else { return Refusal(exchange, .noUpstream) }
        let looksAtContent = writer?.rules.looksAtContent ?? true
        let map = upstreams.map(for: exchange.servedOrigin, upstream, looksAtContent: looksAtContent)
        let forwarded = ForwardedExchange(exchange, to: upstream, map, self)
        let bound = NIOLoopBound(forwarded, eventLoop: exchange.eventLoop)
        let number = state.withLock { state in
            state.lastNumber += 1
            state.underWay[state.lastNumber] = bound
            return state.lastNumber
        }
        forwarded.start(number)
        return forwarded
    }

    /// Why an exchange is not forwarded; nil if it is.
    func refusal(_ exchange: Exchange) -> Problem? {
        Problem.unsupported(exchange.request) ?? pages.refusal(exchange.request, servedBy: exchange.servedOrigin)
    }

    // MARK: What exchanges report

    func end(_ number: Int) {
        let promise = state.withLock { state in
            state.underWay[number] = nil
            guard state.underWay.isEmpty else { return EventLoopPromise<Void>?.none }
            defer { state.whenIdle = nil }
            return state.whenIdle
        }
        promise?.succeed()
    }

    func note(_ exchange: Exchange, _ outcome: JournalEntry.Outcome, status: Int?) {
        journal.note(exchange.request, outcome, status: status, exchange.notes)
    }

    func recorded(_ notes: RedactionNotes, isCut: Bool) { journal.recorded(notes, isCut: isCut) }

    func failedToWrite(_ error: CassetteError) { journal.failedToWrite(error) }

    // MARK: The end

    /// Waits for exchanges whose client has gone. At the deadline they are given up.
    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        let isIdle = state.withLock { state in
            if !state.underWay.isEmpty { state.whenIdle = promise }
            return state.underWay.isEmpty
        }
        if isIdle { promise.succeed() }
        let cut = eventLoop.scheduleTask(deadline: deadline) {
            for exchange in self.state.withLock({ $0.underWay.values }) { exchange.execute { $0.cancel() } }
        }
        let client = client
        promise.futureResult.whenComplete { _ in
            cut.cancel()
            client.close()
        }
        return promise.futureResult
    }
}
