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
        guard !pattern.isEmpty, count - start >= pattern.count else { return nil }
        return withUnsafeBytes { text in
            pattern.withUnsafeBytes { pattern in
                guard let base = text.baseAddress, let wanted = pattern.baseAddress else { return nil }
                let lastStart = text.count - pattern.count
                var offset = start
                while offset <= lastStart,
                    let found = memchr(base + offset, CInt(pattern[0]), lastStart - offset + 1)
                {
                    offset = UnsafeRawPointer(found) - base
                    if memcmp(found, wanted, pattern.count) == 0 { return offset }
                    offset += 1
                }
                return nil
            }
        }
    }
}
