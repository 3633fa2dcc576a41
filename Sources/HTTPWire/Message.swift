package import NIOCore

/// HTTP/1.0 or HTTP/1.1; nothing else gets through the parsers.
package enum WireVersion: String, Sendable {
    case http10 = "HTTP/1.0"
    case http11 = "HTTP/1.1"
}

/// How the end of a message body is found (RFC 9112 §6.3).
package enum BodyFraming: Sendable, Equatable {
    case none
    /// `Content-Length`, in bytes.
    case length(Int)
    case chunked
    /// The body ends with the connection: responses only.
    case untilClose
}

/// Start line and fields of a request.
package struct RequestHead: Sendable, Equatable {
    package var method: [UInt8]
    /// Exactly as sent: origin-form, absolute-form, authority-form or `*` (RFC 9112 §3.2).
    package var target: [UInt8]
    package var version: WireVersion
    package var fields: Fields
    package var framing: BodyFraming

    package init(
        method: [UInt8],
        target: [UInt8],
        version: WireVersion = .http11,
        fields: Fields = Fields(),
        framing: BodyFraming = .none
    ) {
        self.method = method
        self.target = target
        self.version = version
        self.fields = fields
        self.framing = framing
    }

    package var isHEAD: Bool { isMethod("HEAD") }

    /// Asked several times for each request. Methods tell upper from lower case (RFC 9110 §9.1).
    private func isMethod(_ name: StaticString) -> Bool {
        guard method.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<method.count where method[index] != name.utf8Start[index] { return false }
        return true
    }

    /// Whether the method is one that asks for no change (RFC 9110 §9.2.1). Methods tell upper from lower case.
    package var isSafe: Bool {
        isMethod("GET") || isHEAD || isMethod("OPTIONS") || isMethod("TRACE")
    }

    /// Whether sending the request twice is to have the effect of sending it once (RFC 9110 §9.2.2).
    package var isIdempotent: Bool {
        isSafe || isMethod("PUT") || isMethod("DELETE")
    }

    /// Whether the client wants the connection kept after this exchange (RFC 9112 §9.3).
    package var keepsAlive: Bool { HTTPWire.keepsAlive(version, fields) }

    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    package var expectsContinue: Bool {
        version == .http11 && framing != .none && framing != .length(0) && fields.list("expect", has: "100-continue")
    }
}

/// Status line and fields of a response.
package struct ResponseHead: Sendable, Equatable {
    package var version: WireVersion
    /// 100…999.
    package var status: Int
    /// The reason phrase as sent; nil if the status line ended after the status, with no space.
    package var reason: [UInt8]?
    package var fields: Fields
    package var framing: BodyFraming

    package init(
        version: WireVersion = .http11,
        status: Int,
        reason: [UInt8]? = nil,
        fields: Fields = Fields(),
        framing: BodyFraming = .none
    ) {
        self.version = version
        self.status = status
        self.reason = reason
        self.fields = fields
        self.framing = framing
    }

    package var keepsAlive: Bool { HTTPWire.keepsAlive(version, fields) }

    /// Whether a response of this status has no body whatever its fields say (RFC 9110 §6.4.1).
    package static func isBodyless(status: Int) -> Bool {
        status < 200 || status == 204 || status == 304
    }
}

/// What the parsers put out, in the order of the wire.
package enum WirePart<Head: Sendable>: Sendable {
    /// A 1xx response before the answer (RFC 9110 §15.2). Never out of the request parser.
    case informational(Head)
    case head(Head)
    /// A chunk of `size` bytes begins (RFC 9112 §7.1). Only in a chunked body.
    case chunk(size: Int)
    /// Body bytes after transfer-decoding, as they came in: any number of slices a chunk.
    case body(ByteBuffer)
    case end(trailers: Fields)
}

private func keepsAlive(_ version: WireVersion, _ fields: Fields) -> Bool {
    switch version {
    case .http11: !fields.list("connection", has: "close")
    case .http10: fields.list("connection", has: "keep-alive") && !fields.list("connection", has: "close")
    }
}
