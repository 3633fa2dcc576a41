import MockServeCore

/// Which of several recorded answers to the same request is given. Every scope begins at the beginning. More ways may come.
public struct Playback: RawRepresentable, Sendable, Hashable, CaseIterable {
    let mode: PlaybackMode

    /// In order, the last one stays; and a write (any method that is not safe, RFC 9110 §9.2.1) moves time forward: reads
    /// are answered from what was recorded between the last write that was answered and the next one, however often they were
    /// polled before.
    public static let timeline = Playback(.timeline)
    /// In order, and the last one stays, whatever is written meanwhile.
    public static let sequence = Playback(.sequence)
    /// Each answer once; after the last comes a miss.
    public static let once = Playback(.once)
    /// In order, and again from the first.
    public static let cycle = Playback(.cycle)
    /// Always the first.
    public static let first = Playback(.first)
    /// All requests must come in the recorded order; any other is a miss.
    public static let strict = Playback(.strict)

    /// All of them.
    public static let allCases = PlaybackMode.allCases.map { Playback($0) }

    private init(_ mode: PlaybackMode) {
        self.mode = mode
    }

    /// The way of a name.
    public init?(rawValue: String) {
        guard let mode = PlaybackMode(rawValue: rawValue) else { return nil }
        self.mode = mode
    }

    /// Its name, as the command line takes it.
    public var rawValue: String { mode.rawValue }
}

/// What becomes of a scope that did not use every recorded interaction. More may come.
public struct UnusedPolicy: Sendable, Equatable {
    private let isFailure: Bool

    /// Nothing.
    public static let ignore = UnusedPolicy(isFailure: false)
    /// It throws ``MockServeError/Code/unusedInteractions`` when it ends, unless there is another error.
    public static let fail = UnusedPolicy(isFailure: true)
}
