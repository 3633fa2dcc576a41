/// Something that a `MemoryCache` keeps.
class CacheEntry<Key: Hashable> {
    let key: Key
    /// Bytes it takes, roughly.
    fileprivate(set) var size: Int
    fileprivate var isRecent = false
    /// Its place in the cache; negative while it is in none.
    fileprivate var index = -1

    init(_ key: Key, size: Int) {
        self.key = key
        self.size = size
    }

    /// Whether a cache keeps it.
    var isKept: Bool { index >= 0 }

    /// It was given up: what it holds is to be let go, whoever else knows it.
    func givenUp() {}
}

/// Keeps what was asked for lately within a budget of bytes. What is asked for once does not push out what is asked for often:
/// once the budget is used up, an entry is taken in only if its key was seen before.
///
/// Entries are given up by the clock algorithm (second chance), which costs a hit no more than setting a flag.
struct MemoryCache<Key: Hashable, Entry: CacheEntry<Key>> {
    /// Roughly what an entry takes beside its content.
    private static var overhead: Int { 128 }

    private let budget: Int
    private var size = 0
    private var entries: [Key: Entry] = [:]
    private var ring: [Entry] = []
    private var hand = 0
    /// Marks of keys that were seen lately, each in the place that its hash value gives it.
    private var marks: [UInt32] = []

    /// - Parameter budget: bytes.
    init(budget: Int) {
        self.budget = budget
    }

    func entry(_ key: Key) -> Entry? {
        guard let entry = entries[key] else { return nil }
        if !entry.isRecent { entry.isRecent = true }
        return entry
    }

    /// Takes in an entry, or notices that one has become another size.
    ///
    /// - Parameter size: bytes of it now.
    mutating func keep(_ entry: Entry, size: Int) {
        let size = size + Self.overhead
        if entry.index >= 0 {
            remove(entry)
        } else if self.size + size > budget, !wasSeen(entry.key) {
            return
        }
        guard size <= budget / 2 else { return }
        if let other = entries[entry.key] { giveUp(other) }
        makeRoom(for: size)
        entry.size = size
        entry.index = ring.count
        ring.append(entry)
        entries[entry.key] = entry
        self.size += size
    }

    mutating func removeAll() {
        for entry in ring {
            entry.index = -1
            entry.givenUp()
        }
        entries = [:]
        ring = []
        size = 0
        hand = 0
    }

    private mutating func wasSeen(_ key: Key) -> Bool {
        if marks.isEmpty { marks = Array(repeating: 0, count: 1 << 15) }
        let hash = UInt64(bitPattern: Int64(key.hashValue))
        let (place, mark) = (Int(hash & 0x7FFF), UInt32(truncatingIfNeeded: hash >> 32) | 1)
        defer { marks[place] = mark }
        return marks[place] == mark
    }

    private mutating func makeRoom(for needed: Int) {
        while size + needed > budget, !ring.isEmpty {
            if hand >= ring.count { hand = 0 }
            let entry = ring[hand]
            if entry.isRecent {
                entry.isRecent = false
                hand += 1
            } else {
                giveUp(entry)
            }
        }
    }

    private mutating func giveUp(_ entry: Entry) {
        remove(entry)
        entry.givenUp()
    }

    private mutating func remove(_ entry: Entry) {
        entries[entry.key] = nil
        size -= entry.size
        let last = ring.removeLast()
        if last !== entry {
            ring[entry.index] = last
            last.index = entry.index
        }
        entry.index = -1
    }
}
