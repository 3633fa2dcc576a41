/// What a server with an upstream records. More modes may be added.
public struct RecordMode: RawRepresentable, Sendable, Hashable, CaseIterable {
    enum Kind: String, CaseIterable {
        case replay, once, missing, all, rewrite, passthrough
    }

    let kind: Kind

    /// Replays the cassette and contacts no upstream.
    public static let replay = RecordMode(.replay)
    /// Records if the cassette has no interactions yet; otherwise replays it and contacts no upstream.
    public static let once = RecordMode(.once)
    /// Replays what was recorded before and records the rest.
    public static let missing = RecordMode(.missing)
    /// Records everything. If the scope ends well, new answers replace older ones to the same requests.
    public static let all = RecordMode(.all)
    /// Records everything. If the scope ends well and anything was recorded, this replaces everything recorded before;
    /// rules and answers written by hand stay. If something could not be recorded, it acts as ``all``.
    public static let rewrite = RecordMode(.rewrite)
    /// Forwards everything and records nothing.
    public static let passthrough = RecordMode(.passthrough)

    /// All modes.
    public static let allCases = Kind.allCases.map { RecordMode($0) }

    private init(_ kind: Kind) {
        self.kind = kind
    }

    /// The mode with this name; nil if there is none.
    public init?(rawValue: String) {
        guard let kind = Kind(rawValue: rawValue) else { return nil }
        self.kind = kind
    }

    /// Its name, as on the command line.
    public var rawValue: String { kind.rawValue }
}
