/// Converts bytes to text and back, one character U+0000…U+00FF for each byte, as the cassette keeps text from HTTP.
package enum Latin1 {
    @inlinable
    package static func string(_ bytes: some Sequence<UInt8>) -> String {
        // Nearly all text is ASCII, which is the same in UTF-8.
        let ascii: String?? = bytes.withContiguousStorageIfAvailable { bytes in
            bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : nil
        }
        if case .some(.some(let text)) = ascii { return text }
        var scalars = String.UnicodeScalarView()
        for byte in bytes { scalars.append(Unicode.Scalar(byte)) }
        return String(scalars)
    }

    /// - Returns: nil if a character is above U+00FF.
    package static func bytes(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            guard let byte = UInt8(exactly: scalar.value) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}
