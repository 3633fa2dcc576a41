import MockServeCore
import NIOCore
import Synchronization

/// What all event loops of a replay keep together, within one budget.
struct ReplayCaches: Sendable {
    let rows: SharedCache<MatchKey, KeptRows>
    let answers: SharedCache<Int64, KeptAnswer>
    let known: SharedCache<Int, KnownRequest>
    let slices: SharedCache<SliceKey, KeptSlice>
    private let state = State()

    private final class State: Sendable {
        let generation = Atomic(0)
        /// When some event loop has looked last whether the file has changed.
        let checked = Atomic<UInt64>(0)
    }

    /// - Parameter budget: bytes.
    init(budget: Int) {
        rows = SharedCache(budget: budget / 10)
        answers = SharedCache(budget: budget / 2)
        known = SharedCache(budget: budget / 10)
        slices = SharedCache(budget: budget / 10 * 3)
    }

    /// Counts how often an event loop found the file changed, or saw it for the first time: what was read before that is not taken
    /// in any more.
    var generation: Int { state.generation.load(ordering: .acquiring) }

    /// Says that the file was looked at just now, and that what has changed shows in the generation.
    func noteCheck() {
        state.checked.store(NIODeadline.now().uptimeNanoseconds, ordering: .releasing)
    }

    /// Whether `generation` is the newest, and somebody has looked at the file within `limit`.
    func isFresh(_ generation: Int, within limit: TimeAmount) -> Bool {
        let age = NIODeadline.now().uptimeNanoseconds &- state.checked.load(ordering: .acquiring)
        return generation == self.generation && age < UInt64(max(0, limit.nanoseconds))
    }

    /// Gives up everything, as somebody has changed the file.
    ///
    /// - Returns: the new generation.
    func renew() -> Int {
        let generation = state.generation.add(1, ordering: .acquiringAndReleasing).newValue
        rows.renew(generation)
        answers.renew(generation)
        known.renew(generation)
        slices.renew(generation)
        return generation
    }
}
