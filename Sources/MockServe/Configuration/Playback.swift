import MockServeCore

/// Which of several recorded answers to the same request is used. Every scope starts at the beginning. More may be
/// added.
public struct Playback: RawRepresentable, Sendable, Hashable, CaseIterable {
    let mode: PlaybackMode

    /// In order; the last one repeats. A write (any method that is not safe, RFC 9110 §9.2.1) moves time forward: reads
    /// are answered with what was recorded between the last answered write and the next one, however often they were
    /// polled before.
    public static let timeline = Playback(.timeline)
    /// In order; the last one repeats. Writes do not count.
    public static let sequence = Playback(.sequence)
    /// Each answer once; after the last, a miss.
    public static let once = Playback(.once)
    /// In order, then again from the first.
    public static let cycle = Playback(.cycle)
    /// Always the first.
    public static let first = Playback(.first)
    /// All requests must arrive in the recorded order; any other is a miss.
    public static let strict = Playback(.strict)

    /// All playbacks.
    public static let allCases = PlaybackMode.allCases.map { Playback($0) }

    private init(_ mode: PlaybackMode) {
        self.mode = mode
    }

    /// The playback with this name; nil if there is none.
    public init?(rawValue: String) {
        guard let mode = PlaybackMode(rawValue: rawValue) else { return nil }
        self.mode = mode
    }

    /// Its name, as on the command line.
    public var rawValue: String { mode.rawValue }
}
