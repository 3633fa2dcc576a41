/// Something that a server did and that its owner may want to know at once. More kinds may be added.
public struct ServerEvent: Sendable, Equatable {
    /// A request without a recorded answer; nil for other events.
    public let miss: Miss?
    /// An exchange that could not be answered, forwarded or recorded, in one line; nil for other events.
    public let failure: String?

    /// A request without a recorded answer.
    public static func miss(_ miss: Miss) -> ServerEvent { ServerEvent(miss: miss, failure: nil) }

    /// An exchange that could not be answered, forwarded or recorded, in one line.
    public static func failure(_ reason: String) -> ServerEvent { ServerEvent(miss: nil, failure: reason) }
}
