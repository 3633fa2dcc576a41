package import HTTPMessages
package import NIOCore

/// What the parsers return, in wire order.
package enum WirePart<Head: Sendable>: Sendable {
    /// A 1xx response before the answer (RFC 9110 §15.2). Never from the request parser.
    case informational(Head)
    case head(Head)
    /// A chunk of `size` bytes begins (RFC 9112 §7.1). Only in a chunked body.
    case chunk(size: Int)
    /// Body bytes after transfer-decoding, as they arrived: any number of slices for each chunk.
    case body(ByteBuffer)
    case end(trailers: Fields)
}

/// How the end of a message body is found (RFC 9112 §6.3).
enum BodyFraming: Equatable {
    case none
    /// `Content-Length`, in bytes.
    case length(Int)
    case chunked
    /// The body ends with the connection: responses only.
    case untilClose

    /// What a reader of the body needs to know.
    var bodyLength: BodyLength {
        switch self {
        case .none: .none
        case .length(let bytes): .known(bytes)
        case .chunked, .untilClose: .unknown
        }
    }
}

extension RequestHead {
    /// Whether the client wants the connection kept open after this exchange (RFC 9112 §9.3).
    package var keepsAlive: Bool { HTTPWire.keepsAlive(version, fields) }
}

extension ResponseHead {
    /// As for requests.
    package var keepsAlive: Bool { HTTPWire.keepsAlive(version, fields) }
}

private func keepsAlive(_ version: HTTPVersion, _ fields: Fields) -> Bool {
    switch version {
    case .http11, .http2: !fields.list("connection", has: "close")
    case .http10: fields.list("connection", has: "keep-alive") && !fields.list("connection", has: "close")
    }
}
