import NIOCore

/// Whether the other side takes what is sent to it.
struct OutputProgress {
    /// Bytes handed to the channel so far.
    var written = 0
    private var taken = 0
    private var since: NIODeadline?

    /// Must be called now and then.
    ///
    /// - Parameter buffered: bytes of `written` that the channel still has.
    /// - Returns: whether something waits, and none of it was taken for longer than `limit`.
    mutating func hasStalled(buffered: Int, _ now: NIODeadline, limit: TimeAmount) -> Bool {
        let takenNow = written - buffered
        guard buffered > 0, takenNow == taken, let since else {
            taken = takenNow
            self.since = buffered > 0 ? now : nil
            return false
        }
        return now - since > limit
    }
}
