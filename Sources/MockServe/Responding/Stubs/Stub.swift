import MockServeCore
import Synchronization

/// An answer written in code, for the requests of one pattern, in front of whatever else a server does. Made by
/// ``MockServer/stub(_:_:query:fields:body:delay:where:)`` and ``MockServer/stub(_:query:fields:body:delay:where:answer:)``.
///
/// It is there until ``remove()`` is called, its ``times(_:)`` are used up, or the server stops.
public final class Stub: PatternRule {
    /// Requests that are remembered, and bytes of their bodies.
    private static let requestLimit = 1000
    private static let bodyLimit = 16 << 20

    private struct State {
        /// Nil for any number.
        var left: Int?
        var answered = 0
        var requests: [MockRequest] = []
        var memory = 0
    }

    let template: PathTemplate
    let answer: StubAnswer
    let delay: Duration
    private let conditions: StubConditions
    /// What else must be true.
    private let condition: @Sendable (MockRequest) -> Bool
    private let state = Mutex(State())
    let removal = Removal()

    init(
        _ template: PathTemplate,
        _ answer: StubAnswer,
        delay: Duration,
        _ conditions: StubConditions,
        where condition: @escaping @Sendable (MockRequest) -> Bool
    ) {
        self.template = template
        self.answer = answer
        self.delay = delay
        self.conditions = conditions
        self.condition = condition
    }

    /// Answers so many requests at most; later ones go on to an older stub, or the cassette. To be called before they are
    /// used up.
    ///
    /// - Returns: the stub itself.
    @discardableResult
    public func times(_ count: Int) -> Stub {
        state.withLock { $0.left = max(0, count - $0.answered) }
        return self
    }

    /// Takes the stub away. Requests that it is answering get their answers. Removing twice is fine.
    public func remove() { removal() }

    /// The requests it has answered, in order: the first 1,000 of them, as long as their bodies have no more than 16 MiB
    /// together.
    public var requests: [MockRequest] { state.withLock { $0.requests } }

    /// How many requests it has answered.
    public var requestCount: Int { state.withLock { $0.answered } }

    /// Whether it has been used as often as it may.
    var isUsedUp: Bool { state.withLock { $0.left == 0 } }

    /// - Returns: how many requests it has answered before; nil if it does not answer this one.
    func take(_ request: MockRequest, _ asked: AskedRequest) -> Int? {
        guard conditions.areMet(by: asked), condition(request) else { return nil }
        return state.withLock { state in
            if let left = state.left {
                guard left > 0 else { return nil }
                state.left = left - 1
            }
            state.memory += request.body.count
            if state.requests.count < Self.requestLimit, state.memory <= Self.bodyLimit {
                state.requests.append(request)
            }
            state.answered += 1
            return state.answered - 1
        }
    }
}
