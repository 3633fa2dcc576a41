import HTTPMessages
import HTTPTypes
import MockServeCore

typealias StubStore = PatternStore<Stub>

extension PatternStore<Stub> {
    /// The last added that takes a request.
    private func take(_ asked: AskedRequest, _ exchange: Exchange) -> (stub: Stub, request: MockRequest, before: Int)? {
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

    /// The stubs of a program, on one event loop.
    final class Source: StubSource {
        private let stubs: StubStore
        private let tasks: ResponderTasks

        init(_ stubs: StubStore, _ tasks: ResponderTasks) { (self.stubs, self.tasks) = (stubs, tasks) }

        func mayAnswer(_ request: RequestHead) -> Bool {
            guard !stubs.isEmpty else { return false }
            let asked = AskedRequest(request)
            return !stubs.matches(asked.method, asked.path).isEmpty
        }

        func answer(_ exchange: Exchange, _ asked: AskedRequest) -> (any ExchangeReceiver)? {
            guard let (stub, request, before) = stubs.take(asked, exchange) else { return nil }
            return tasks.answer(exchange, request) { request in
                var response = try await stub.answer.respond(request, before)
                response.delay += stub.delay
                return response
            }
        }
    }
}
