package import HTTPMessages
package import NIOCore

/// A tolerant, incremental HTTP/1.x response parser: what common clients accept from a server is accepted and kept;
/// what two readers could frame differently is refused (RFC 9112 §6.3).
///
/// Accepted beyond the grammar: bare LF line ends, folded lines, white space around the colon, a missing reason, blank
/// lines before the status line, control characters in values, equal `Content-Length`s, `Transfer-Encoding` together
/// with `Content-Length`, `chunked` twice, and `identity`.
///
/// One parser reads one answer, after up to 32 1xx responses. Bytes after it are counted in `leftover`.
package struct ResponseParser {
    private enum State {
        case startLine
        case fields(HTTPVersion, status: Int, reason: [UInt8]?)
        case body
        case done
    }

    /// Informational responses before an answer: as many as anybody has a use for, so that they end some time.
    package static let informationalLimit = 32

    private let limits: WireLimits
    private let answersHEAD: Bool
    private var lines = LineReader()
    private var state = State.startLine
    // Not part of the state: a payload taken out of an enumeration is copied when it is changed.
    private var fields: FieldParser
    private var body: BodyParser
    private var blankLines = 0
    private var informationals = 0

    /// - Parameter answersHEAD: whether the request was a `HEAD`, so that the answer has no body (RFC 9112 §6.3).
    package init(answersHEAD: Bool, limits: WireLimits = WireLimits()) {
        self.answersHEAD = answersHEAD
        self.limits = limits
        fields = FieldParser(limits: limits, isStrict: false)
        body = BodyParser(framing: .none, limits: limits, isStrict: false)
    }

    /// Bytes that arrived after the end of the response: more than was asked for.
    package var leftover: Int { lines.readableBytes }

    package mutating func append(_ bytes: ByteBuffer) {
        lines.append(bytes)
    }

    /// Says that the connection has ended.
    ///
    /// - Returns: true if that completes the response (its body had no other end).
    package mutating func finish() throws(WireError) -> Bool {
        switch state {
        case .done: return false
        case .body where body.endsWithConnection:
            state = .done
            return true
        case .startLine where lines.readableBytes == 0 && informationals == 0:
            throw WireError(status: 502, "the connection was closed before an answer")
        case .startLine, .fields:
            throw WireError(status: 502, "the connection was closed inside the response head")
        case .body:
            throw WireError(status: 502, "the connection was closed inside the response body")
        }
    }

    /// The next part of the response, or nil until more has arrived.
    package mutating func next() throws(WireError) -> WirePart<ResponseHead>? {
        do {
            return try parse()
        } catch {
            throw WireError(status: 502, error.message)
        }
    }

    private mutating func parse() throws(WireError) -> WirePart<ResponseHead>? {
        while true {
            switch state {
            case .startLine:
                guard let line = try readStatusLine() else { return nil }
                guard let (version, status, reason) = line else { continue }
                fields = FieldParser(limits: limits, isStrict: false)
                state = .fields(version, status: status, reason: reason)
            case .fields(let version, let status, let reason):
                guard try fields.read(from: &lines) else { return nil }
                let head = ResponseHead(version: version, status: status, reason: reason, fields: fields.fields)
                return try accept(head)
            case .body:
                let part: WirePart<ResponseHead>? = try body.next(from: &lines)
                if case .end = part { state = .done }
                return part
            case .done:
                return nil
            }
        }
    }

    private mutating func accept(_ head: ResponseHead) throws(WireError) -> WirePart<ResponseHead> {
        guard head.status >= 200 || head.status == 101 else {
            informationals += 1
            guard informationals <= Self.informationalLimit else { throw WireError.tooManyInformational }
            state = .startLine
            return .informational(head)
        }
        guard head.status != 101 else { throw WireError("101 Switching Protocols to a request without Upgrade") }
        var head = head
        let framing = try responseFraming(head)
        head.bodyLength = framing.bodyLength
        body = BodyParser(framing: framing, limits: limits, isStrict: false)
        state = .body
        return .head(head)
    }

    private typealias StatusLine = (version: HTTPVersion, status: Int, reason: [UInt8]?)

    private mutating func readStatusLine() throws(WireError) -> StatusLine?? {
        let limit = limits.startLine
        let tooLong = WireError("the status line is longer than \(limit) bytes")
        let line: StatusLine?? = try lines.withLine(limit: limit, tooLong: tooLong, allowsBareLF: true) {
            line throws(WireError) in
            line.isEmpty ? nil : try parseStatusLine(line)
        }
        if case .some(.none) = line {
            blankLines += 1
            guard blankLines <= 32 else { throw WireError("too many blank lines before the status line") }
        }
        return line
    }

    private func responseFraming(_ head: ResponseHead) throws(WireError) -> BodyFraming {
        if answersHEAD || ResponseHead.isBodyless(status: head.status) { return .none }
        if head.fields.contains("transfer-encoding") {
            let codings = head.transferCodings
            guard codings.allSatisfy({ equalsIgnoringCase($0, "chunked".utf8) }) else {
                throw WireError("Transfer-Encoding other than `chunked`")
            }
            // A `Content-Length` does not count then (RFC 9112 §6.3).
            if !codings.isEmpty { return .chunked }
        }
        let lengths = head.fields.values("content-length")
        guard !lengths.isEmpty else { return .untilClose }
        // "5, 5" is what two equal lines become behind some proxies (RFC 9110 §8.6).
        let numbers = lengths.flatMap { $0.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) }
            .map { parseDecimal(trimmingSpace($0)) }
        guard let first = numbers.first, let length = first else { throw WireError("a bad Content-Length") }
        guard numbers.allSatisfy({ $0 == length }) else { throw WireError("different or bad Content-Lengths") }
        return .length(length)
    }
}

extension ResponseHead {
    /// Whether another exchange may follow on the connection. A message that was framed in two ways, or in chunks by an
    /// HTTP/1.0 server, ends the connection, because another reader might see its end elsewhere (RFC 9112 §6.1, §6.3).
    package var allowsAnother: Bool {
        guard keepsAlive, bodyLength != .unknown || isChunked else { return false }
        return !fields.contains("transfer-encoding") || version == .http11 && !fields.contains("content-length")
    }
}

/// RFC 9112 §4: HTTP-version SP status-code SP [ reason-phrase ]; the reason and the space before it may be missing.
private func parseStatusLine(
    _ line: UnsafeRawBufferPointer
) throws(WireError) -> (version: HTTPVersion, status: Int, reason: [UInt8]?) {
    let notHTTP = WireError("not an HTTP/1.0 or HTTP/1.1 status line")
    guard line.count >= 12, line[8] == 0x20 else { throw notHTTP }
    let version: HTTPVersion
    if equals(line[..<8], "HTTP/1.1") {
        version = .http11
    } else if equals(line[..<8], "HTTP/1.0") {
        version = .http10
    } else {
        throw notHTTP
    }
    guard let status = parseDecimal(line[9..<12]), status >= 100 else { throw WireError("a bad status code") }
    guard line.count > 12 else { return (version, status, nil) }
    guard line[12] == 0x20 else { throw WireError("a bad status code") }
    let reason = line[13...]
    guard !reason.contains(0) else { throw WireError("NUL in the reason") }
    return (version, status, Array(reason))
}
