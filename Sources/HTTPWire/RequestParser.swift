package import HTTPMessages
package import NIOCore

/// A strict, incremental HTTP/1.x request parser. It refuses whatever two readers could understand differently
/// (RFC 9112, RFC 9110), so that every later reader sees what was recorded.
///
/// Give it bytes with `append`, take parts with `next` until nil. It reads pipelined requests one after another. Once
/// it has thrown, the connection must not be used any more (RFC 9112 §11.2).
package final class RequestParser {
    private enum State {
        case startLine
        case fields(method: [UInt8], target: [UInt8], HTTPVersion)
        case body
    }

    private let limits: WireLimits
    private var lines = LineReader()
    private var state = State.startLine
    // Not part of the state: a payload taken out of an enumeration is copied when it is changed.
    private var fields: FieldParser
    private var body: BodyParser
    private var blankLines = 0

    package init(limits: WireLimits = WireLimits()) {
        self.limits = limits
        fields = FieldParser(limits: limits, isStrict: true)
        body = BodyParser(framing: .none, limits: limits, isStrict: true)
    }

    /// Bytes that have arrived and were not taken yet.
    package var bufferedBytes: Int { lines.readableBytes }

    package func append(_ bytes: ByteBuffer) {
        lines.append(bytes)
    }

    /// The next request head, up to and including its empty line, left unread; nil if it has not arrived completely, or
    /// if blank lines, which belong to no request, come before it. It may be malformed.
    package var wholeHead: ByteBuffer? {
        guard case .startLine = state, let first = lines.first, isToken(CollectionOfOne(first)) else { return nil }
        return lines.throughEmptyLine
    }

    /// Skips a request that has a head of `count` bytes and no body.
    package func skipHead(_ count: Int) {
        lines.skip(count)
        blankLines = 0
    }

    /// Whether more has arrived than `count` bytes and the line ends that some clients send after a body
    /// (RFC 9112 §2.2).
    package func holdsMore(than count: Int) -> Bool { lines.holdsMore(than: count) }

    /// The next part of a request, or nil until more has arrived.
    package func next() throws(WireError) -> WirePart<RequestHead>? {
        while true {
            switch state {
            case .startLine:
                guard let line = try readStartLine() else { return nil }
                guard let (method, target, version) = line else { continue }
                fields = FieldParser(limits: limits, isStrict: true)
                state = .fields(method: method, target: target, version)
            case .fields(let method, let target, let version):
                guard try fields.read(from: &lines) else { return nil }
                let fields = fields.fields
                let framing = try requestFraming(version, fields)
                try checkHost(version, fields)
                body = BodyParser(framing: framing, limits: limits, isStrict: true)
                state = .body
                return .head(
                    RequestHead(
                        method: method,
                        target: target,
                        version: version,
                        fields: fields,
                        bodyLength: framing.bodyLength
                    )
                )
            case .body:
                let part: WirePart<RequestHead>? = try body.next(from: &lines)
                if case .end = part { state = .startLine }
                return part
            }
        }
    }

    private typealias StartLine = (method: [UInt8], target: [UInt8], version: HTTPVersion)

    /// - Returns: nil until the line has arrived; `.some(nil)` for a blank line before it (RFC 9112 §2.2).
    private func readStartLine() throws(WireError) -> StartLine?? {
        // What cannot begin a method is refused before the line is complete: its end may never come.
        if let first = lines.first, first != 0x0D, first != 0x0A, !isToken(CollectionOfOne(first)) {
            throw first == 0x16 ? .clientSpeaksTLS : WireError("a bad method")
        }
        let limit = limits.startLine
        let line: StartLine?? = try lines.withLine(
            limit: limit,
            tooLong: WireError(status: 414, "the request line is longer than \(limit) bytes"),
            allowsBareLF: false
        ) {
            line throws(WireError) in
            line.isEmpty ? nil : try parseStartLine(line)
        }
        if case .some(.none) = line {
            blankLines += 1
            guard blankLines <= 32 else { throw WireError("too many blank lines before a request") }
        } else if line != nil {
            blankLines = 0
        }
        return line
    }
}

/// RFC 9112 §3: method SP request-target SP HTTP-version, and nothing else.
private func parseStartLine(
    _ line: UnsafeRawBufferPointer
) throws(WireError) -> (method: [UInt8], target: [UInt8], version: HTTPVersion) {
    guard let first = firstIndex(of: 0x20, in: line), let second = firstIndex(of: 0x20, in: line, from: first + 1),
        firstIndex(of: 0x20, in: line, from: second + 1) == nil
    else { throw WireError("a request line that is not `method target version`") }
    let (method, target) = (line[..<first], line[(first + 1)..<second])
    guard isToken(method), method.count <= 64 else { throw WireError("a bad method") }
    let version = try parseVersion(line[(second + 1)...])
    try checkTarget(target, method: method)
    return (methodBytes(method), Array(target), version)
}

private let get = Array("GET".utf8)
private let post = Array("POST".utf8)

/// Shares the bytes of the most frequent methods.
private func methodBytes(_ method: Slice<UnsafeRawBufferPointer>) -> [UInt8] {
    if equals(method, "GET") { return get }
    return equals(method, "POST") ? post : Array(method)
}

private func parseVersion(_ bytes: Slice<UnsafeRawBufferPointer>) throws(WireError) -> HTTPVersion {
    if equals(bytes, "HTTP/1.1") { return .http11 }
    if equals(bytes, "HTTP/1.0") { return .http10 }
    let digits = bytes.dropFirst(5)
    guard equals(bytes.prefix(5), "HTTP/"), digits.count == 3,
        digits.enumerated().allSatisfy({ $0 == 1 ? $1 == UInt8(ascii: ".") : $1 &- 0x30 < 10 })
    else { throw WireError("a bad HTTP version") }
    throw WireError(status: 505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
}

extension RequestHead {
    /// Refuses a method, a target or a `Host` that HTTP/1 would refuse, for a request that came in another version.
    package func check() throws(WireError) {
        guard isToken(method), method.count <= 64 else { throw WireError("a bad method") }
        let result = target.withUnsafeBytes { target in
            method.withUnsafeBytes { method in
                Result { () throws(WireError) in try checkTarget(target[...], method: method[...]) }
            }
        }
        try result.get()
        if fields.contains("host") { try checkHost(.http11, fields) }
    }
}

/// RFC 9112 §3.2. Bytes over 0x7F are accepted, because clients send them for unescaped names.
private func checkTarget(
    _ target: Slice<UnsafeRawBufferPointer>,
    method: Slice<UnsafeRawBufferPointer>
) throws(WireError) {
    guard target.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "#") }) else {
        throw WireError("a control character or `#` in the request target")
    }
    if equals(method, "CONNECT") {
        guard isAuthority(target), target.contains(UInt8(ascii: ":")) else {
            throw WireError("the target of CONNECT is host:port")
        }
        return
    }
    if target.first == UInt8(ascii: "/") { return }
    if equals(target, "*") {
        guard equals(method, "OPTIONS") else { throw WireError("the target `*` is for OPTIONS only") }
        return
    }
    let scheme = target.prefix { $0 != UInt8(ascii: ":") }
    let rest = target[scheme.endIndex...]
    guard equalsIgnoringCase(scheme, "http".utf8) || equalsIgnoringCase(scheme, "https".utf8),
        rest.starts(with: "://".utf8)
    else { throw WireError("a bad request target") }
    let authority = rest.dropFirst(3).prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
    guard !authority.isEmpty, isAuthority(authority) else { throw WireError("a bad host in the request target") }
}

/// Whether all bytes may be in `uri-host [":" port]` (RFC 3986 §3.2.2): no user information, no delimiters.
private func isAuthority(_ bytes: some Collection<UInt8>) -> Bool {
    bytes.allSatisfy { byte in
        switch byte {
        case ...0x20, 0x7F...: false
        case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "@"), UInt8(ascii: "\\"): false
        case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""): false
        case UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "|"), UInt8(ascii: "^"): false
        default: true
        }
    }
}

/// RFC 9112 §6.3, without the choices it leaves open.
private func requestFraming(_ version: HTTPVersion, _ fields: Fields) throws(WireError) -> BodyFraming {
    let lengths = fields.values("content-length")
    if fields.contains("transfer-encoding") {
        let codings = fields.values("transfer-encoding")
        guard version == .http11 else { throw WireError("Transfer-Encoding in an HTTP/1.0 request") }
        guard lengths.isEmpty else { throw WireError("both Content-Length and Transfer-Encoding") }
        guard codings.count == 1, equalsIgnoringCase(codings[0], "chunked".utf8) else {
            throw WireError("Transfer-Encoding other than `chunked`")
        }
        return .chunked
    }
    guard let length = lengths.first else { return .none }
    guard lengths.count == 1 else { throw WireError("Content-Length twice") }
    guard let bytes = parseDecimal(length) else { throw WireError("a bad Content-Length") }
    return .length(bytes)
}

/// RFC 9112 §3.2: exactly one valid `Host` in HTTP/1.1.
private func checkHost(_ version: HTTPVersion, _ fields: Fields) throws(WireError) {
    let hosts = fields.values("host")
    guard hosts.count <= 1 else { throw WireError("Host twice") }
    guard let host = hosts.first else {
        guard version == .http10 else { throw WireError("no Host") }
        return
    }
    guard isAuthority(host) else { throw WireError("a bad Host") }
}
