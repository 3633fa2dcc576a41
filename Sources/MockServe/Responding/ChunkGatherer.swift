/// Puts what a chunk became after mapping together again, so that the client is sent one chunk for each one that was
/// recorded, however the bytes came in. Of a chunk longer than `limit` pieces are given out as they get there.
struct ChunkGatherer {
    /// Bytes that are held to become one chunk: 256 KiB.
    static let limit = 256 << 10

    private var held: [UInt8] = []

    /// - Parameter endsChunk: whether the recorded chunk is complete with these bytes.
    /// - Returns: what is to be sent as one chunk now; empty if nothing is.
    mutating func push(_ bytes: [UInt8], endsChunk: Bool) -> [UInt8] {
        held += bytes
        guard endsChunk || held.count >= Self.limit else { return [] }
        defer { held = [] }
        return held
    }

    /// What is left at the end of the body, with what the mapping held back.
    mutating func finish(_ bytes: [UInt8]) -> [UInt8] { push(bytes, endsChunk: true) }
}
