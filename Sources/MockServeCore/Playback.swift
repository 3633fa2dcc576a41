/// Which of several answers with one match key comes next: in order, and the last one stays.
///
/// A pure state machine. It keeps one number for every key that was asked for, nothing for the others.
package struct Playback: Sendable {
    private var lastPlayed: [MatchKey: Int64] = [:]

    package init() {}

    /// The number of the interaction last played for `key`; zero if none was.
    package func position(of key: MatchKey) -> Int64 {
        lastPlayed[key] ?? 0
    }

    /// Takes the step from `position` to `next`, unless another request has taken it first.
    ///
    /// - Returns: whether the step was taken; if not, look again from the new position.
    package mutating func advance(_ key: MatchKey, from position: Int64, to next: Int64) -> Bool {
        guard self.position(of: key) == position else { return false }
        lastPlayed[key] = next
        return true
    }
}
