import MockServeCore

/// The pieces of a response body as they come in.
struct ChunkLog {
    /// Pieces that are told apart; what comes after them counts to the last. Keeps a hostile upstream that sends single
    /// bytes from filling the memory.
    static let limit = 1 << 18

    private(set) var chunks: [ResponseChunk] = []

    /// A chunk of the chunked coding begins; it is a piece whatever the reads of the socket are.
    mutating func begin(size: Int, at offset: Int) {
        guard chunks.count < Self.limit else {
            chunks[chunks.count - 1].size += size
            return
        }
        chunks.append(ResponseChunk(offset: offset, size: size))
    }

    /// Bytes came in; those of one millisecond are one piece.
    mutating func add(size: Int, at offset: Int) {
        if let last = chunks.last, last.offset == offset || chunks.count == Self.limit {
            chunks[chunks.count - 1].size += size
        } else {
            chunks.append(ResponseChunk(offset: offset, size: size))
        }
    }
}
