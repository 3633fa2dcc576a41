import ContentCoding

/// What a body is, judged by how it begins, whatever its label says: many clients send JSON as
/// `application/octet-stream`, `application/x-amz-json-1.1`, `text/plain` or as a form.
enum ContentStart: Sendable {
    /// An object, an array, or a sequence of them (RFC 7464). A bare string or number cannot be told from other text.
    case json
    /// XML or HTML.
    case markup
    case other

    /// Looks at the first byte after a byte order mark and the white space of JSON (RFC 8259 §2).
    ///
    /// - Returns: nil if there is none yet.
    init?(_ bytes: some Collection<UInt8>) {
        var text = bytes[...]
        if text.first == 0xEF {
            let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
            if mark.starts(with: text) { return nil }
            if text.starts(with: mark) { text = text.dropFirst(3) }
        }
        switch text.first(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }) {
        case nil: return nil
        case UInt8(ascii: "{"), UInt8(ascii: "["), 0x1E: self = .json
        case UInt8(ascii: "<"): self = .markup
        default: self = .other
        }
    }
}

/// Finds out how a body begins that arrives in pieces and may be coded. Decodes only as much as that takes.
struct ContentPeek {
    /// Bytes that are decoded at a time: they may decode to a thousand times as many.
    private static let step = 64
    /// Bytes of white space after which a body is taken for something else.
    private static let patience = 512

    /// Nil for a body that is not coded.
    private let chain: DecoderChain?
    private var start: [UInt8] = []

    /// - Parameter codings: in the order in which they were applied.
    init(_ codings: [ContentCoding]) {
        chain = codings.isEmpty ? nil : DecoderChain(codings)
    }

    /// Takes the next piece.
    ///
    /// - Returns: nil until it is known.
    mutating func look(at bytes: some Collection<UInt8>) -> ContentStart? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let isComplete = decode(Array(rest.prefix(Self.step)))
            rest = rest.dropFirst(Self.step)
            if let found = ContentStart(start) { return found }
            guard isComplete, start.count <= Self.patience else { return .other }
        }
        return nil
    }

    /// - Returns: false if the piece is not valid in its coding.
    private mutating func decode(_ piece: [UInt8]) -> Bool {
        guard let chain else {
            start += piece
            return true
        }
        chain.feed(piece)
        do {
            while let block = try chain.next() {
                start += block.prefix(Self.patience + 1)
                if start.count > Self.patience { return true }
            }
            return true
        } catch {
            return false
        }
    }
}
