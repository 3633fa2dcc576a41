import HTTPMessages
import NIOCore

/// Cuts lines off the front of what has arrived. Bytes already searched for the end of an incomplete line are not
/// searched again.
struct LineReader {
    private(set) var buffer = ByteBuffer()
    /// How many bytes from the reader index on are known to hold no line feed.
    private var scanned = 0

    var readableBytes: Int { buffer.readableBytes }

    /// The next byte, if it has arrived.
    var first: UInt8? { buffer.getInteger(at: buffer.readerIndex) }

    /// Whether anything but line ends has arrived after the next `count` bytes.
    func holdsMore(than count: Int) -> Bool {
        buffer.readableBytesView.dropFirst(count).contains { $0 != 0x0D && $0 != 0x0A }
    }

    mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
            scanned = 0
        } else {
            if buffer.readerIndex > 64 << 10 { buffer.discardReadBytes() }
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// What has arrived, up to and including the first CR LF CR LF; nil if that has not arrived.
    var throughEmptyLine: ByteBuffer? {
        let length: Int? = buffer.withUnsafeReadableBytes { bytes in
            var offset = 3
            while let lineFeed = firstIndex(of: 0x0A, in: bytes, from: offset) {
                if bytes[lineFeed - 1] == 0x0D, bytes[lineFeed - 2] == 0x0A, bytes[lineFeed - 3] == 0x0D {
                    return lineFeed + 1
                }
                offset = lineFeed + 1
            }
            return nil
        }
        return length.flatMap { buffer.getSlice(at: buffer.readerIndex, length: $0) }
    }

    mutating func skip(_ count: Int) {
        buffer.moveReaderIndex(forwardBy: count)
        scanned = 0
    }

    /// Takes up to `length` bytes as they are; nil if there are none.
    mutating func readSlice(upTo length: Int) -> ByteBuffer? {
        let available = min(length, buffer.readableBytes)
        guard available > 0 else { return nil }
        scanned = 0
        return buffer.readSlice(length: available)
    }

    /// Calls `body` with the next line, without its line feed and the carriage return before it.
    ///
    /// - Returns: what `body` returned; nil if the line feed has not arrived yet.
    /// - Throws: `tooLong` if more than `limit` bytes hold no line feed, a `WireError` for a lone CR and, unless
    ///   `allowsBareLF`, for a lone LF (RFC 9112 §2.2).
    mutating func withLine<Result>(
        limit: Int,
        tooLong: @autoclosure () -> WireError,
        allowsBareLF: Bool,
        _ body: (UnsafeRawBufferPointer) throws(WireError) -> Result
    ) throws(WireError) -> Result? {
        let found = scanned
        let lineFeed = buffer.withUnsafeReadableBytes { firstIndex(of: 0x0A, in: $0, from: found) }
        guard let length = lineFeed else {
            scanned = buffer.readableBytes
            if scanned > limit { throw tooLong() }
            return nil
        }
        guard length <= limit else { throw tooLong() }
        let result: Swift.Result<Result, WireError> = buffer.withUnsafeReadableBytes { bytes in
            var line = UnsafeRawBufferPointer(rebasing: bytes[..<length])
            if line.last == 0x0D {
                line = UnsafeRawBufferPointer(rebasing: line.dropLast())
            } else if !allowsBareLF {
                return .failure(WireError("a line ends with a bare LF"))
            }
            guard firstIndex(of: 0x0D, in: line) == nil else { return .failure(WireError("a CR without LF in a line")) }
            return Swift.Result { () throws(WireError) in try body(line) }
        }
        buffer.moveReaderIndex(forwardBy: length + 1)
        scanned = 0
        return try result.get()
    }
}
