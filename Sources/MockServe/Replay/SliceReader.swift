import CassetteStore
import MockServeCore
import NIOCore

/// Reads a stored body from front to back, one slice in memory.
final class SliceReader {
    private let reader: CassetteReader
    private let body: BodyReference?
    private var number = -1
    private var slice = ByteBuffer()

    init(_ reader: CassetteReader, _ body: BodyReference?) {
        self.reader = reader
        self.body = body
    }

    /// Up to `count` bytes from `position` on, within one slice; never none.
    ///
    /// - Throws: `CassetteError` if the body does not have them.
    func read(at position: Int, count: Int) throws -> ByteBuffer {
        let wanted = position / BodySlices.size
        if wanted != number, let body {
            slice = ByteBuffer(bytes: try reader.slice(wanted, of: body))
            number = wanted
        }
        let start = position % BodySlices.size
        guard count > 0, let bytes = slice.getSlice(at: start, length: min(count, slice.readableBytes - start)) else {
            throw CassetteError(.damaged, path: reader.path, "is damaged: a body is shorter than its chunks.")
        }
        return bytes
    }
}
