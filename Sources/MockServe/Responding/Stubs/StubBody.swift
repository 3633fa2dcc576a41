public import MockServeCore

/// What the body of a request must be for a stub to answer it.
public struct StubBody: Sendable {
    enum Kind: Sendable {
        case written(BodyCondition)
        case matching(@Sendable ([UInt8]) -> Bool)
    }

    let kind: Kind

    /// JSON with this value: the order of members and white space do not count.
    public static func json(_ value: JSONValue) -> StubBody { StubBody(kind: .written(.json(value))) }

    /// JSON that has this in it: an object may have more members, at every depth.
    public static func json(containing value: JSONValue) -> StubBody { StubBody(kind: .written(.containing(value))) }

    /// A form with these fields, and perhaps others.
    public static func form(_ fields: [String: String]) -> StubBody {
        StubBody(kind: .written(.form(fields.mapValues { .equals($0) })))
    }

    /// Exactly this text.
    public static func text(_ text: String) -> StubBody { bytes(Array(text.utf8)) }

    /// Exactly these bytes.
    public static func bytes(_ bytes: [UInt8]) -> StubBody { StubBody(kind: .written(.bytes(bytes))) }

    /// Whatever a function says. It is called on the thread that serves, so it must not block.
    public static func matching(_ matches: @escaping @Sendable ([UInt8]) -> Bool) -> StubBody {
        StubBody(kind: .matching(matches))
    }
}
