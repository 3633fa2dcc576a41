/// Joins mapped bytes into chunks again, so that the client gets one chunk for each recorded chunk, however the bytes
/// arrive. A chunk longer than `limit` is passed on in pieces.
struct ChunkGatherer {
    /// Bytes that are held for one chunk: 256 KiB.
    static let limit = 256 << 10

    private var held: [UInt8] = []

    /// - Parameter endsChunk: whether the recorded chunk is complete with these bytes.
    /// - Returns: what to send as one chunk now; empty for nothing.
    mutating func push(_ bytes: [UInt8], endsChunk: Bool) -> [UInt8] {
        held += bytes
        guard endsChunk || held.count >= Self.limit else { return [] }
        defer { held = [] }
        return held
    }

    /// What is left at the end of the body, including what the mapping held back.
    mutating func finish(_ bytes: [UInt8]) -> [UInt8] { push(bytes, endsChunk: true) }
}
