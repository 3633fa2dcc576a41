import CassetteStore
import HTTPMessages
import MockServeCore
import NIOCore

/// Reads a stored body from front to back, with one slice in memory.
final class SliceReader {
    private let replayer: LoopReplayer
    private let body: BodyReference?
    private var number: Int
    private var slice: ByteBuffer

    /// - Parameter first: the first slice, if it was already read.
    init(_ replayer: LoopReplayer, _ body: BodyReference?, first: ByteBuffer?) {
        self.replayer = replayer
        self.body = body
        number = first == nil ? -1 : 0
        slice = first ?? ByteBuffer()
    }

    /// The beginning of the body, up to 1,024 bytes; empty if it cannot be read, which shows when it is played.
    var beginning: [UInt8] { (try? read(at: 0, count: 1024)).map { Array($0.readableBytesView) } ?? [] }

    func asksAsRecorded(_ request: RequestHead, _ number: Int64) throws -> Bool {
        try replayer.asksAsRecorded(request, number)
    }

    /// Whether the first slice is in memory, is the whole body, and satisfies `condition`.
    func isWhole(_ condition: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        number == 0 && slice.readableBytes == body?.size && slice.withUnsafeReadableBytes(condition)
    }

    /// Up to `count` bytes from `position` on, within one slice; at least one.
    ///
    /// - Throws: `CassetteError` if the body does not have them.
    func read(at position: Int, count: Int) throws -> ByteBuffer {
        let wanted = position / BodySlices.size
        if wanted != number, let body {
            slice = try replayer.slice(wanted, of: body)
            number = wanted
        }
        let start = position % BodySlices.size
        guard count > 0, let bytes = slice.getSlice(at: start, length: min(count, slice.readableBytes - start)) else {
            throw CassetteError(.damaged, path: replayer.path, "is damaged: a body is shorter than its chunks.")
        }
        return bytes
    }
}
