import CassetteStore
import HTTPMessages
import MockServeCore
import NIOCore
import NIOPosix
import Synchronization

/// A stub that is kept in a cassette.
final class CassetteStub: PatternRule {
    let number: Int64
    let definition: StubDefinition
    let body: ByteBuffer
    let removal = Removal()

    var template: PathTemplate { definition.path }

    init(_ number: Int64, _ definition: StubDefinition, _ body: [UInt8]) {
        (self.number, self.definition, self.body) = (number, definition, ByteBuffer(bytes: body))
    }
}

/// The stubs of the cassette that is replayed. They change with it.
final class CassetteStubs: StubSource {
    private struct Content {
        var store = PatternStore<CassetteStub>()
        /// Nil if they could not be read.
        var state: StubState?
    }

    /// Opens the cassette for loading.
    private let open: @Sendable () throws -> CassetteReader
    private let journal: ScopeJournal
    private let content: Mutex<Content>
    private let hasAny: Atomic<Bool>

    /// - Parameter reader: an open reader of the cassette; not kept.
    init(_ reader: CassetteReader, _ journal: ScopeJournal, open: @escaping @Sendable () throws -> CassetteReader)
        throws
    {
        self.open = open
        self.journal = journal
        let first = try Self.load(reader)
        content = Mutex(first)
        hasAny = Atomic(!first.store.isEmpty)
    }

    var isEmpty: Bool { !hasAny.load(ordering: .acquiring) }

    // MARK: Following

    /// Whether they could be read.
    var isLoaded: Bool { content.withLock { $0.state != nil } }

    func isCurrent(_ state: StubState) -> Bool { content.withLock { $0.state == state } }

    /// Reads them anew, on another thread. What cannot be read answers nothing: whoever answers instead says why.
    func load(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
            let reader = try self.open()
            defer { reader.close() }
            // One at a time, so that none takes the place of a newer one.
            try self.content.withLock { content in
                let loaded = try Self.load(reader)
                content = loaded
                self.hasAny.store(!loaded.store.isEmpty, ordering: .releasing)
            }
        }.flatMapErrorThrowing { _ in self.drop() }
    }

    /// Forgets them, until they can be read again.
    func drop() {
        content.withLock { $0 = Content() }
        hasAny.store(false, ordering: .releasing)
    }

    private static func load(_ reader: CassetteReader) throws -> Content {
        let (stubs, state) = try reader.loadedStubs()
        let store = PatternStore<CassetteStub>()
        for (stored, body) in stubs {
            store.add(CassetteStub(stored.number, stored.stub, body), method: stored.stub.method)
        }
        return Content(store: store, state: state)
    }

    // MARK: Answering

    func decide(_ request: AskedRequest, _ body: AskedBody, _ exchange: Exchange) -> StubDecision {
        guard !isEmpty else { return .pass }
        for stub in content.withLock({ $0.store }).matches(request.method, request.path).map(\.value) {
            let conditions = stub.definition.conditions
            guard conditions.areMetByHead(of: request) else { continue }
            if let wanted = conditions.body {
                if body == .notYet { return .wantsBody }
                guard body == .whole, wanted.isMet(by: request) else { continue }
            }
            return .answer { [journal] in StubbedExchange($0, stub, journal) }
        }
        return .pass
    }

    var count: Int { content.withLock { $0.store.size } }

    /// Those for the method and the path of a request that they have not answered: what else they ask for.
    func near(_ request: RequestHead) -> [String] {
        let asked = AskedRequest(request)
        return content.withLock { $0.store }.matches(asked.method, asked.path).map(\.value).map { stub in
            "stub \(stub.number) \(stub.definition.pattern), if \(stub.definition.conditions.json)"
        }
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        eventLoop.makeSucceededVoidFuture()
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
        guard stub.definition.delay > 0 else {
            answer()
            return
        }
        exchange.isHeld = true
        let bound = NIOLoopBound(self, eventLoop: exchange.eventLoop)
        let delay = TimeAmount.milliseconds(Int64(stub.definition.delay))
        timer = exchange.eventLoop.scheduleTask(in: delay) { bound.value.answer() }
    }

    private func answer() {
        exchange.isHeld = false
        let definition = stub.definition
        let remark = (["stub \(stub.number)"] + [exchange.fault].compactMap { $0 }).joined(separator: "; ")
        journal.stubbed()
        let status = definition.response.status
        journal.note(exchange.request, .responded, status: status, remark: remark, log: exchange.log)
        let length: BodyLength = definition.trailers.isEmpty ? .known(stub.body.readableBytes) : .unknown
        exchange.sendHead(definition.response, length: length)
        if stub.body.readableBytes > 0 { exchange.send(stub.body) }
        exchange.finish(trailers: definition.trailers)
    }

    func receive(_ bytes: ByteBuffer) {}

    func receiveEnd(trailers: Fields) {}

    func connectionLost() {
        timer?.cancel()
        exchange.detach()
    }

    func writabilityRestored() {}
}
