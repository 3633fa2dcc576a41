/// The HTTP version of a message, as the cassette writes it.
package enum HTTPVersion: String, Sendable {
    case http10 = "HTTP/1.0"
    case http11 = "HTTP/1.1"
    case http2 = "HTTP/2"
}

/// What is known about the length of a body before it arrives. How its end is marked depends on the HTTP version.
package enum BodyLength: Sendable, Equatable {
    /// There is no body.
    case none
    /// In bytes.
    case known(Int)
    case unknown

    /// Whether it is known that nothing will come.
    package var isEmpty: Bool { self == .none || self == .known(0) }
}

/// Start line and fields of a request.
package struct RequestHead: Sendable, Equatable {
    package var method: [UInt8]
    /// Exactly as sent: origin-form, absolute-form, authority-form or `*` (RFC 9112 §3.2).
    package var target: [UInt8]
    package var version: HTTPVersion
    package var fields: Fields
    package var bodyLength: BodyLength

    package init(
        method: [UInt8],
        target: [UInt8],
        version: HTTPVersion = .http11,
        fields: Fields = Fields(),
        bodyLength: BodyLength = .none
    ) {
        self.method = method
        self.target = target
        self.version = version
        self.fields = fields
        self.bodyLength = bodyLength
    }

    package var isHEAD: Bool { isMethod("HEAD") }

    package var isCONNECT: Bool { isMethod("CONNECT") }

    /// Called several times for each request. Methods are case-sensitive (RFC 9110 §9.1).
    private func isMethod(_ name: StaticString) -> Bool {
        guard method.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<method.count where method[index] != name.utf8Start[index] { return false }
        return true
    }

    /// Whether the method asks for no change (RFC 9110 §9.2.1).
    package var isSafe: Bool {
        isMethod("GET") || isHEAD || isMethod("OPTIONS") || isMethod("TRACE")
    }

    /// Whether sending the request twice should have the same effect as sending it once (RFC 9110 §9.2.2).
    package var isIdempotent: Bool {
        isSafe || isMethod("PUT") || isMethod("DELETE")
    }

    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    package var expectsContinue: Bool {
        version != .http10 && !bodyLength.isEmpty && fields.list("expect", has: "100-continue")
    }
}

/// Status line and fields of a response.
package struct ResponseHead: Sendable, Equatable {
    package var version: HTTPVersion
    /// 100…999.
    package var status: Int
    /// The reason phrase as sent; nil if the status line ended after the status, with no space.
    package var reason: [UInt8]?
    package var fields: Fields
    package var bodyLength: BodyLength

    package init(
        version: HTTPVersion = .http11,
        status: Int,
        reason: [UInt8]? = nil,
        fields: Fields = Fields(),
        bodyLength: BodyLength = .none
    ) {
        self.version = version
        self.status = status
        self.reason = reason
        self.fields = fields
        self.bodyLength = bodyLength
    }

    /// Whether a response with this status has no body, whatever its fields say (RFC 9110 §6.4.1).
    package static func isBodyless(status: Int) -> Bool {
        status < 200 || status == 204 || status == 304
    }

    /// What `Transfer-Encoding` lists, without `identity`, which old servers send and which means none.
    package var transferCodings: [ArraySlice<UInt8>] {
        listMembers(fields.values("transfer-encoding")).filter { !equalsIgnoringCase($0, "identity".utf8) }
    }

    /// Whether the fields say that the body was sent in chunks of HTTP/1.1, even if there is a `Content-Length` too.
    package var isChunked: Bool { fields.contains("transfer-encoding") && !transferCodings.isEmpty }
}
