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
    private let variables = StubVariables()

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
        // What is added last is asked first: the lowest number, and of these the newest.
        let sorted = stubs.enumerated().sorted { one, other in
            let (left, right) = (one.element.stored.stub.behavior.priority, other.element.stored.stub.behavior.priority)
            return left == right ? one.offset < other.offset : left > right
        }
        for (stored, body) in sorted.map(\.element) {
            store.add(CassetteStub(stored.number, stored.stub, body), method: stored.stub.method)
        }
        return Content(store: store, state: state)
    }

    // MARK: Answering

    func decide(_ request: AskedRequest, _ body: AskedBody, _ exchange: Exchange) -> StubDecision {
        guard !isEmpty else { return .pass }
        for stub in content.withLock({ $0.store }).matches(request.method, request.path).map(\.value) {
            let (conditions, behavior) = (stub.definition.conditions, stub.definition.behavior)
            guard conditions.areMetByHead(of: request), variables.meet(behavior.requires) else { continue }
            // Variables change only with a request that has come to its end.
            if body == .notYet, !conditions.bodies.isEmpty || behavior.changesVariables { return .wantsBody }
            guard conditions.bodies.isEmpty || body == .whole && conditions.areMetByBody(of: request) else { continue }
            // Another request may have been quicker.
            guard variables.change(behavior) else { continue }
            return .answer { [journal] in StubbedExchange.begin($0, stub, journal) }
        }
        return .pass
    }

    /// Takes the variables of all stubs back to the start.
    func rewind() { variables.clear() }

    var count: Int { content.withLock { $0.store.size } }

    /// Those for the method and the path of a request that they have not answered: what else they ask for.
    func near(_ request: RequestHead) -> [String] {
        let asked = AskedRequest(request)
        return content.withLock { $0.store }.matches(asked.method, asked.path).map(\.value).map { stub in
            let requires = stub.definition.behavior.requires.sorted { $0.key < $1.key }
            let variables = requires.map { ", while \($0.key) is \($0.value ?? "not set")" }.joined()
            return "stub \(stub.number) \(stub.definition.pattern), if \(stub.definition.conditions.json)\(variables)"
        }
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        eventLoop.makeSucceededVoidFuture()
    }
}
