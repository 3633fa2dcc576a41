import HTTPMessages

/// A value that must not reach the disk, declared by its owner, and the name that is shown instead.
package struct DeclaredSecret: Sendable, Hashable, CustomStringConvertible {
    /// Bytes that a value may have.
    package static let sizes = 4...16_384

    /// The name in its placeholder: lower case letters, digits, `_`, `-` and `.`.
    package let kind: String
    let value: [UInt8]

    /// - Throws: `RuleError` if the value is so short that it would be found everywhere, or too long to be looked for.
    package init(_ name: String, _ value: [UInt8]) throws(RuleError) {
        guard Self.sizes.contains(value.count) else {
            throw RuleError(
                "the secret \(name) has \(Counted.text(value.count, "byte")); \(Self.sizes.lowerBound) to \(Self.sizes.upperBound) can be looked for"
            )
        }
        kind = EarlyPlaceholder.kind(name)
        self.value = value
        spelling = value
        isLearned = false
    }

    /// One that was not declared, but recognised by its place.
    ///
    /// - Parameter spelling: what to look for.
    init(learned kind: String, _ value: [UInt8], _ spelling: [UInt8]) {
        self.kind = kind
        self.value = value
        self.spelling = spelling
        isLearned = true
    }

    let isLearned: Bool
    /// What is looked for: the value, or it with encodings.
    private let spelling: [UInt8]

    /// The value, for whoever must send it to its upstream.
    package var bytes: [UInt8] { value }

    /// Never the value.
    package var description: String { "redacted.\(kind)" }

    /// Whether it can be in a field.
    var isLineSafe: Bool { value.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }

    /// How many times longer than the value its longest spelling is.
    static let longestSpelling = 12

    /// What to look for once a text is decoded: the value, with a plus sign for a space as forms have it, and what is left
    /// of it in base64.
    var literals: [(bytes: [UInt8], isPlain: Bool)] {
        var literals = [(spelling, true)]
        if spelling.contains(0x20) { literals.append((spelling.map { $0 == 0x20 ? UInt8(ascii: "+") : $0 }, true)) }
        guard spelling.count >= 6 else { return literals }
        for offset in 0..<3 {
            let encoded = Base64.encode(Array(repeating: 0, count: offset) + spelling, isURLSafe: false)
            let core = Array(encoded[[0, 2, 3][offset]..<(offset + spelling.count) * 8 / 6])
            let safe = core.map {
                $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0
            }
            literals.append((core, false))
            if safe != core { literals.append((safe, false)) }
        }
        return literals
    }

    /// Expressions that find the secret plain, percent-encoded, as part of a JSON string or of HTML, and in base64.
    var patterns: [PatternFinder.Pattern] {
        let text = String(validating: value, as: UTF8.self)
        let plain = "(" + (text?.unicodeScalars.map(Self.spellings) ?? value.map(Self.spellings)).joined() + ")"
        return ([plain] + base64Patterns).map { PatternFinder.Pattern(kind: kind, expression: $0, value: value) }
    }

    /// Every way in which one character may be written: as its bytes, or as a whole.
    private static func spellings(_ scalar: Unicode.Scalar) -> String {
        guard !scalar.isASCII else { return spellings(UInt8(truncatingIfNeeded: scalar.value)) }
        let bytes = scalar.utf8.map { spellings($0) }.joined()
        let units = scalar.utf16.map { unit in
            let hex = String(unit, radix: 16)
            return "\\\\u(?i:" + String(repeating: "0", count: 4 - hex.count) + hex + ")"
        }
        return "(?:\(bytes)|\(units.joined()))"
    }

    /// Every way in which one byte may be written.
    private static func spellings(_ byte: UInt8) -> String {
        let hex = String(byte, radix: 16).count == 1 ? "0" + String(byte, radix: 16) : String(byte, radix: 16)
        let isPlain = byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
        var ways = [
            isPlain ? String(UnicodeScalar(byte)) : "\\x\(hex)", "%(?i:\(hex))", "%25(?i:\(hex))", "\\\\u00(?i:\(hex))",
        ]
        switch byte {
        case 0x20: ways.append("\\+")
        case UInt8(ascii: "/"), UInt8(ascii: "\""), UInt8(ascii: "\\"): ways.append("\\\\\\x\(hex)")
        case 0x0A: ways.append("\\\\n")
        case 0x0D: ways.append("\\\\r")
        case 0x09: ways.append("\\\\t")
        case UInt8(ascii: "&"): ways.append("&amp;")
        case UInt8(ascii: "<"): ways.append("&lt;")
        case UInt8(ascii: ">"): ways.append("&gt;")
        case UInt8(ascii: "'"): ways.append("&#(?:39|x27);")
        default: break
        }
        if byte == UInt8(ascii: "\"") { ways += ["&quot;", "&#34;"] }
        return "(?:" + ways.joined(separator: "|") + ")"
    }

    /// In a base64 text (RFC 4648 §4, §5), the secret begins at the first, second or third byte of a group of three.
    /// The characters that hold only bits of the secret are searched for; those that share bits with the bytes around
    /// it go with it.
    private var base64Patterns: [String] {
        // A shorter secret has too few characters of its own.
        guard value.count >= 6 else { return [] }
        return (0..<3).map { offset in
            let encoded = Base64.encode(Array(repeating: 0, count: offset) + value, isURLSafe: false)
            let skipped = [0, 2, 3][offset]
            let sure = (offset + value.count) * 8 / 6
            let text = encoded[skipped..<sure].map { character in
                switch character {
                case UInt8(ascii: "+"): "(?:[+-]|%2[Bb])"
                case UInt8(ascii: "/"): "(?:\\\\?/|_|%2[Ff])"
                default: String(UnicodeScalar(character))
                }
            }.joined(separator: "(?:[\\r\\n]{0,2})")
            let shared = "[A-Za-z0-9+/_-]"
            let hasSharedEnd = (offset + value.count) * 8 % 6 != 0
            return "(\(offset == 0 ? "" : shared)\(text)\(hasSharedEnd ? shared + "?" : ""))"
        }
    }
}
