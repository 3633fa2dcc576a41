import CassetteStore
import HTTPMessages
import MockServeCore
import NIOCore
import Synchronization

/// A stub that is kept in a cassette.
final class CassetteStub: PatternRule {
    let number: Int64
    let stub: WrittenStub
    let body: [UInt8]
    let removal = Removal()

    var template: PathTemplate { stub.path }

    init(_ number: Int64, _ stub: WrittenStub, _ body: [UInt8]) {
        (self.number, self.stub, self.body) = (number, stub, body)
    }
}

/// The stubs of the cassette that is replayed. They change with it.
final class CassetteStubs: Sendable {
    private let store = Mutex(PatternStore<CassetteStub>())
    private let state = Mutex(StubState.none)
    private let isFilled = Atomic(false)

    init(_ reader: CassetteReader) throws {
        let (stubs, state) = try reader.loadedStubs()
        take(stubs, state)
    }

    var isEmpty: Bool { !isFilled.load(ordering: .acquiring) }

    /// Takes the stubs as they are now, if they have changed.
    func follow(_ found: StubState, _ load: () throws -> [(stored: StoredStub, body: [UInt8])]) rethrows {
        guard state.withLock({ $0 != found }) else { return }
        take(try load(), found)
    }

    private func take(_ stubs: [(stored: StoredStub, body: [UInt8])], _ found: StubState) {
        let new = PatternStore<CassetteStub>()
        for (stored, body) in stubs {
            new.add(CassetteStub(stored.number, stored.stub, body), method: stored.stub.method)
        }
        store.withLock { $0 = new }
        state.withLock { $0 = found }
        isFilled.store(!stubs.isEmpty, ordering: .releasing)
    }

    fileprivate func matches(_ request: AskedRequest) -> [CassetteStub] {
        store.withLock { $0 }.matches(request.method, request.path).map(\.value)
    }

    /// The same on one event loop.
    final class Source: StubSource {
        private let stubs: CassetteStubs
        private let journal: ScopeJournal

        init(_ stubs: CassetteStubs, _ journal: ScopeJournal) { (self.stubs, self.journal) = (stubs, journal) }

        func mayAnswer(_ request: RequestHead) -> Bool {
            !stubs.isEmpty && !stubs.matches(AskedRequest(request)).isEmpty
        }

        func answer(_ exchange: Exchange, _ request: AskedRequest) -> (any ExchangeReceiver)? {
            guard let found = stubs.matches(request).first(where: { $0.stub.conditions.areMet(by: request) }) else {
                return nil
            }
            return StubbedExchange(exchange, found, journal)
        }
    }
}

/// Answers with a stub of the cassette, perhaps after a while.
private final class StubbedExchange: ExchangeReceiver {
    private let exchange: Exchange
    private let stub: CassetteStub
    private let journal: ScopeJournal
    private var timer: Scheduled<Void>?

    init(_ exchange: Exchange, _ stub: CassetteStub, _ journal: ScopeJournal) {
        (self.exchange, self.stub, self.journal) = (exchange, stub, journal)
        guard stub.stub.delay > 0 else {
            answer()
            return
        }
        exchange.isHeld = true
        let bound = NIOLoopBound(self, eventLoop: exchange.eventLoop)
        timer = exchange.eventLoop.scheduleTask(in: .milliseconds(Int64(stub.stub.delay))) { bound.value.answer() }
    }

    private func answer() {
        exchange.isHeld = false
        let head = stub.stub.response
        let remark = (["stub \(stub.number)"] + [exchange.fault].compactMap { $0 }).joined(separator: "; ")
        journal.stubbed()
        journal.note(exchange.request, .responded, status: head.status, remark: remark, log: exchange.log)
        guard !stub.stub.trailers.isEmpty else { return exchange.answer(head, body: stub.body) }
        exchange.sendHead(head, length: .unknown)
        if !stub.body.isEmpty { exchange.send(ByteBuffer(bytes: stub.body)) }
        exchange.finish(trailers: stub.stub.trailers)
    }

    func receive(_ bytes: ByteBuffer) {}

    func receiveEnd(trailers: Fields) {}

    func connectionLost() {
        timer?.cancel()
        exchange.detach()
    }

    func writabilityRestored() {}
}
