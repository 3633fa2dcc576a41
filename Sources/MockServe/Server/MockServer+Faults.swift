package import MockServeCore

extension MockServer {
    /// Makes answers go wrong, whoever makes them: a replay, an upstream, a stub, a handler of your own. The cassette does
    /// not change.
    ///
    /// ```swift
    /// server.fault(.reset, on: .get("/x"), nth: 2)
    /// server.fault(.status(503, retryAfter: 1), on: .any("/**"), times: 3)
    /// server.fault(.delay(.logNormal(median: .milliseconds(50))), on: .any("/**"), probability: 0.2, seed: 7)
    /// ```
    ///
    /// The journal says which answers were faults (``JournalEntry/remark``). Of several faults that happen to a request, the
    /// last added counts; each counts the requests that it is for.
    ///
    /// - Parameters:
    ///   - fault: what goes wrong.
    ///   - requests: method and path. A path that makes no sense is for every request; the journal says so.
    ///   - nth: only with this request of them, counted from 1.
    ///   - every: with every so many of them.
    ///   - times: so often at most.
    ///   - probability: from 0, never, to 1, always.
    ///   - seed: what chance begins with. Default: any; ``FaultRule/seed`` and the journal tell it.
    /// - Returns: a handle: how often it has happened, and how to take it away.
    @discardableResult
    public func fault(
        _ fault: Fault,
        on requests: StubPattern,
        nth: Int? = nil,
        every: Int? = nil,
        times: Int? = nil,
        probability: Double? = nil,
        seed: UInt64? = nil
    ) -> FaultRule {
        let (template, reason) = Self.template(requests.path)
        let plan = FaultPlan(
            fault.kind,
            nth: nth,
            every: every,
            times: times,
            probability: probability,
            seed: seed
        )
        let problem = reason.map { "the path \(requests.path) makes no sense: \($0)" }
        let rule = FaultRule(template, plan, problem: problem)
        service.faults.add(rule, method: requests.method)
        return rule
    }

    /// - Parameter rule: a fault; others are left out.
    package func fault(_ rule: Rule) { service.faults.add(rule) }
}
