/// What the body of a request must be for a stub to answer it.
public struct StubBody: Sendable {
    let matches: @Sendable (AskedBody) -> Bool

    /// JSON with this value: the order of members and white space do not count.
    public static func json(_ value: JSONValue) -> StubBody {
        StubBody { $0.json == value }
    }

    /// JSON that has this in it: an object may have more members, at every depth.
    public static func json(containing value: JSONValue) -> StubBody {
        StubBody { $0.json?.contains(value) ?? false }
    }

    /// A form with these fields, and perhaps others.
    public static func form(_ fields: [String: String]) -> StubBody {
        StubBody { body in
            let form = body.request.form
            return fields.allSatisfy { name, value in form.all(name).contains(value) }
        }
    }

    /// Exactly this text.
    public static func text(_ text: String) -> StubBody { bytes(Array(text.utf8)) }

    /// Exactly these bytes.
    public static func bytes(_ bytes: [UInt8]) -> StubBody { StubBody { $0.request.body == bytes } }

    /// Whatever a function says. It is called on the thread that serves, so it must not block.
    public static func matching(_ matches: @escaping @Sendable ([UInt8]) -> Bool) -> StubBody {
        StubBody { matches($0.request.body) }
    }
}

/// The body of one request, which any number of stubs look at: it is parsed once.
final class AskedBody {
    let request: MockRequest
    private(set) lazy var json = JSONValue(request.body)

    init(_ request: MockRequest) { self.request = request }
}
