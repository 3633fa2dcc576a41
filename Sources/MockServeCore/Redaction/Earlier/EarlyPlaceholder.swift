/// `[redacted:KIND:NUMBER]`, of which the number does not count where requests are compared.
enum EarlyPlaceholder {
    static let start = Array("[redacted:".utf8)

    /// A name in the form that such a placeholder may contain.
    static func kind(_ name: String) -> String {
        let kept = name.lowercased().unicodeScalars.filter { scalar in
            switch scalar {
            case "a"..."z", "0"..."9", "_", "-", ".": true
            default: false
            }
        }
        return kept.isEmpty ? "secret" : String(String.UnicodeScalarView(kept.prefix(64)))
    }

    static func text(_ kind: String, _ number: Int? = nil) -> String {
        "[redacted:\(kind)\(number.map { ":\($0)" } ?? "")]"
    }

    /// The placeholder without its number, if `value` is one; nil if it is not.
    static func unnumbered(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        guard value.starts(with: start), value.last == UInt8(ascii: "]") else { return nil }
        let parts = value.dropFirst(start.count).dropLast().split(
            separator: UInt8(ascii: ":"),
            omittingEmptySubsequences: false
        )
        guard let kind = parts.first, !kind.isEmpty, parts.count <= 2, kind.allSatisfy(isKind),
            parts.count == 1 || !parts[1].isEmpty && parts[1].allSatisfy({ $0 &- 0x30 < 10 })
        else { return nil }
        return start + kind + [UInt8(ascii: "]")]
    }

    private static func isKind(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || byte &- 0x61 < 26 || "_-.".utf8.contains(byte)
    }
}
