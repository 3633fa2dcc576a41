import Foundation

/// A text as it reads after one more level of decoding, and where each of its bytes comes from.
///
/// Percent-encoding (RFC 3986 §2.1), the escapes of JSON (RFC 8259 §7) and of scripts, character references (HTML §13.5,
/// XML §4.1) are decoded at once, whichever comes; quoted-printable (RFC 2045 §6.7) is a level of its own. A JSON text in a string of a form
/// value is plain after a few levels.
struct TextView {
    /// Levels that are looked at in addition to the text itself.
    static let levels = 3

    private(set) var bytes: [UInt8] = []
    /// For each byte, where it begins in the text as it arrived; and the end of the text.
    private(set) var offsets: [Int32] = []

    /// How a text in UTF-16 is read.
    struct Wide {
        let isBigEndian: Bool
        /// Where the first whole unit begins: 0 or 1.
        var start = 0

        /// - Returns: nil if a text does not look like UTF-16, from its beginning on.
        init?(_ text: UnsafeBufferPointer<UInt8>) {
            guard text.count >= 8, TextView.has(0, text) else { return nil }
            // Some part of it is in Latin letters, but any part may not be.
            let size = min(text.count & ~1, 64)
            for part in 0..<(text.count > 512 ? 8 : 1) {
                let start = text.count / 8 * part & ~1
                var (even, odd) = (0, 0)
                for index in start..<min(start + size, text.count) where text[index] == 0 {
                    if index & 1 == 0 { even += 1 } else { odd += 1 }
                }
                guard (even == 0) != (odd == 0), max(even, odd) * 4 > size else { continue }
                isBigEndian = odd == 0
                return
            }
            return nil
        }
    }

    /// A text in UTF-16, in UTF-8.
    init(_ text: UnsafeBufferPointer<UInt8>, _ wide: Wide) {
        var index = wide.start
        let (high, low) = wide.isBigEndian ? (0, 1) : (1, 0)
        func unit(_ index: Int) -> UInt32 { UInt32(text[index + low]) | UInt32(text[index + high]) << 8 }
        while index + 1 < text.count {
            var (scalar, size) = (unit(index), 2)
            if scalar & 0xFC00 == 0xD800, index + 3 < text.count, unit(index + 2) & 0xFC00 == 0xDC00 {
                scalar = 0x10000 + (scalar & 0x3FF) << 10 + unit(index + 2) & 0x3FF
                size = 4
            }
            for byte in UTF8.encode(UnicodeScalar(scalar) ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter {
                bytes.append(byte)
                offsets.append(Int32(index))
            }
            index += size
        }
        offsets.append(Int32(index))
    }

    /// - Returns: nil if nothing in the text is encoded.
    static func decoded(_ text: UnsafeBufferPointer<UInt8>, from offsets: [Int32]?) -> TextView? {
        guard mayBeEncoded(text) else { return nil }
        var view = TextView()
        return view.decode(text, offsets) ? view : nil
    }

    private init() {}

    /// Whether a byte may begin an escape.
    private static let introducers = ByteTable { byte in
        [UInt8(ascii: "%"), UInt8(ascii: "\\"), UInt8(ascii: "&"), UInt8(ascii: "="), 0x0A, 0x0D].contains(byte) ? 1 : 0
    }

    private static func has(_ byte: UInt8, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.baseAddress.map { memchr($0, Int32(byte), text.count) != nil } ?? false
    }

    private static func mayBeEncoded(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count > 2 else { return false }
        if has(UInt8(ascii: "%"), text) || has(UInt8(ascii: "\\"), text) || has(UInt8(ascii: "&"), text) { return true }
        guard has(0x0A, text) else { return false }
        return isQuotedPrintable(text) || hasLinesOfBase64(text)
    }

    private static func hasLinesOfBase64(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let base = text.baseAddress else { return false }
        var index = 0
        while index < text.count, let found = memchr(base + index, 0x0A, text.count - index) {
            let end = UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
            if end >= 49, end + 1 < text.count,
                [2, 3, 40, 48].allSatisfy({ isBase64(text[end - $0]) })
            {
                return true
            }
            index = end + 1
        }
        return false
    }

    private mutating func decode(_ text: UnsafeBufferPointer<UInt8>, _ origin: [Int32]?) -> Bool {
        guard let base = text.baseAddress else { return false }
        return decode(text, base, origin, isPrintable: Self.isQuotedPrintable(text))
    }

    private mutating func decode(
        _ text: UnsafeBufferPointer<UInt8>,
        _ base: UnsafePointer<UInt8>,
        _ origin: [Int32]?,
        isPrintable: Bool
    ) -> Bool {
        let introducers = Self.introducers.bytes
        var hasDecoded = false
        // Nothing gets longer when it is decoded.
        bytes = Array(repeating: 0, count: text.count)
        offsets = Array(repeating: 0, count: text.count + 1)
        var size = 0
        bytes.withUnsafeMutableBufferPointer { bytes in
            offsets.withUnsafeMutableBufferPointer { offsets in
                func copy(_ start: Int, _ end: Int) {
                    guard start < end, let target = bytes.baseAddress else { return }
                    (target + size).update(from: base + start, count: end - start)
                    if let origin {
                        for index in start..<end { offsets[size + index - start] = origin[index] }
                    } else {
                        for index in start..<end { offsets[size + index - start] = Int32(truncatingIfNeeded: index) }
                    }
                    size += end - start
                }
                var (index, copied) = (0, 0)
                while index < text.count {
                    if introducers[Int(base[index])] == 0 {
                        index += 1
                        continue
                    }
                    guard let found = Self.escape(text, index, isPrintable) else {
                        index += 1
                        continue
                    }
                    hasDecoded = true
                    copy(copied, index)
                    for byte in 0..<found.size {
                        bytes[size] = UInt8(truncatingIfNeeded: found.bytes >> UInt32(8 * byte))
                        offsets[size] = origin?[index] ?? Int32(truncatingIfNeeded: index)
                        size += 1
                    }
                    index += found.count
                    copied = index
                }
                copy(copied, text.count)
                offsets[size] = origin?[text.count] ?? Int32(truncatingIfNeeded: text.count)
            }
        }
        bytes.removeLast(text.count - size)
        offsets.removeLast(text.count - size)
        return hasDecoded
    }

    /// What a byte range of the view is in the text as it arrived.
    func origin(_ range: Range<Int>) -> Range<Int> { Int(offsets[range.lowerBound])..<Int(offsets[range.upperBound]) }

    // MARK: Escapes

    private struct Escape {
        /// Up to four, the first in the lowest bits.
        let bytes: UInt32
        let size: Int
        /// Bytes of the escape itself.
        let count: Int

        init(_ byte: UInt8, _ count: Int) { (bytes, size, self.count) = (UInt32(byte), 1, count) }

        /// Of nothing.
        init(nothing count: Int) { (bytes, size, self.count) = (0, 0, count) }

        init(_ scalar: UnicodeScalar, _ count: Int) {
            var (bytes, size) = (UInt32(0), 0)
            for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                bytes |= UInt32(byte) << UInt32(8 * size)
                size += 1
            }
            (self.bytes, self.size, self.count) = (bytes, size, count)
        }
    }

    private static func isQuotedPrintable(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let base = text.baseAddress else { return false }
        var index = 0
        while index + 1 < text.count, let found = memchr(base + index, Int32(UInt8(ascii: "=")), text.count - index) {
            let at = UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
            guard at + 1 < text.count else { return false }
            if text[at + 1] == 0x0D || text[at + 1] == 0x0A, !isPadding(text, at) { return true }
            if text[at + 1] == UInt8(ascii: "3"), at + 2 < text.count, text[at + 2] == UInt8(ascii: "D") { return true }
            index = at + 1
        }
        return false
    }

    /// Whether a sign of equality before the end of a line is the end of base64: it is before a boundary, or makes the word
    /// as long as base64 is. A line of quoted-printable that is cut has 76 characters (RFC 2045 §6.7).
    private static func isPadding(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
        let next = text[index + 1] == 0x0D ? index + 3 : index + 2
        if next + 1 < text.count, text[next] == 0x2D, text[next + 1] == 0x2D { return true }
        var start = index
        while start > 0, index - start < 256, text[start - 1] == UInt8(ascii: "=") || isBase64(text[start - 1]) {
            start -= 1
        }
        let count = index + 1 - start
        // There, a sign of equality is always encoded.
        let line = min(start, max(0, index - 75))..<start
        let isCutLine = (index + 1 == 76 || index > 75 && text[index - 76] == 0x0A) && !hasPlainEquals(text, line)
        let isWhole = start == 0 || text[start - 1] <= 0x20 || "\"':,".utf8.contains(text[start - 1])
        return count >= 4 && count % 4 == 0 && !isCutLine && isWhole
    }

    private static func hasPlainEquals(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        range.contains { text[$0] == UInt8(ascii: "=") && hex(text, $0 + 1, 2) == nil }
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
    }

    private static func escape(_ text: UnsafeBufferPointer<UInt8>, _ index: Int, _ isPrintable: Bool) -> Escape? {
        // What is escaped within quoted-printable is the next level.
        if isPrintable, text[index] != UInt8(ascii: "=") { return nil }
        return switch text[index] {
        case UInt8(ascii: "%"): hex(text, index + 1, 2).map { Escape(UInt8(truncatingIfNeeded: $0), 3) }
        case UInt8(ascii: "\\"): backslash(text, index)
        case UInt8(ascii: "&"): reference(text, index)
        case UInt8(ascii: "="): isPrintable ? printable(text, index) : nil
        default: isWithinBase64(text, index) ? Escape(nothing: 1) : nil
        }
    }

    /// Lines of base64 are one text.
    private static func isWithinBase64(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
        let next = text[index] == 0x0D ? index + 2 : index + 1
        let end = text[index] == 0x0A && index > 0 && text[index - 1] == 0x0D ? index - 1 : index
        guard end >= 48, next < text.count, isBase64(text[next]), isBase64(text[end - 40]) else { return false }
        // Lines are of one of the usual lengths (RFC 7468 §2, RFC 2045 §6.8, and what tools write).
        var length = 0
        while length <= 76, length < end, isBase64(text[end - 1 - length]) { length += 1 }
        guard [48, 60, 64, 70, 72, 76].contains(length),
            // A placeholder is one line.
            !text[(end - length)..<end].starts(with: "cmVkYWN0ZWQu".utf8)
        else { return false }
        // What follows is the next one of them.
        var index = next
        while index < text.count, index - next <= 76, isBase64(text[index]) { index += 1 }
        while index < text.count, text[index] == UInt8(ascii: "=") { index += 1 }
        return index == text.count || "\r\n-\\\"<".utf8.contains(text[index])
    }

    private static func hex(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int) -> UInt32? {
        guard start + count <= text.count else { return nil }
        var value: UInt32 = 0
        for index in start..<start + count {
            guard let digit = hexDigit(text[index]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    static func hexDigit(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = byte | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x61 &+ 10 : nil
    }

    private static func printable(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Escape? {
        guard index + 1 < text.count else { return nil }
        if text[index + 1] == 0x0A || text[index + 1] == 0x0D, isPadding(text, index) { return nil }
        if text[index + 1] == 0x0A { return Escape(nothing: 2) }
        if text[index + 1] == 0x0D, index + 2 < text.count, text[index + 2] == 0x0A { return Escape(nothing: 3) }
        return hex(text, index + 1, 2).map { Escape(UInt8(truncatingIfNeeded: $0), 3) }
    }

    private static func backslash(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Escape? {
        guard index + 1 < text.count else { return nil }
        switch text[index + 1] {
        case UInt8(ascii: "n"): return Escape(0x0A, 2)
        case UInt8(ascii: "r"): return Escape(0x0D, 2)
        case UInt8(ascii: "t"): return Escape(0x09, 2)
        case UInt8(ascii: "b"): return Escape(0x08, 2)
        case UInt8(ascii: "f"): return Escape(0x0C, 2)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "'"), UInt8(ascii: "`"):
            return Escape(text[index + 1], 2)
        case UInt8(ascii: "x"): return hex(text, index + 2, 2).map { Escape(UInt8(truncatingIfNeeded: $0), 4) }
        case UInt8(ascii: "u"): return unicode(text, index)
        default: return nil
        }
    }

    private static func unicode(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Escape? {
        guard let unit = hex(text, index + 2, 4) else { return nil }
        if let scalar = UnicodeScalar(unit) { return Escape(scalar, 6) }
        guard unit & 0xFC00 == 0xD800, index + 7 < text.count, text[index + 6] == UInt8(ascii: "\\"),
            text[index + 7] == UInt8(ascii: "u"), let low = hex(text, index + 8, 4), low & 0xFC00 == 0xDC00,
            let scalar = UnicodeScalar(0x10000 + (unit & 0x3FF) << 10 + low & 0x3FF)
        else { return nil }
        return Escape(scalar, 12)
    }

    private static func isNamed(_ name: StaticString, _ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
        let count = name.utf8CodeUnitCount
        guard start + count <= text.count else { return false }
        for index in 0..<count where text[start + index] != name.utf8Start[index] { return false }
        return true
    }

    /// Of the names of characters (HTML §13.5), those that matter here.
    private static func named(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Escape? {
        func escape(_ name: StaticString, _ byte: UInt8) -> Escape? {
            isNamed(name, text, index + 1) ? Escape(byte, 1 + name.utf8CodeUnitCount) : nil
        }
        return switch text[index + 1] {
        case UInt8(ascii: "q"): escape("quot;", 0x22)
        case UInt8(ascii: "a"): escape("amp;", 0x26) ?? escape("apos;", 0x27)
        case UInt8(ascii: "l"): escape("lt;", 0x3C)
        case UInt8(ascii: "g"): escape("gt;", 0x3E)
        case UInt8(ascii: "e"): escape("equals;", 0x3D)
        case UInt8(ascii: "c"): escape("colon;", 0x3A)
        case UInt8(ascii: "s"): escape("sol;", 0x2F)
        case UInt8(ascii: "p"): escape("plus;", 0x2B)
        default: nil
        }
    }

    private static func reference(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Escape? {
        guard index + 3 < text.count else { return nil }
        guard text[index + 1] == UInt8(ascii: "#") else {
            return named(text, index)
        }
        let isHex = text[index + 2] | 0x20 == UInt8(ascii: "x")
        var (position, value) = (index + (isHex ? 3 : 2), UInt32(0))
        let start = position
        while position < text.count, position - start < 8, let digit = hexDigit(text[position]), isHex || digit < 10 {
            value = value &* (isHex ? 16 : 10) &+ UInt32(digit)
            position += 1
        }
        guard position > start, position < text.count, text[position] == UInt8(ascii: ";"),
            let scalar = UnicodeScalar(value)
        else { return nil }
        return Escape(scalar, position + 1 - index)
    }

    /// A value as it is, and with fewer encodings.
    static func spellings(_ value: [UInt8]) -> [[UInt8]] {
        guard let once = value.withUnsafeBufferPointer({ decoded($0, from: nil) }) else { return [] }
        return [value, once.bytes]
    }

    /// A value without its encodings, however often it was encoded.
    static func plain(_ value: ArraySlice<UInt8>) -> [UInt8] {
        var value = Array(value)
        for _ in 0..<levels {
            guard let decoded = value.withUnsafeBufferPointer({ decoded($0, from: nil) }) else { break }
            value = decoded.bytes
        }
        return value
    }
}
