package import HTTPMessages
package import NIOCore

/// Writes messages as bytes (RFC 9112). Names, values, method, target and reason are written as they are: they come
/// from the parsers, or their makers have checked them.
extension ByteBuffer {
    /// The request line, the fields and the empty line.
    package mutating func writeRequestHead(_ head: RequestHead) {
        writeBytes(head.method)
        writeInteger(UInt8(ascii: " "))
        writeBytes(head.target)
        writeInteger(UInt8(ascii: " "))
        writeString(head.version.rawValue)
        writeStaticString("\r\n")
        writeFieldSection(head.fields)
    }

    /// The status line, the fields and the empty line.
    package mutating func writeResponseHead(_ head: ResponseHead) {
        writeString(head.version.rawValue)
        writeInteger(UInt8(ascii: " "))
        writeString(String(head.status))
        if let reason = head.reason {
            writeInteger(UInt8(ascii: " "))
            writeBytes(reason)
        }
        writeStaticString("\r\n")
        writeFieldSection(head.fields)
    }

    /// Field lines and the empty line after them.
    package mutating func writeFieldSection(_ fields: Fields) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: fields.wireSize) { fields.write(to: $0) }
        writeStaticString("\r\n")
    }

    /// The chunk-size line of a chunk (RFC 9112 §7.1).
    package mutating func writeChunkStart(size: Int) {
        writeString(String(size, radix: 16))
        writeStaticString("\r\n")
    }

    package mutating func writeChunkEnd() {
        writeStaticString("\r\n")
    }

    /// The last chunk, the trailers and the empty line.
    package mutating func writeLastChunk(trailers: Fields) {
        writeStaticString("0\r\n")
        writeFieldSection(trailers)
    }
}
