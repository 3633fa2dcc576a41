/// How far a connection is on its way to its end. It is open, then drains (what was written is sent), then may linger
/// (input that still arrives is thrown away), then is closed.
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

    /// While the last answer is sent, a client that sends without end is not read without end.
    var holdsInput: Bool { phase == .draining && discarded > Self.limit }

    /// - Returns: false if the connection is ending already.
    mutating func begin() -> Bool {
        guard phase == .open else { return false }
        phase = .draining
        return true
    }

    /// Everything was sent.
    ///
    /// - Returns: whether input may still arrive.
    mutating func linger() -> Bool {
        guard phase == .draining, !isInputClosed else { return false }
        phase = .lingering
        return true
    }

    /// Input arrived that nobody wants.
    ///
    /// - Returns: whether the connection must be closed.
    mutating func discard(_ bytes: Int) -> Bool {
        discarded += bytes
        return phase == .lingering && discarded > Self.limit
    }

    /// - Returns: whether the connection must be closed.
    mutating func closeInput() -> Bool {
        isInputClosed = true
        return phase == .lingering
    }
}
