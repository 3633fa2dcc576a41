#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The byte classes of RFC 9110 §5.6 and the few comparisons that HTTP needs on bytes.

@inlinable
@inline(__always)
package func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
}

/// Whether `bytes` are exactly those of `text`.
package func equals(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount, let base = bytes.baseAddress else {
        return bytes.isEmpty && text.utf8CodeUnitCount == 0
    }
    return memcmp(base, text.utf8Start, bytes.count) == 0
}

package func equals(_ bytes: Slice<UnsafeRawBufferPointer>, _ text: StaticString) -> Bool {
    equals(UnsafeRawBufferPointer(rebasing: bytes), text)
}

/// Whether two byte strings are equal, ignoring ASCII case.
@inlinable
package func equalsIgnoringCase(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    left.count == right.count && zip(left, right).allSatisfy { lowercased($0) == lowercased($1) }
}

/// `tchar` of RFC 9110 §5.6.2 as a 256-bit set.
@usableFromInline
let tokenBits: (UInt64, UInt64) = {
    var low: UInt64 = 0
    var high: UInt64 = 0
    for byte in "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8 {
        if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte - 64) }
    }
    return (low, high)
}()

/// Whether `bytes` is a `token` (RFC 9110 §5.6.2): one or more `tchar`.
@inlinable
package func isToken(_ bytes: some Collection<UInt8>) -> Bool {
    let (low, high) = tokenBits
    guard !bytes.isEmpty else { return false }
    for byte in bytes {
        let bits = byte < 64 ? low >> UInt64(byte) : byte < 128 ? high >> UInt64(byte - 64) : 0
        if bits & 1 == 0 { return false }
    }
    return true
}

/// Cuts spaces and tabs from both ends (`OWS`, RFC 9110 §5.6.3).
@inlinable
package func trimmingSpace<Bytes: BidirectionalCollection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence {
    var rest = bytes[...]
    while let byte = rest.first, byte == 0x20 || byte == 0x09 { rest.removeFirst() }
    while let byte = rest.last, byte == 0x20 || byte == 0x09 { rest.removeLast() }
    return rest
}

/// The value of `1*DIGIT` with at most 18 digits after leading zeros, which cannot overflow; nil for anything else.
@inlinable
package func parseDecimal(_ bytes: some Collection<UInt8>) -> Int? {
    guard !bytes.isEmpty, bytes.count <= 18 || bytes.drop(while: { $0 == 0x30 }).count <= 18 else { return nil }
    var number = 0
    for byte in bytes {
        guard byte &- 0x30 < 10 else { return nil }
        number = number * 10 + Int(byte &- 0x30)
    }
    return number
}

/// The members of a comma-separated list (RFC 9110 §5.6.1), trimmed, without empty ones. Quotes are not parsed: use it
/// only for lists of tokens.
package func listMembers(_ values: [ArraySlice<UInt8>]) -> [ArraySlice<UInt8>] {
    guard !values.isEmpty else { return [] }
    return values.flatMap { $0.split(separator: UInt8(ascii: ",")) }.map(trimmingSpace).filter { !$0.isEmpty }
}

extension Fields {
    /// Whether the token list in field `name` has `member`, ignoring ASCII case.
    package func list(_ name: StaticString, has member: StaticString) -> Bool {
        let values = values(name)
        guard !values.isEmpty else { return false }
        return member.withUTF8Buffer { member in
            listMembers(values).contains { equalsIgnoringCase($0, member) }
        }
    }
}

/// The value of an ASCII hexadecimal digit.
package func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}
