/// What replaces a secret: a text of characters that no encoding changes (RFC 3986 §2.3), in the form of the secret, so
/// that clients can decode, store, compare and send back what they get.
///
/// The text is `redacted.KIND.N`; the number is the same for the same value. `redacted.KIND.cN` is a secret of the
/// client's own: one that a request had before any answer did. A client that sends a placeholder without `c` was given it
/// by us, so it is in the session that this number stands for.
///
/// | secret | placeholder |
/// |---|---|
/// | a number of JSON | `1404` (the client's own: `1405`) and at least six digits |
/// | a UUID | `4edac7ed-0000-4000-8000-` (`9000`) and twelve digits |
/// | hexadecimal | `4edac7ed0` (`4edac7edc`) and digits, as many as the secret has |
/// | base64 | that of the text |
/// | a JWT | its header, its claims without what says who it is, and `redactedJWT` (`redactedJWC`) and digits for the signature |
/// | a PEM block | its first and last line, and base64 of the text |
///
/// Before version 4 of the catalog it was `[redacted:KIND:N]`.
package struct Placeholder: Hashable, Sendable {
    let kind: String
    package let number: Int
    package let isOwn: Bool

    /// In what is compared, all secrets are alike.
    static let compared = Array("redacted".utf8)

    /// Whether a value is what secrets are compared as: `redacted`, or `redacted.N` where they are told apart.
    static func isCompared(_ value: [UInt8]) -> Bool {
        guard value.starts(with: compared) else { return false }
        let rest = value.dropFirst(compared.count)
        return rest.isEmpty
            || rest.first == UInt8(ascii: ".") && rest.count > 1 && rest.dropFirst().allSatisfy { $0 &- 0x30 < 10 }
    }

    package var text: String { "redacted.\(kind).\(isOwn ? "c" : "")\(number)" }

    /// A name in the form that a placeholder may contain.
    package static func kind(_ name: String) -> String {
        let kept = name.lowercased().unicodeScalars.compactMap { scalar -> UnicodeScalar? in
            switch scalar {
            case "a"..."z", "0"..."9", "_", "-": scalar
            case ".": "-"
            default: nil
            }
        }
        return kept.isEmpty ? "secret" : String(String.UnicodeScalarView(kept.prefix(64)))
    }

    /// Whether it may be one that was given: a number may look like a placeholder by chance.
    func wasGiven(by book: PlaceholderBook) -> Bool {
        kind != "number" || number <= book.highest || number >= ToldApart.firstDigest
    }

    // MARK: Forms

    enum Form: Sendable {
        case text
        case number
        case uuid
        case hex(Int)
        case base64
        case jwt
        case pem

        /// Whether it is the form of the whole secret, not of a text that holds it.
        func isOf(_ raw: [UInt8]) -> Bool {
            switch self {
            case .text, .number, .pem: false
            case .uuid, .hex, .jwt: true
            case .base64: Form.base64(raw[...]) != nil
            }
        }

        init(_ value: ArraySlice<UInt8>) {
            self = Self.uuid(value) ?? Self.hex(value) ?? Self.jwt(value) ?? Self.base64(value) ?? .text
        }

        private static func uuid(_ value: ArraySlice<UInt8>) -> Form? {
            guard value.count == 36 else { return nil }
            let fits = value.enumerated().allSatisfy { index, byte in
                [8, 13, 18, 23].contains(index) ? byte == 0x2D : TextView.hexDigit(byte) != nil
            }
            return fits ? .uuid : nil
        }

        private static func hex(_ value: ArraySlice<UInt8>) -> Form? {
            guard value.count >= 24, value.count % 2 == 0, value.count <= 512,
                value.allSatisfy({ TextView.hexDigit($0) != nil })
            else { return nil }
            return .hex(value.count)
        }

        private static func jwt(_ value: ArraySlice<UInt8>) -> Form? {
            let parts = value.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard parts.count == 3, value.starts(with: "eyJ".utf8), parts[1].starts(with: "eyJ".utf8) else {
                return nil
            }
            return JWTPlaceholder.canBe(parts[0], parts[1]) ? .jwt : nil
        }

        private static func base64(_ value: ArraySlice<UInt8>) -> Form? {
            guard value.count >= 16, value.count % 4 == 0 else { return nil }
            let text = value.reversed().drop { $0 == UInt8(ascii: "=") }.reversed()
            let isTelling =
                text.count < value.count || text.contains { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/") }
            guard isTelling, value.count - text.count <= 2,
                text.allSatisfy({
                    $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/")
                })
            else { return nil }
            return .base64
        }
    }

    private var digits: String { String(number) }

    private func padded(_ count: Int) -> String {
        let digits = digits
        return String(repeating: "0", count: max(0, count - digits.count)) + digits
    }

    /// - Parameters:
    ///   - value: what it stands for.
    ///   - isSecret: whether a text holds a known secret.
    func bytes(
        _ form: Form,
        _ value: ArraySlice<UInt8>,
        _ book: PlaceholderBook,
        _ isSecret: (String) -> Bool
    ) -> [UInt8] {
        switch form {
        case .text: Array(text.utf8)
        case .number: Array((isOwn ? "1405" : "1404").utf8) + Array(padded(6).utf8)
        case .uuid: Array("4edac7ed-0000-4000-\(isOwn ? "9000" : "8000")-\(padded(12))".utf8)
        case .hex(let count): Array((isOwn ? "4edac7edc" : "4edac7ed0").utf8) + Array(padded(count - 9).utf8)
        case .base64: base64
        case .jwt: JWTPlaceholder.make(self, value, book, isSecret) ?? Array(text.utf8)
        case .pem: base64
        }
    }

    /// Without `=` at its end.
    private var base64: [UInt8] {
        var text = text
        // Leading zeros do not change the number.
        if let dot = text.lastIndex(of: "."), text.utf8.count % 3 != 0 {
            let start = text.index(dot, offsetBy: isOwn ? 2 : 1)
            text.insert(contentsOf: String(repeating: "0", count: 3 - text.utf8.count % 3), at: start)
        }
        return Base64.encode(Array(text.utf8), isURLSafe: false)
    }

    var signature: [UInt8] {
        // A multiple of four characters: strict decoders want no bits to be left over.
        let count = digits.count <= 9 ? 9 : 9 + (digits.count - 9 + 3) / 4 * 4
        return Array((isOwn ? "redactedJWC" : "redactedJWT").utf8) + Array(padded(count).utf8)
    }

    // MARK: Reading

    /// The placeholder that a value is, in any form; nil if it is none.
    package static func form(of value: ArraySlice<UInt8>) -> Placeholder? {
        guard value.count >= 10 else { return nil }
        switch value.first {
        case UInt8(ascii: "r"): return plain(value)
        case UInt8(ascii: "["): return early(value)
        case UInt8(ascii: "1"): return numeric(value)
        case UInt8(ascii: "4"): return hexadecimal(value)
        case UInt8(ascii: "c"):
            guard value.starts(with: "cmVkYWN0ZWQu".utf8),
                let text = Base64.decode(value)
            else { return nil }
            return plain(text[...])
        case UInt8(ascii: "e"):
            guard let dot = value.lastIndex(of: UInt8(ascii: ".")) else { return nil }
            return signature(value[(dot + 1)...])
        default: return nil
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...64).contains(digits.count), digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    private static let start = Array("redacted.".utf8)

    private static func plain(_ value: ArraySlice<UInt8>) -> Placeholder? {
        guard value.starts(with: start) else { return nil }
        let parts = value.dropFirst(start.count).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].count), parts[0].allSatisfy(isKind) else { return nil }
        let isOwn = parts[1].first == UInt8(ascii: "c")
        return number(isOwn ? parts[1].dropFirst() : parts[1]).map {
            Placeholder(kind: String(decoding: parts[0], as: UTF8.self), number: $0, isOwn: isOwn)
        }
    }

    private static func isKind(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || byte &- 0x61 < 26 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    private static func early(_ value: ArraySlice<UInt8>) -> Placeholder? {
        guard EarlyPlaceholder.unnumbered(value) != nil else { return nil }
        let parts = value.dropFirst().dropLast().split(separator: UInt8(ascii: ":"))
        // Which were the client's own is not known of these.
        return Placeholder(
            kind: String(decoding: parts[1], as: UTF8.self),
            number: parts.count > 2 ? number(parts[2]) ?? 0 : 0,
            isOwn: true
        )
    }

    private static func numeric(_ value: ArraySlice<UInt8>) -> Placeholder? {
        let isOwn = value.starts(with: "1405".utf8)
        guard isOwn || value.starts(with: "1404".utf8), value.count <= 22 else { return nil }
        return number(value.dropFirst(4)).map { Placeholder(kind: "number", number: $0, isOwn: isOwn) }
    }

    private static func hexadecimal(_ value: ArraySlice<UInt8>) -> Placeholder? {
        guard value.starts(with: "4edac7ed".utf8), value.count > 9 else { return nil }
        let rest = value.dropFirst(8)
        if rest.first == UInt8(ascii: "-") {
            guard value.count >= 36 else { return nil }
            let isOwn = rest.starts(with: "-0000-4000-9000-".utf8)
            guard isOwn || rest.starts(with: "-0000-4000-8000-".utf8) else { return nil }
            return number(rest.dropFirst(16)).map { Placeholder(kind: "uuid", number: $0, isOwn: isOwn) }
        }
        let isOwn = rest.first == UInt8(ascii: "c")
        guard isOwn || rest.first == UInt8(ascii: "0") else { return nil }
        return number(rest.dropFirst().drop { $0 == 0x30 }).map { Placeholder(kind: "hex", number: $0, isOwn: isOwn) }
    }

    private static func signature(_ value: ArraySlice<UInt8>) -> Placeholder? {
        let isOwn = value.starts(with: "redactedJWC".utf8)
        guard isOwn || value.starts(with: "redactedJWT".utf8) else { return nil }
        return number(value.dropFirst(11)).map { Placeholder(kind: "jwt", number: $0, isOwn: isOwn) }
    }

    /// How placeholders look wherever they are, for finding them.
    static let shapes: [KeyShape] = [
        "redacted.[a-z0-9_-]{1,64}.[c]{0,1}[0-9]{1,18}", #"\[redacted:[a-z0-9_.-]{1,64}:[0-9]{1,18}\]"#,
        #"\[redacted:[a-z0-9_.-]{1,64}\]"#, "4edac7ed-0000-4000-(8000|9000)-[0-9]{12,18}",
        "4edac7ed[0c]{1}[0-9]{15,503}", "cmVkYWN0ZWQu[A-Za-z0-9]{4,128}",
        // Within a longer text of base64, at the other two places of its groups.
        "[A-Za-z0-9+/_-]{0,1024}(JlZGFjdGVkL|yZWRhY3RlZC)[A-Za-z0-9+/=_-]{0,1024}",
        "eyJ[A-Za-z0-9_-]{1,}.eyJ[A-Za-z0-9_-]{1,}.(redactedJWT|redactedJWC)[0-9]{7,19}",
    ].map { KeyShape("", $0, source: "this file") }
}
