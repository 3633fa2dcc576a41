import MockServeCore
import NIOCore
import Synchronization

/// The caches that all event loops of a replay share, within one budget.
struct ReplayCaches: Sendable {
    let rows: SharedCache<MatchKey, KeptRows>
    let answers: SharedCache<Int64, KeptAnswer>
    let known: SharedCache<Int, KnownRequest>
    let slices: SharedCache<SliceKey, KeptSlice>
    private let state = State()

    private final class State: Sendable {
        let generation = Atomic(0)
        /// When an event loop last checked whether the file has changed.
        let checked = Atomic<UInt64>(0)
    }

    /// - Parameter budget: bytes.
    init(budget: Int) {
        rows = SharedCache(budget: budget / 10)
        answers = SharedCache(budget: budget / 2)
        known = SharedCache(budget: budget / 10)
        slices = SharedCache(budget: budget / 10 * 3)
    }

    /// Counts how often an event loop found the file changed, or saw it for the first time. What was read before that
    /// is no longer kept.
    var generation: Int { state.generation.load(ordering: .acquiring) }

    /// Notes that the file was just checked, and that any change shows in the generation.
    func noteCheck() {
        state.checked.store(NIODeadline.now().uptimeNanoseconds, ordering: .releasing)
    }

    /// Whether `generation` is the newest, and the file was checked within `limit`.
    func isFresh(_ generation: Int, within limit: TimeAmount) -> Bool {
        let age = NIODeadline.now().uptimeNanoseconds &- state.checked.load(ordering: .acquiring)
        return generation == self.generation && age < UInt64(max(0, limit.nanoseconds))
    }

    /// Drops everything, because somebody has changed the file.
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
