import HTTPTypes
import MockServeCore
import Synchronization

/// The stubs of a server. Any thread may add and remove some while it serves.
final class StubStore: Sendable {
    private let index = Mutex(StubIndex<Stub>())
    private let count = Atomic(0)

    var isEmpty: Bool { count.load(ordering: .acquiring) == 0 }

    func add(_ stub: Stub, method: HTTPRequest.Method?) {
        let number = index.withLock { index in
            defer { count.store(index.count, ordering: .releasing) }
            return index.insert(method: method?.rawValue, stub.template, stub)
        }
        stub.whenRemoved { [weak self, weak stub] in
            guard let self, let stub else { return }
            index.withLock { index in
                index.remove(number, stub.template)
                self.count.store(index.count, ordering: .releasing)
            }
        }
    }

    /// Whether any may answer, depending on what else is in the request.
    func mayAnswer(_ method: String, _ path: String) -> Bool { !matches(method, path).isEmpty }

    /// The last added that takes a request.
    func take(_ request: MockRequest) -> (stub: Stub, request: MockRequest, before: Int)? {
        let body = AskedBody(request)
        for match in matches(request.method.rawValue, request.path) {
            var request = request
            request.parameters = match.parameters
            guard let before = match.value.take(request, body) else { continue }
            // It would keep other requests from their short cuts.
            if match.value.isUsedUp { match.value.remove() }
            return (match.value, request, before)
        }
        return nil
    }

    private func matches(_ method: String, _ path: String) -> [StubIndex<Stub>.Match] {
        index.withLock { $0.matches(method: method, path: path) }
    }
}
