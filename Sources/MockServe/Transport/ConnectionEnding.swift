import NIOCore

/// How far a connection is on its way to its end. It is open, then drains (what was written goes out), then may linger (input
/// that is still coming is thrown away), then is closed.
struct ConnectionEnding {
    private enum Phase {
        case open
        case draining
        case lingering
    }

    /// Bytes of input that are thrown away at most: 16 MiB.
    private static let limit = 16 << 20

    private var phase = Phase.open
    private var discarded = 0
    /// Whether the client has said that it sends nothing more.
    private(set) var isInputClosed = false

    var isOpen: Bool { phase == .open }

    /// While the last answer goes out, a client that sends without end is not read without end.
    var holdsInput: Bool { phase == .draining && discarded > Self.limit }

    /// - Returns: false if the connection is ending already.
    mutating func begin() -> Bool {
        guard phase == .open else { return false }
        phase = .draining
        return true
    }

    /// Everything has gone out.
    ///
    /// - Returns: whether input may still be coming.
    mutating func linger() -> Bool {
        guard phase == .draining, !isInputClosed else { return false }
        phase = .lingering
        return true
    }

    /// Input came that nobody wants.
    ///
    /// - Returns: whether the connection is to be closed.
    mutating func discard(_ bytes: Int) -> Bool {
        discarded += bytes
        return phase == .lingering && discarded > Self.limit
    }

    /// - Returns: whether the connection is to be closed.
    mutating func closeInput() -> Bool {
        isInputClosed = true
        return phase == .lingering
    }
}

/// Whether a client takes what is sent to it.
struct OutputProgress {
    /// Bytes handed to the channel so far.
    var written = 0
    private var taken = 0
    private var since: NIODeadline?

    /// To be asked now and then.
    ///
    /// - Parameter buffered: bytes of `written` that the channel still has.
    /// - Returns: whether something waits, and nothing of it was taken for longer than `limit`.
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
