/// What went wrong, where, and what to do about it.
///
/// A request without a recorded answer is not an error of this type: it is answered, and counted as a miss.
public struct MockServeError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The kind of failure. More kinds may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case cannotListen
            case cassetteUnreadable
            case cassetteUnwritable
            case invalidConfiguration
            case recordingRefused
            case timedOut
            case unmatchedRequests
            case unusedInteractions
            case upstreamUnreachable
        }

        private let kind: Kind

        /// The address cannot be bound, or the socket handed in cannot be used.
        public static let cannotListen = Code(kind: .cannotListen)
        /// The cassette is missing, not a cassette, damaged, or of a newer version.
        public static let cassetteUnreadable = Code(kind: .cassetteUnreadable)
        /// The cassette cannot be created or written: it lacks some or all of what was recorded.
        public static let cassetteUnwritable = Code(kind: .cassetteUnwritable)
        /// Options contradict each other or are invalid.
        public static let invalidConfiguration = Code(kind: .invalidConfiguration)
        /// Recording was requested, but `CI` is set.
        public static let recordingRefused = Code(kind: .recordingRefused)
        /// What was waited for did not happen in time.
        public static let timedOut = Code(kind: .timedOut)
        /// Requests had no recorded answer, and the code under test did not report it.
        public static let unmatchedRequests = Code(kind: .unmatchedRequests)
        /// Recorded interactions were not used, though all of them had to be.
        public static let unusedInteractions = Code(kind: .unusedInteractions)
        /// Requests could not be forwarded while recording.
        package static let upstreamUnreachable = Code(kind: .upstreamUnreachable)

        /// The name of the code.
        public var description: String { kind.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// For a person, in a few lines: what failed, where, and what to do next.
    public let message: String
    /// The error underneath, if there is one.
    public let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    public var description: String { message }

    /// Code, message and cause.
    public var debugDescription: String {
        let cause = cause.map { "; because of: \(String(reflecting: $0))" } ?? ""
        return "MockServeError.\(code): \(message)\(cause)"
    }
}
