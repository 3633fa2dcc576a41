import HTTPMessages
public import Foundation
public import HTTPTypes
import MockServeCore

/// A request as a ``Responder`` sees it.
public struct MockRequest: Sendable, Equatable {
    /// Method, scheme, authority, path with query, and fields.
    public var head: HTTPRequest
    /// The whole body, without transfer coding.
    public var body: [UInt8]
    /// The trailer fields after a chunked body.
    public var trailers: HTTPFields
    /// The path parameters that a ``Router`` has matched, by name, percent-decoded.
    public internal(set) var parameters: [String: String] = [:]
    /// Name of the upstream that the request is for; nil if the server has none.
    public internal(set) var upstream: String?

    /// - Parameters:
    ///   - method: default `GET`.
    ///   - path: with the query, if there is one.
    ///   - fields: default: none.
    ///   - body: default: empty.
    ///   - trailers: fields after a chunked body.
    public init(
        method: HTTPRequest.Method = .get,
        path: String = "/",
        fields: HTTPFields = [:],
        body: [UInt8] = [],
        trailers: HTTPFields = [:]
    ) {
        let head = HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path, headerFields: fields)
        self.init(head: head, body: body, trailers: trailers)
    }

    init(head: HTTPRequest, body: [UInt8], trailers: HTTPFields, upstream: String? = nil) {
        self.upstream = upstream
        self.head = head
        self.body = body
        self.trailers = trailers
    }

    /// The method.
    public var method: HTTPRequest.Method { head.method }

    /// The fields, without `Host`, which is the authority of ``head``.
    public var fields: HTTPFields { head.headerFields }

    /// The path without the query, as it was sent.
    public var path: String { String(target.prefix { $0 != "?" }) }

    private var target: String { head.path ?? "/" }

    /// The parameters of the query, in order; empty if there is no query.
    public var query: Parameters {
        guard let mark = target.firstIndex(of: "?") else { return Parameters([]) }
        return Parameters(formEncoded: Array(target[target.index(after: mark)...].utf8))
    }

    /// The fields of a form, in order; empty if the body is not `application/x-www-form-urlencoded`.
    public var form: Parameters {
        let type = fields[.contentType].map { MediaType($0.utf8) }
        return type?.essence == "application/x-www-form-urlencoded" ? Parameters(formEncoded: body) : Parameters([])
    }

    /// The body as UTF-8 text; invalid bytes are replaced by U+FFFD.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The body decoded from JSON, whatever its `Content-Type` says.
    ///
    /// - Throws: `DecodingError` if it is not JSON, or not of this shape.
    public func json<Value: Decodable>(as type: Value.Type, decoder: JSONDecoder = JSONDecoder()) throws -> Value {
        try decoder.decode(type, from: Data(body))
    }

    /// Names with values, in the order in which they were sent.
    public struct Parameters: Sendable, Equatable {
        /// A name and a value, decoded.
        public struct Pair: Sendable, Equatable {
            /// The name; case counts.
            public let name: String
            /// The value; empty if there is none.
            public let value: String
        }

        /// All pairs.
        public let pairs: [Pair]

        init(_ pairs: [Pair]) { self.pairs = pairs }

        /// `application/x-www-form-urlencoded` (WHATWG URL §5.1).
        init(formEncoded text: [UInt8]) {
            pairs = FormPair.parse(text[...]).map {
                Pair(name: String(decoding: $0.name, as: UTF8.self), value: String(decoding: $0.value, as: UTF8.self))
            }
        }

        /// The first value with a name; nil if there is none.
        public subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }

        /// All values with a name.
        public func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }
    }
}
