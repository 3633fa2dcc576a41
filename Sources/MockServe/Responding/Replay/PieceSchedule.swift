import CassetteStore
import MockServeCore

/// The pieces in which a recorded body is sent: its recorded chunks, split at the ends of stored slices.
struct PieceSchedule {
    struct Piece {
        /// Milliseconds after the head at which the piece is due.
        let offset: Int
        /// The first byte, counted from the beginning of the body.
        let position: Int
        /// Bytes to send now: up to the end of the chunk or of the stored slice.
        let size: Int
        /// Whether this begins a chunk, and the size of the whole chunk.
        let isStart: Bool
        let total: Int
        /// Whether this completes the chunk.
        let isEnd: Bool
    }

    private var chunks: [ResponseChunk] = []
    private var index = 0
    private var sent = 0
    private var position = 0
    private var length = 0

    /// No body.
    init() {}

    init(_ answer: RecordedAnswer) {
        guard let size = answer.body?.size, size > 0 else { return }
        length = size
        chunks = answer.chunks
        if chunks.isEmpty { chunks = [ResponseChunk(offset: 0, size: size)] }
    }

    var isEmpty: Bool { chunks.isEmpty }

    var next: Piece? {
        // The last chunk of a cut answer may have announced more than arrived.
        guard index < chunks.count, position < length else { return nil }
        let chunk = chunks[index]
        let inSlice = BodySlices.size - position % BodySlices.size
        let size = min(chunk.size - sent, inSlice, length - position)
        return Piece(
            offset: chunk.offset,
            position: position,
            size: size,
            isStart: sent == 0,
            total: chunk.size,
            isEnd: sent + size == chunk.size
        )
    }

    mutating func advance(by bytes: Int) {
        guard index < chunks.count else { return }
        sent += bytes
        position += bytes
        if sent >= chunks[index].size {
            index += 1
            sent = 0
        }
    }
}
