import NIOCore

/// How long a connection may stay as it is: a state machine that is told what happens and when, and is checked now and
/// then. It has no clock and no timer of its own.
struct ConnectionLifetime {
    /// What is awaited from the client.
    enum Awaited {
        /// The next request; none of it has arrived.
        case request
        /// The rest of a request's head.
        case head
        /// The rest of a request's body.
        case body
        /// Nothing: it is the server's turn.
        case nothing
    }

    enum Verdict: Equatable {
        case goOn
        /// The client does not read what it is sent.
        case stalled
        /// A request arrives too slowly.
        case tooSlow
        /// No request has arrived for too long.
        case idle
    }

    private let timeouts: ConnectionTimeouts
    private var lastRead: NIODeadline
    /// When the first byte of a request arrived whose head is not complete yet.
    private var headStart: NIODeadline
    private var output = OutputProgress()

    init(_ timeouts: ConnectionTimeouts, now: NIODeadline) {
        self.timeouts = timeouts
        lastRead = now
        headStart = now
    }

    /// - Parameter beginsHead: whether these are the first bytes of a request.
    mutating func received(_ now: NIODeadline, beginsHead: Bool) {
        lastRead = now
        if beginsHead { headStart = now }
    }

    /// Reading goes on after a pause. What the client did meanwhile is not known.
    mutating func resumedReading(_ now: NIODeadline) { lastRead = now }

    /// An answer is complete. What has arrived of the next request begins now.
    mutating func endedExchange(_ now: NIODeadline) {
        lastRead = now
        headStart = now
    }

    /// Bytes were handed to the channel.
    mutating func wrote(_ bytes: Int) { output.written += bytes }

    /// - Parameters:
    ///   - buffered: bytes handed to the channel that the client's socket has not taken yet.
    ///   - isOpen: false if the connection is already ending; then only the output counts.
    mutating func verdict(_ now: NIODeadline, awaiting: Awaited, buffered: Int, isOpen: Bool) -> Verdict {
        if output.hasStalled(buffered: buffered, now, limit: timeouts.stall) { return .stalled }
        guard isOpen else { return .goOn }
        switch awaiting {
        case .request: return now - lastRead > timeouts.idle ? .idle : .goOn
        case .head: return now - headStart > timeouts.head ? .tooSlow : .goOn
        case .body: return now - lastRead > timeouts.stall ? .tooSlow : .goOn
        case .nothing: return .goOn
        }
    }
}
