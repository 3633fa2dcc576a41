import HTTPMessages
import HTTPTypes
import MockServeCore
import NIOCore

typealias StubStore = PatternStore<Stub>

extension PatternStore<Stub> {
    /// The last added that takes a request.
    fileprivate func take(_ asked: AskedRequest, _ exchange: Exchange) -> (
        stub: Stub, request: MockRequest, before: Int
    )? {
        lazy var request = MockRequest(
            head: HTTPRequest(exchange.request, origin: exchange.servedOrigin),
            body: asked.body,
            trailers: HTTPFields(asked.trailers),
            upstream: exchange.upstream?.name
        )
        for match in matches(asked.method, asked.path) {
            request.parameters = match.parameters
            guard let before = match.value.take(request, asked) else { continue }
            // It would keep other requests from their short cuts.
            if match.value.isUsedUp { match.value.remove() }
            return (match.value, request, before)
        }
        return nil
    }
}

/// The stubs of a program. Its conditions and answers may be functions, which get the whole request.
final class ProgramStubs: StubSource {
    private let stubs: StubStore
    private let tasks: ResponderTasks

    init(_ stubs: StubStore, _ journal: ScopeJournal) {
        self.stubs = stubs
        tasks = ResponderTasks(journal)
    }

    func decide(_ request: AskedRequest, _ body: AskedBody, _ exchange: Exchange) -> StubDecision {
        switch body {
        case .notYet: stubs.isEmpty || stubs.matches(request.method, request.path).isEmpty ? .pass : .wantsBody
        case .tooLong: .pass
        case .whole: answer(request, exchange)
        }
    }

    private func answer(_ request: AskedRequest, _ exchange: Exchange) -> StubDecision {
        guard let (stub, request, before) = stubs.take(request, exchange) else { return .pass }
        return .answer { [tasks] exchange in
            tasks.answer(exchange, request) { request in
                var response = try await stub.answer.respond(request, before)
                response.delay += stub.delay
                return response
            }
        }
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        tasks.shutDown(deadline: deadline, on: eventLoop)
    }
}
