import Synchronization

/// Rules of redaction that are for some requests only, and what was made of them.
final class ScopedRedactions: Sendable {
    /// Redactors that are kept.
    private static let limit = 100

    let scopes: [RequestPattern]
    let rules: [RedactionRule]
    /// By the numbers of the rules that apply.
    private let made = Mutex<[[Int]: Redactor]>([:])

    init(_ scoped: [(scope: RequestPattern, rule: RedactionRule)]) {
        (scopes, rules) = (scoped.map(\.scope), scoped.map(\.rule))
    }

    /// - Parameter make: takes the rules that are for this request.
    func redactor(
        toMethod method: [UInt8],
        normalPath: [UInt8],
        _ make: ([RedactionRule]) -> Redactor
    ) -> Redactor {
        let applying = scopes.indices.filter { scopes[$0].matches(method: method, normalPath: normalPath) }
        if let known = made.withLock({ $0[applying] }) { return known }
        let redactor = make(applying.map { rules[$0] })
        return made.withLock { made in
            if let known = made[applying] { return known }
            if made.count < Self.limit { made[applying] = redactor }
            return redactor
        }
    }
}
