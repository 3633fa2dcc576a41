import HTTPMessages
import HTTPTypes
import MockServeCore
import NIOCore

typealias FaultStore = PatternStore<FaultRule>

extension PatternStore<FaultRule> {
    /// - Parameter rule: a fault; others are left out.
    @discardableResult
    func add(_ rule: Rule) -> FaultRule? {
        guard let (plan, scope) = rule.fault else { return nil }
        let fault = FaultRule(.all, plan, scope: scope)
        add(fault, method: nil)
        return fault
    }

    /// Counts a request with every rule that is for it. Of those that would happen now, the last added does.
    func take(_ request: RequestHead) -> (rule: FaultRule, delay: Duration)? {
        let method = String(decoding: request.method, as: UTF8.self)
        let target = Target.originForm(request.target)
        let path = String(decoding: Target(target).path, as: UTF8.self)
        var taken: (rule: FaultRule, delay: Duration)?
        for rule in matches(method, path).map(\.value) where rule.isFor(method: request.method, target: target) {
            let (isNow, delay) = rule.happens(taken == nil)
            if isNow { taken = (rule, delay) }
        }
        return taken
    }
}

/// Makes the answers of the next service go wrong, as the faults of the server say.
final class FaultService: ExchangeService {
    private let faults: FaultStore
    private let journal: ScopeJournal
    private let next: any ExchangeService

    init(_ faults: FaultStore, journal: ScopeJournal, next: any ExchangeService) {
        (self.faults, self.journal, self.next) = (faults, journal, next)
    }

    func handler(on eventLoop: any EventLoop) -> any ExchangeHandler {
        Handler(faults, journal, next: next.handler(on: eventLoop))
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        next.shutDown(deadline: deadline, on: eventLoop)
    }

    private final class Handler: ExchangeHandler {
        private let faults: FaultStore
        private let journal: ScopeJournal
        private let next: any ExchangeHandler

        init(_ faults: FaultStore, _ journal: ScopeJournal, next: any ExchangeHandler) {
            (self.faults, self.journal, self.next) = (faults, journal, next)
        }

        func respond(to exchange: Exchange) -> any ExchangeReceiver {
            guard !faults.isEmpty else { return next.respond(to: exchange) }
            guard let (rule, delay) = faults.take(exchange.request) else {
                return next.respond(to: exchange)
            }
            exchange.fault = rule.remark
            guard case .delay = rule.plan.kind else {
                return FaultService.receiver(rule.plan.kind, exchange, journal, next)
            }
            let late = LateExchange(exchange, next)
            late.begin(after: delay)
            return late
        }
    }

    /// Who gets a request whose answer goes wrong.
    static func receiver(
        _ kind: FaultKind,
        _ exchange: Exchange,
        _ journal: ScopeJournal,
        _ next: any ExchangeHandler
    ) -> any ExchangeReceiver {
        switch kind {
        case .reset, .status, .garbage: return OwnAnswer(exchange, kind, journal)
        // Who calls this has waited.
        case .delay: return next.respond(to: exchange)
        case .close, .stall, .unfinishedChunks, .wrongLength, .slow:
            let faulty = FaultyTransport(kind) { [weak exchange] in exchange?.isHeld = true }
            exchange.interpose {
                faulty.inner = $0; return faulty
            }
            let receiver = WatchedReceiver(next.respond(to: exchange), faulty)
            faulty.receiver = receiver.next
            return receiver
        }
    }
}

/// Answers by itself, once the request is complete.
private final class OwnAnswer: ExchangeReceiver {
    private let exchange: Exchange
    private let kind: FaultKind
    private let journal: ScopeJournal

    init(_ exchange: Exchange, _ kind: FaultKind, _ journal: ScopeJournal) {
        (self.exchange, self.kind, self.journal) = (exchange, kind, journal)
        exchange.sendContinueIfExpected()
    }

    func receive(_ bytes: ByteBuffer) {}

    func receiveEnd(trailers: Fields) {
        var status: Int?
        if case .status(let given, _) = kind { status = given }
        journal.note(exchange.request, .responded, status: status, exchange.notes)
        switch kind {
        case .status(let status, let retryAfter):
            var fields = Fields([("Date", HTTPDate.text())])
            if let retryAfter { fields.append("Retry-After", String(retryAfter)) }
            let reason = ReasonPhrase.standard(status)
            exchange.answer(ResponseHead(status: status, reason: reason, fields: fields), body: [])
        case .garbage:
            // Neither a status line, nor anything that could be taken for HTTP/0.9.
            let bytes = (0..<64).map { UInt8(truncatingIfNeeded: ($0 &* 73) ^ 0xA5) | 0x80 }
            exchange.abort(sending: ByteBuffer(bytes: bytes))
        default: exchange.abort(.reset)
        }
    }

    func connectionLost() { exchange.detach() }

    func writabilityRestored() {}
}

/// Tells a faulty transport when the client reads again, or is gone.
private final class WatchedReceiver: ExchangeReceiver {
    let next: any ExchangeReceiver
    private let transport: FaultyTransport

    init(_ next: any ExchangeReceiver, _ transport: FaultyTransport) { (self.next, self.transport) = (next, transport) }

    func receive(_ bytes: ByteBuffer) { next.receive(bytes) }

    func receiveEnd(trailers: Fields) { next.receiveEnd(trailers: trailers) }

    func connectionLost() {
        transport.end()
        next.connectionLost()
    }

    func writabilityRestored() { if transport.isWritable { next.writabilityRestored() } }
}
