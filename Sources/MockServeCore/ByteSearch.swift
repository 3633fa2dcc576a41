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
    // A dot is in nearly every host, and seldom elsewhere.
    let mark = pattern.firstIndex(of: UInt8(ascii: ".")) ?? 0
    var offset = start
    while offset <= lastStart, let found = memchr(base + offset + mark, CInt(pattern[mark]), lastStart - offset + 1) {
        offset = UnsafeRawPointer(found) - base - mark
        if memcmp(base + offset, wanted, pattern.count) == 0 { return offset }
        offset += 1
    }
    return nil
}
