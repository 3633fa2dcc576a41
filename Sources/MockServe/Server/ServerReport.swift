/// What is wrong with a server's answers so far, once for all requests: for a test that is to fail then.
package struct ServerReport {
    /// Nil if all is well.
    package let text: String?

    /// Requests and interactions that are shown.
    private static let limit = 10

    /// - Parameters:
    ///   - unused: empty if they are ignored.
    ///   - hint: what else to say, if there is anything to say.
    package init(
        _ server: MockServer,
        countsMisses: Bool = true,
        unused: Result<UnusedInteractions, any Error> = .success(UnusedInteractions()),
        hint: @autoclosure () -> String? = nil
    ) {
        var parts: [String] = []
        if countsMisses, let misses = Self.misses(server) { parts.append(misses) }
        switch unused {
        case .success(let unused): if unused.count > 0 { parts.append(unused.list(Self.limit)) }
        case .failure(let error): parts.append(String(describing: error))
        }
        if server.failureCount > 0 {
            let lines = server.failures.prefix(Self.limit).map { "  \($0)" }
            parts.append((["What could not be answered or recorded:"] + lines).joined(separator: "\n"))
        }
        if !parts.isEmpty, let hint = hint() { parts.append(hint) }
        text = parts.isEmpty ? nil : parts.joined(separator: "\n\n")
    }

    private static func misses(_ server: MockServer) -> String? {
        let misses = server.misses
        guard let first = misses.first else { return nil }
        guard server.missCount > 1 else { return first.explanation }
        let others = misses.dropFirst().prefix(limit).map { "  \($0.summary)" }
        let more = server.missCount - 1 - others.count
        let rest = more > 0 ? ["  … and \(more) more"] : []
        return ([first.explanation, "More requests without an answer:"] + others + rest).joined(separator: "\n")
    }
}
