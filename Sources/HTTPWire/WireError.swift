/// Why a message is refused. For a request `status` is what to answer before closing; for a response it is always 502.
package struct WireError: Error, Sendable, Equatable, CustomStringConvertible {
    package let status: Int
    /// One line: what is wrong with the message, without its bytes (they may hold secrets).
    package let message: String

    package init(status: Int = 400, _ message: String) {
        self.status = status
        self.message = message
    }

    /// A request that did not arrive completely in time.
    package static let tooSlow = WireError(status: 408, "the request took too long to arrive")

    package static let tooManyInformational = WireError(
        "more than \(ResponseParser.informationalLimit) informational responses"
    )

    /// The first byte of a TLS handshake record (RFC 8446 §5.1) arrived where a request is expected.
    static let clientSpeaksTLS = WireError("a TLS handshake where a request is expected")

    package var description: String { message }
}

/// Limits over which the parsers refuse a message.
package struct WireLimits: Sendable, Equatable {
    /// Bytes of a request line or status line. Over it: 414.
    package var startLine = 16 << 10
    /// Bytes of all field lines, and again of all trailer lines. Over it: 431.
    package var fieldSection = 256 << 10
    /// Field lines of one section. Over it: 431.
    package var fieldCount = 1000
    /// Bytes of a chunk-size line with its extensions. Over it: 400.
    package var chunkLine = 4 << 10

    package init() {}
}
