/// What a server that has an upstream records. More modes may come.
public struct RecordMode: RawRepresentable, Sendable, Hashable, CaseIterable {
    enum Kind: String, CaseIterable {
        case replay, once, missing, all, rewrite, passthrough
    }

    let kind: Kind

    /// Replays the cassette and touches no upstream.
    public static let replay = RecordMode(.replay)
    /// Records if the cassette has no interactions yet; otherwise replays it and touches no upstream.
    public static let once = RecordMode(.once)
    /// Replays what was recorded before and records the rest.
    public static let missing = RecordMode(.missing)
    /// Records everything. When the scope ends well, new answers take the place of older ones to the same requests.
    public static let all = RecordMode(.all)
    /// Records everything. When the scope ends well, and anything was recorded, it takes the place of all that was recorded before;
    /// rules and answers written by hand stay.
    public static let rewrite = RecordMode(.rewrite)
    /// Forwards everything and records nothing.
    public static let passthrough = RecordMode(.passthrough)

    /// All of them.
    public static let allCases = Kind.allCases.map { RecordMode($0) }

    private init(_ kind: Kind) {
        self.kind = kind
    }

    /// The mode of a name.
    public init?(rawValue: String) {
        guard let kind = Kind(rawValue: rawValue) else { return nil }
        self.kind = kind
    }

    /// Its name, as the command line takes it.
    public var rawValue: String { kind.rawValue }
}
