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

    /// Whether the end of input is the end of the body.
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
                guard !fields.contains("content-length"), !fields.contains("transfer-encoding") else {
                    throw WireError("a trailer that changes the framing")
                }
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
            let digits = line.prefix { hexDigit($0) != nil }
            var rest = line[digits.endIndex...]
            if !isStrict { rest = trimmingSpace(rest) }
            guard !digits.isEmpty, digits.count <= 15 else { throw WireError("a bad chunk size") }
            guard rest.isEmpty || trimmingSpace(rest).first == UInt8(ascii: ";") else {
                throw WireError("a bad chunk size")
            }
            guard rest.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw WireError("a control character in a chunk extension")
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

/// The value of an ASCII hexadecimal digit.
package func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}
