import HTTPMessages
import MockServeCore
import NIOCore

/// Stands for a replay whose cassette does not exist yet: every request is a miss.
final class AbsentCassette: ExchangeService, ExchangeHandler {
    private let path: String
    private let options: ReplayOptions
    private let journal: ScopeJournal
    private let rules: RuleSet

    init(_ path: String, _ options: ReplayOptions, _ journal: ScopeJournal) {
        self.path = path
        self.options = options
        self.journal = journal
        rules = RuleSet([]).redacting(by: journal.redactor)
    }

    func respond(to exchange: Exchange) -> any ExchangeReceiver {
        if let problem = Problem.unsupported(exchange.request) { return Refusal(exchange, problem) }
        exchange.sendContinueIfExpected()
        return Receiver(exchange, self)
    }

    private func answer(_ exchange: Exchange) {
        let head = exchange.request
        let asked = ComparedRequest(origin: exchange.originText, head: head, body: nil, bodySize: 0)
        var report = MissReport(
            asked: asked.redacted(by: rules),
            nearest: [],
            cassette: path,
            playback: options.playback,
            status: options.missStatus,
            recordCommand: options.recordCommand
        )
        report.isWithoutCassette = true
        report.answer(exchange, journal)
    }

    /// Waits for the end of the request: a client that still sends may not read the answer.
    private final class Receiver: ExchangeReceiver {
        private let exchange: Exchange
        private let service: AbsentCassette

        init(_ exchange: Exchange, _ service: AbsentCassette) {
            self.exchange = exchange
            self.service = service
        }

        func receive(_ bytes: ByteBuffer) {}

        func receiveEnd(trailers: Fields) { service.answer(exchange) }

        func connectionLost() { exchange.detach() }

        func writabilityRestored() {}
    }
}
