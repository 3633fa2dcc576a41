import HTTPMessages
import NIOCore

/// Reads a message body by its framing, the same for requests and responses (RFC 9112 §6, §7).
struct BodyParser {
    private enum State {
        case fixed(remaining: Int)
        case chunkSize
        case chunkData(remaining: Int)
        case chunkEnd
        case trailers
        case untilClose
        case done
    }

    private let limits: WireLimits
    private let isStrict: Bool
    private var state: State
    private var trailers: FieldParser

    init(framing: BodyFraming, limits: WireLimits, isStrict: Bool) {
        self.limits = limits
        self.isStrict = isStrict
        trailers = FieldParser(limits: limits, isStrict: isStrict)
        state =
            switch framing {
            case .none: .fixed(remaining: 0)
            case .length(let length): .fixed(remaining: length)
            case .chunked: .chunkSize
            case .untilClose: .untilClose
            }
    }

    /// Whether the body ends when the connection does.
    var endsWithConnection: Bool {
        if case .untilClose = state { true } else { false }
    }

    /// The next part of the body, or nil until more has arrived. Nothing comes after `.end`.
    mutating func next<Head>(from lines: inout LineReader) throws(WireError) -> WirePart<Head>? {
        while true {
            switch state {
            case .fixed(let remaining):
                guard remaining > 0 else { return end(Fields()) }
                guard let slice = lines.readSlice(upTo: remaining) else { return nil }
                state = .fixed(remaining: remaining - slice.readableBytes)
                return .body(slice)
            case .untilClose:
                return lines.readSlice(upTo: .max).map { .body($0) }
            case .chunkSize:
                guard let size = try readChunkSize(&lines) else { return nil }
                guard size > 0 else {
                    state = .trailers
                    continue
                }
                state = .chunkData(remaining: size)
                return .chunk(size: size)
            case .chunkData(let remaining):
                guard remaining > 0 else {
                    state = .chunkEnd
                    continue
                }
                guard let slice = lines.readSlice(upTo: remaining) else { return nil }
                state = .chunkData(remaining: remaining - slice.readableBytes)
                return .body(slice)
            case .chunkEnd:
                guard try readChunkEnd(&lines) else { return nil }
                state = .chunkSize
            case .trailers:
                guard try trailers.read(from: &lines) else { return nil }
                let fields = trailers.fields
                try fields.checkTrailers(isStrict: isStrict)
                return end(fields)
            case .done:
                return nil
            }
        }
    }

    private mutating func end<Head>(_ trailers: Fields) -> WirePart<Head> {
        state = .done
        return .end(trailers: trailers)
    }

    private func readChunkSize(_ lines: inout LineReader) throws(WireError) -> Int? {
        let isStrict = isStrict
        return try lines.withLine(
            limit: limits.chunkLine,
            tooLong: WireError("a chunk-size line longer than \(limits.chunkLine) bytes"),
            allowsBareLF: !isStrict
        ) {
            line throws(WireError) in
            var digits = line.prefix { hexDigit($0) != nil }
            var rest = line[digits.endIndex...]
            if !isStrict { rest = trimmingSpace(rest) }
            guard !digits.isEmpty else { throw WireError("a bad chunk size") }
            if !isStrict { digits = digits.drop { $0 == UInt8(ascii: "0") } }
            guard digits.count <= 15 else { throw WireError("a bad chunk size") }
            guard isStrict || rest.isEmpty || rest.first == UInt8(ascii: ";") else {
                throw WireError("a bad chunk size")
            }
            guard isStrict ? isChunkExtension(rest) : isPrintable(rest) else {
                throw WireError("a bad chunk extension")
            }
            return digits.reduce(0) { $0 << 4 | Int(hexDigit($1) ?? 0) }
        }
    }

    private func readChunkEnd(_ lines: inout LineReader) throws(WireError) -> Bool {
        let longer = WireError("a chunk is longer than its size")
        let found: Bool? = try lines.withLine(limit: 2, tooLong: longer, allowsBareLF: !isStrict) {
            line throws(WireError) in
            guard line.isEmpty else { throw longer }
            return true
        }
        return found ?? false
    }
}

private func isPrintable(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
}

/// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )` (RFC 9112 §7.1.1).
private func isChunkExtension(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    var rest = bytes
    func skipSpace() { rest = rest.drop { $0 == 0x20 || $0 == 0x09 } }
    func takeToken() -> Bool {
        let token = rest.prefix { isToken(CollectionOfOne($0)) }
        rest = rest[token.endIndex...]
        return !token.isEmpty
    }
    while !rest.isEmpty {
        skipSpace()
        guard rest.popFirst() == UInt8(ascii: ";") else { return false }
        skipSpace()
        guard takeToken() else { return false }
        let end = rest
        skipSpace()
        guard rest.first == UInt8(ascii: "=") else {
            // White space is allowed only before something that follows.
            if rest.isEmpty, !end.isEmpty { return false }
            continue
        }
        rest = rest.dropFirst()
        skipSpace()
        guard rest.first == UInt8(ascii: "\"") ? takeQuotedString(&rest) : takeToken() else { return false }
    }
    return true
}

/// `quoted-string` of RFC 9110 §5.6.4.
private func takeQuotedString(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Bool {
    rest = rest.dropFirst()
    while let byte = rest.popFirst() {
        switch byte {
        case UInt8(ascii: "\""): return true
        case UInt8(ascii: "\\"): guard let escaped = rest.popFirst(), isText(escaped) else { return false }
        default: guard isText(byte) else { return false }
        }
    }
    return false
}

private func isText(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }

extension Fields {
    /// Trailers say nothing of what was needed to get to them (RFC 9110 §6.5.1).
    ///
    /// - Parameter isStrict: whether they are those of a request.
    package func checkTrailers(isStrict: Bool) throws(WireError) {
        guard !contains("content-length"), !contains("transfer-encoding"), !isStrict || !contains("host")
        else { throw WireError("a trailer that changes the framing or the routing") }
    }
}
