/// A checksum that a key carries, by which a real key is told from what only looks like one.
///
/// Only those are here that their makers describe and that have been computed for a published key: a wrong checksum
/// would let keys through.
enum KeyChecksum: Sendable {
    /// What follows the last `_`, without its last six characters, has its CRC-32 in those six, in base 62.
    ///
    /// GitHub, "Behind GitHub's new authentication token formats"; GitHub, "Announcing npm's new access token format";
    /// NetBird, management/server/types/personal_access_token.go.
    case crc32Base62
    /// The six characters after the last `_` are the CRC-32, in base 62, of all before it.
    ///
    /// Matrix, synapse/handlers/auth.py, `generate_access_token`.
    case crc32Base62Field
    /// The eight characters after the last `_` are the CRC-32 of all before it, in hexadecimal, lowest byte first.
    ///
    /// Grafana, pkg/components/satokengen.
    case crc32HexField
    /// The last six characters are a checksum over the name before the last `1` and the data after it.
    ///
    /// Bitcoin, BIP 173, "Bech32"; used by age ("The age file encryption format") and Nostr (NIP-19).
    case bech32

    func matches(_ key: ArraySlice<UInt8>) -> Bool {
        switch self {
        case .crc32Base62:
            let body = key[Self.start(after: UInt8(ascii: "_"), in: key)...]
            return body.count > 6 && Self.isBase62(body.suffix(6), Self.crc32(body.dropLast(6)))
        case .crc32Base62Field:
            let sum = key[Self.start(after: UInt8(ascii: "_"), in: key)...]
            return sum.count == 6 && Self.isBase62(sum, Self.crc32(key[..<sum.startIndex].dropLast()))
        case .crc32HexField:
            let sum = key[Self.start(after: UInt8(ascii: "_"), in: key)...]
            return sum.count == 8 && Self.isHex(sum, Self.crc32(key[..<sum.startIndex].dropLast()))
        case .bech32:
            return Self.isBech32(key)
        }
    }

    /// Where the part after the last separator begins; the beginning if there is none.
    private static func start(after separator: UInt8, in key: ArraySlice<UInt8>) -> Int {
        key.lastIndex(of: separator).map { $0 + 1 } ?? key.startIndex
    }

    // MARK: CRC-32

    /// ISO 3309, as in ITU-T V.42 and RFC 1952 §8.
    static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var sum = ~UInt32(0)
        for byte in bytes { sum = table[Int((sum ^ UInt32(byte)) & 0xFF)] ^ sum >> 8 }
        return ~sum
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { sum, _ in sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
    }

    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// Whether the text is the number, filled up with zeros before it.
    private static func isBase62(_ text: ArraySlice<UInt8>, _ number: UInt32) -> Bool {
        var rest = number
        for byte in text.reversed() {
            guard byte == digits[Int(rest % 62)] else { return false }
            rest /= 62
        }
        return rest == 0
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// Whether the text is the number, lowest byte first.
    private static func isHex(_ text: ArraySlice<UInt8>, _ number: UInt32) -> Bool {
        text.elementsEqual(
            number.littleEndianBytes.lazy.flatMap { [hexDigits[Int($0 >> 4)], hexDigits[Int($0 & 15)]] }
        )
    }

    // MARK: Bech32

    private static let bech32Digits = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

    private static func isBech32(_ key: ArraySlice<UInt8>) -> Bool {
        let data = start(after: UInt8(ascii: "1"), in: key)
        guard data - key.startIndex > 1, key.endIndex - data >= 6 else { return false }
        let lower = key.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
        guard key.elementsEqual(lower) || !key.contains(where: { $0 &- 0x61 < 26 }) else { return false }
        let name = lower.prefix(data - key.startIndex - 1)
        var sum: UInt32 = 1
        for byte in name { step(&sum, byte >> 5) }
        step(&sum, 0)
        for byte in name { step(&sum, byte & 31) }
        for byte in lower.dropFirst(name.count + 1) {
            guard let value = bech32Digits.firstIndex(of: byte) else { return false }
            step(&sum, UInt8(value))
        }
        return sum == 1
    }

    private static func step(_ sum: inout UInt32, _ value: UInt8) {
        let top = sum >> 25
        sum = (sum & 0x1FF_FFFF) << 5 ^ UInt32(value)
        for (bit, term) in bech32Terms.enumerated() where top >> UInt32(bit) & 1 != 0 { sum ^= term }
    }

    private static let bech32Terms: [UInt32] = [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3]
}

extension UInt32 {
    fileprivate var littleEndianBytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) } }
}
