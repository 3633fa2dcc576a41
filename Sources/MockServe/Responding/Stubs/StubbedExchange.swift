import HTTPMessages
import MockServeCore
import NIOCore

/// Answers with a stub of the cassette.
final class StubbedExchange: ExchangeReceiver {
    private let exchange: Exchange
    private let stub: CassetteStub
    private let journal: ScopeJournal

    /// Answers after the time that the stub waits, and with what goes wrong.
    ///
    /// - Parameter exchange: whose request is complete.
    /// - Returns: who gets what follows.
    static func begin(_ exchange: Exchange, _ stub: CassetteStub, _ journal: ScopeJournal) -> any ExchangeReceiver {
        let behavior = stub.definition.behavior
        journal.stubbed()
        var handler: any ExchangeHandler = Handler(stub, journal)
        if let fault = behavior.fault { handler = FaultyHandler(fault, stub, journal, next: handler) }
        var delay = Duration.milliseconds(stub.definition.delay)
        if let wait = behavior.wait {
            var random = SystemRandomNumberGenerator()
            delay += wait.duration(using: &random)
        }
        let receiver: any ExchangeReceiver
        if delay > .zero {
            let late = LateExchange(exchange, handler)
            late.begin(after: delay)
            receiver = late
        } else {
            receiver = handler.respond(to: exchange)
        }
        receiver.receiveEnd(trailers: Fields())
        return receiver
    }

    private final class Handler: ExchangeHandler {
        let stub: CassetteStub
        let journal: ScopeJournal

        init(_ stub: CassetteStub, _ journal: ScopeJournal) { (self.stub, self.journal) = (stub, journal) }

        func respond(to exchange: Exchange) -> any ExchangeReceiver { StubbedExchange(exchange, stub, journal) }
    }

    /// Notes the fault of a stub as that of the exchange.
    private final class FaultyHandler: ExchangeHandler {
        let kind: FaultKind
        let stub: CassetteStub
        let journal: ScopeJournal
        let next: any ExchangeHandler

        init(_ kind: FaultKind, _ stub: CassetteStub, _ journal: ScopeJournal, next: any ExchangeHandler) {
            (self.kind, self.stub, self.journal, self.next) = (kind, stub, journal, next)
        }

        func respond(to exchange: Exchange) -> any ExchangeReceiver {
            exchange.fault = StubbedExchange.remark(exchange, stub, "fault: \(kind.text)")
            return FaultService.receiver(kind, exchange, journal, next)
        }
    }

    private init(_ exchange: Exchange, _ stub: CassetteStub, _ journal: ScopeJournal) {
        (self.exchange, self.stub, self.journal) = (exchange, stub, journal)
    }

    /// What the journal says: the stub, its own fault, and one that the server has for the request.
    private static func remark(_ exchange: Exchange, _ stub: CassetteStub, _ fault: String? = nil) -> String {
        (["stub \(stub.number)"] + [fault, exchange.fault].compactMap { $0 }).joined(separator: "; ")
    }

    private func answer() {
        let definition = stub.definition
        var notes = exchange.notes
        if definition.behavior.fault == nil { notes.remark = Self.remark(exchange, stub) }
        let status = definition.response.status
        journal.note(exchange.request, .responded, status: status, notes)
        let length: BodyLength = definition.trailers.isEmpty ? .known(stub.body.readableBytes) : .unknown
        exchange.sendHead(definition.response, length: length)
        if stub.body.readableBytes > 0 { exchange.send(stub.body) }
        exchange.finish(trailers: definition.trailers)
    }

    func receive(_ bytes: ByteBuffer) {}

    func receiveEnd(trailers: Fields) { answer() }

    func connectionLost() { exchange.detach() }

    func writabilityRestored() {}
}
