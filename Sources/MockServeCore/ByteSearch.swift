extension Array<UInt8> {
    /// The offset of the first occurrence of `pattern` at or after `start`.
    package func firstOffset(of pattern: [UInt8], from start: Int = 0) -> Int? {
        guard let first = pattern.first, count - start >= pattern.count else { return nil }
        return withUnsafeBufferPointer { text in
            pattern.withUnsafeBufferPointer { pattern in
                let lastStart = text.count - pattern.count
                var offset = start
                while offset <= lastStart {
                    if text[offset] == first, isEqual(text, at: offset, pattern) { return offset }
                    offset += 1
                }
                return nil
            }
        }
    }
}

private func isEqual(_ text: UnsafeBufferPointer<UInt8>, at start: Int, _ pattern: UnsafeBufferPointer<UInt8>) -> Bool {
    for offset in pattern.indices where text[start + offset] != pattern[offset] { return false }
    return true
}
