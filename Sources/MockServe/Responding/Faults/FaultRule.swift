import HTTPTypes
import MockServeCore
import Synchronization

/// A fault for the requests of a pattern: made by
/// ``MockServer/fault(_:on:nth:every:times:probability:seed:)``. It is there until ``remove()`` is called, its times are
/// used up, or the server stops.
public final class FaultRule: PatternRule {
    private struct State {
        var asked = 0
        var left: Int?
        var happened = 0
        var random: SplitMix
    }

    let template: PathTemplate
    let plan: FaultPlan
    /// Which requests it is for, besides its path; nil for all.
    private let scope: RequestPattern?
    private let state: Mutex<State>
    let removal = Removal()
    /// What is wrong with its path; nil if nothing is.
    private let problem: String?

    /// What chance begins with: with the same seed, and the same requests in the same order, the same happens.
    public let seed: UInt64

    init(_ template: PathTemplate, _ plan: FaultPlan, scope: RequestPattern? = nil, problem: String? = nil) {
        (self.template, self.plan, self.scope, self.problem) = (template, plan, scope, problem)
        seed = plan.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        state = Mutex(State(left: plan.times, random: SplitMix(seed: seed)))
    }

    /// How often it has happened.
    public var count: Int { state.withLock { $0.happened } }

    /// Takes the fault away. Removing twice is fine.
    public func remove() { removal() }

    /// What the journal says of it.
    var remark: String {
        "fault: \(plan.kind.text)" + (plan.usesChance ? " (seed \(seed))" : "")
            + (problem.map { "; \($0)" } ?? "")
    }

    func isMade(from rule: Rule) -> Bool { rule.fault.map { $0.plan == plan && $0.scope == scope } ?? false }

    /// - Parameter target: in origin-form.
    func isFor(method: [UInt8], target: [UInt8]) -> Bool { scope?.matches(method: method, target: target) ?? true }

    /// Counts a request.
    ///
    /// - Parameter isFree: whether nothing else goes wrong with the request; otherwise it is only counted.
    /// - Returns: whether it happens to it, and how long that lasts if it is a delay.
    func happens(_ isFree: Bool) -> (isNow: Bool, delay: Duration) {
        state.withLock { state in
            state.asked += 1
            if let left = state.left, left <= 0 { return (false, .zero) }
            if let nth = plan.nth, state.asked != nth { return (false, .zero) }
            if let every = plan.every, every > 0, !state.asked.isMultiple(of: every) { return (false, .zero) }
            if let probability = plan.probability, Double.random(in: 0..<1, using: &state.random) >= probability {
                return (false, .zero)
            }
            guard isFree else { return (false, .zero) }
            state.left? -= 1
            state.happened += 1
            guard case .delay(let delay) = plan.kind else { return (true, .zero) }
            return (true, delay.duration(using: &state.random))
        }
    }
}

/// A small generator whose numbers follow from its seed (Steele, Lea and Flood, OOPSLA 2014).
struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
