/// Decodes several content codings, a block at a time, so that what a small body decodes to is never held as a whole.
/// Not for use from two threads at once.
package final class DecoderChain {
    private let decoders: [Decoder]
    private let limit: Int

    /// - Parameters:
    ///   - codings: in the order in which they were applied (RFC 9110 §8.4); at least one.
    ///   - limit: bytes that each of them may decode to.
    package init(_ codings: [ContentCoding], limit: Int = .max) {
        decoders = codings.reversed().map { Decoder($0) }
        self.limit = limit
    }

    /// Whether all of the coded data has arrived, and nothing after it.
    package var isWhole: Bool { decoders.allSatisfy { $0.isFinished && !$0.hasTrailingBytes } }

    /// - Throws: `ContentCodingError` if the coded data is incomplete.
    package func finish() throws(ContentCodingError) {
        for decoder in decoders where !decoder.isFinished { throw .malformed(decoder.coding) }
    }

    /// Takes the next piece of coded data. `next` must have returned nil for the piece before.
    package func feed(_ piece: [UInt8]) { decoders.first?.feed(piece) }

    /// Some of what was fed, decoded: at most 64 KiB; nil if more must be fed.
    ///
    /// - Throws: `ContentCodingError`, once what could be decoded has been returned.
    package func next() throws(ContentCodingError) -> [UInt8]? { try next(decoders.count - 1) }

    private func next(_ index: Int) throws(ContentCodingError) -> [UInt8]? {
        guard index >= 0 else { return nil }
        while true {
            if let block = try decoders[index].next(limit: limit) { return block }
            guard let coded = try next(index - 1) else { return nil }
            decoders[index].feed(coded)
        }
    }
}
