import HTTPTypes
import MockServeCore

typealias StubStore = PatternStore<Stub>

extension PatternStore<Stub> {
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
}
