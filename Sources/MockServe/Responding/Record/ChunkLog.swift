import MockServeCore

/// The pieces in which a response body arrives.
struct ChunkLog {
    /// How many pieces are kept apart; later ones are added to the last. So a hostile upstream that sends single bytes
    /// cannot fill the memory.
    static let limit = 1 << 18

    private(set) var chunks: [ResponseChunk] = []

    /// Begins a chunk of the chunked coding, which is one piece however it is read from the socket.
    mutating func begin(size: Int, at offset: Int) {
        guard chunks.count < Self.limit else {
            chunks[chunks.count - 1].size += size
            return
        }
        chunks.append(ResponseChunk(offset: offset, size: size))
    }

    /// Adds bytes that have arrived; those of the same millisecond are one piece.
    mutating func add(size: Int, at offset: Int) {
        if let last = chunks.last, last.offset == offset || chunks.count == Self.limit {
            chunks[chunks.count - 1].size += size
        } else {
            chunks.append(ResponseChunk(offset: offset, size: size))
        }
    }

    /// Makes the pieces as long as the body, of which the last may have been announced longer or not at all.
    mutating func fit(_ total: Int) {
        var rest = total
        for index in chunks.indices {
            chunks[index].size = min(chunks[index].size, rest)
            rest -= chunks[index].size
        }
        chunks.removeAll { $0.size == 0 }
        guard rest > 0 else { return }
        if chunks.isEmpty {
            chunks = [ResponseChunk(offset: 0, size: rest)]
        } else {
            chunks[chunks.count - 1].size += rest
        }
    }
}
