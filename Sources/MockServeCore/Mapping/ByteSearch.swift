import CByteScan
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Array<UInt8> {
    /// The offset of the first occurrence of `pattern` at or after `start`.
    package func firstOffset(of pattern: [UInt8], from start: Int = 0) -> Int? {
        withUnsafeBytes { text in pattern.withUnsafeBytes { MockServeCore.firstOffset(of: $0, in: text, from: start) } }
    }
}

/// The offset of the first occurrence of `pattern` at or after `start`; nil also for an empty pattern.
func firstOffset(of pattern: UnsafeRawBufferPointer, in text: UnsafeRawBufferPointer, from start: Int) -> Int? {
    let lastStart = text.count - pattern.count
    guard let base = text.baseAddress, let wanted = pattern.baseAddress, pattern.count > 0 else { return nil }
    // A dot is in nearly every host, and rare elsewhere. So are signs at the beginning, but letters are everywhere.
    let isWord = (pattern[0] | 0x20) &- 0x61 < 26
    guard let mark = pattern.firstIndex(of: UInt8(ascii: ".")) ?? (isWord ? nil : 0) else {
        guard start <= lastStart else { return nil }
        let (bytes, rest) = (base.assumingMemoryBound(to: UInt8.self), text.count - start)
        let found = mockserve_find(bytes + start, rest, wanted.assumingMemoryBound(to: UInt8.self), pattern.count)
        return found < rest ? start + found : nil
    }
    var offset = start
    while offset <= lastStart, let found = memchr(base + offset + mark, CInt(pattern[mark]), lastStart - offset + 1) {
        offset = UnsafeRawPointer(found) - base - mark
        if memcmp(base + offset, wanted, pattern.count) == 0 { return offset }
        offset += 1
    }
    return nil
}

/// The index of the first byte of a JSON string that is not plain: a quotation mark, a reverse solidus, a control
/// character (RFC 8259 §7), or the end of the text.
///
/// - Parameter isASCII: whether bytes over 0x7F are not plain either.
func endOfPlainText(in text: UnsafeBufferPointer<UInt8>, from start: Int, isASCII: Bool = false) -> Int {
    let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
    let bytes = UnsafeRawBufferPointer(text)
    var index = start
    // Eight bytes at a time: `found` has the high bit of each byte set that is a quotation mark, a reverse solidus or
    // less than 0x20. Only the first bit set is certain, because the subtraction may borrow from the bytes after it.
    while index + 8 <= bytes.count {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        let quotes = word ^ (ones &* 0x22)
        let solidi = word ^ (ones &* 0x5C)
        let found = (quotes &- ones) & ~quotes | (solidi &- ones) & ~solidi | (word &- ones &* 0x20) & ~word
        let ends = (found | (isASCII ? word : 0)) & highs
        if ends != 0 { return index + ends.trailingZeroBitCount / 8 }
        index += 8
    }
    while index < bytes.count, bytes[index] >= 0x20, bytes[index] != 0x22, bytes[index] != 0x5C,
        !isASCII || bytes[index] < 0x80
    { index += 1 }
    return index
}
