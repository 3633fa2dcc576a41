/// What may be the first bytes of something that is looked for: a set of hashes, at a place that never changes.
final class PrefixFilter: @unchecked Sendable {
    private static let log = 18
    let words: UnsafeMutablePointer<UInt64>
    /// The first two bytes of everything that is in the set: most places of a text are ruled out by these alone.
    let pairs: UnsafeMutablePointer<UInt64>

    init() {
        words = .allocate(capacity: 1 << (Self.log - 6))
        words.initialize(repeating: 0, count: 1 << (Self.log - 6))
        pairs = .allocate(capacity: 1024)
        pairs.initialize(repeating: 0, count: 1024)
    }

    deinit {
        words.deallocate()
        pairs.deallocate()
    }

    static func hash(_ word: UInt32) -> Int { Int(truncatingIfNeeded: (word &* 0x9E37_79B1) >> UInt32(32 - log)) }

    func contains(_ hash: Int) -> Bool { words[hash >> 6] & (1 << UInt64(hash & 63)) != 0 }

    /// Only before others can see it.
    ///
    /// - Parameter word: the first bytes, of which the lowest 16 bits are the first two.
    func insert(_ word: UInt32) {
        let hash = Self.hash(word)
        words[hash >> 6] |= 1 << UInt64(hash & 63)
        insert(pair: Int(word & 0xFFFF))
    }

    func insert(pair: Int) { pairs[pair >> 6] |= 1 << UInt64(pair & 63) }

    /// All of several sets.
    convenience init(_ sets: [PrefixFilter]) {
        self.init()
        for set in sets {
            for index in 0..<(1 << (Self.log - 6)) { words[index] |= set.words[index] }
            for index in 0..<1024 { pairs[index] |= set.pairs[index] }
        }
    }
}
