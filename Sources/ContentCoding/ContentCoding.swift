/// A content coding of RFC 9110 §8.4.1 that this build can decode and encode.
package enum ContentCoding: Sendable, Equatable {
    case gzip
    case deflate
    case brotli
    /// RFC 8878.
    case zstd

    /// Reads a coding name from `Content-Encoding`, ignoring case; nil for an unknown one.
    package init?(_ name: some Collection<UInt8>) {
        switch String(decoding: name, as: UTF8.self).lowercased() {
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        case "br": self = .brotli
        case "zstd": self = .zstd
        default: return nil
        }
    }

    package var name: String {
        switch self {
        case .gzip: "gzip"
        case .deflate: "deflate"
        case .brotli: "br"
        case .zstd: "zstd"
        }
    }
}

/// Why bytes could not be decoded.
package enum ContentCodingError: Error, Sendable, Equatable {
    /// The bytes are not of the coding they claim, or end too early.
    case malformed(ContentCoding)
    /// Decoding would give more bytes than were allowed: a decompression bomb, or a limit set too low.
    case tooLarge(limit: Int)
}

extension ContentCoding {
    /// Decodes a whole body.
    ///
    /// - Parameter limit: bytes that the result may have; decoding stops at most one block past it.
    /// - Throws: `ContentCodingError`.
    package func decode(_ bytes: some Sequence<UInt8>, limit: Int) throws(ContentCodingError) -> [UInt8] {
        let decoder = Decoder(self)
        var output: [UInt8] = []
        try decoder.decode(Array(bytes), into: &output, limit: limit)
        guard decoder.isFinished else { throw .malformed(self) }
        return output
    }

    /// Encodes a whole body. The result may differ from another encoder's, but decodes to the same bytes.
    package func encode(_ bytes: [UInt8]) -> [UInt8]? {
        switch self {
        case .gzip: zlibEncode(bytes, windowBits: 15 + 16)
        case .deflate: zlibEncode(bytes, windowBits: 15)
        case .brotli: brotliEncode(bytes)
        case .zstd: zstdEncode(bytes)
        }
    }
}
