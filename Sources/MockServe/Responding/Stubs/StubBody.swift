/// What the body of a request must be for a stub to answer it.
public struct StubBody: Sendable {
    let matches: @Sendable (MockRequest) -> Bool

    /// JSON with this value: the order of members and white space do not count.
    public static func json(_ value: JSONValue) -> StubBody {
        StubBody { request in JSONValue(request.body) == value }
    }

    /// JSON that has this in it: an object may have more members, at every depth.
    public static func json(containing value: JSONValue) -> StubBody {
        StubBody { request in JSONValue(request.body)?.contains(value) ?? false }
    }

    /// A form with these fields, and perhaps others.
    public static func form(_ fields: [String: String]) -> StubBody {
        StubBody { request in
            let form = request.form
            return fields.allSatisfy { name, value in form.all(name).contains(value) }
        }
    }

    /// Exactly this text.
    public static func text(_ text: String) -> StubBody { bytes(Array(text.utf8)) }

    /// Exactly these bytes.
    public static func bytes(_ bytes: [UInt8]) -> StubBody { StubBody { $0.body == bytes } }

    /// Whatever a function says.
    public static func matching(_ matches: @escaping @Sendable ([UInt8]) -> Bool) -> StubBody {
        StubBody { matches($0.body) }
    }
}
