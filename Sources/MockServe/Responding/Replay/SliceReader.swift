import CassetteStore
import HTTPMessages
import MockServeCore
import NIOCore

/// Reads a stored body from front to back, one slice in memory.
final class SliceReader {
    private let replayer: LoopReplayer
    private let body: BodyReference?
    private var number: Int
    private var slice: ByteBuffer

    /// - Parameter first: the first slice, if it is there already.
    init(_ replayer: LoopReplayer, _ body: BodyReference?, first: ByteBuffer?) {
        self.replayer = replayer
        self.body = body
        number = first == nil ? -1 : 0
        slice = first ?? ByteBuffer()
    }

    /// How the body begins; empty if it cannot be read, which shows when it is played.
    var beginning: [UInt8] { (try? read(at: 0, count: 1024)).map { Array($0.readableBytesView) } ?? [] }

    func asksAsRecorded(_ request: RequestHead, _ number: Int64) throws -> Bool {
        try replayer.asksAsRecorded(request, number)
    }

    /// Whether the first slice is at hand, is all there is, and is as `condition` says.
    func isWhole(_ condition: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        number == 0 && slice.readableBytes == body?.size && slice.withUnsafeReadableBytes(condition)
    }

    /// Up to `count` bytes from `position` on, within one slice; never none.
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
