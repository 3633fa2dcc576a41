import Synchronization

/// A key of a `SharedCache`.
protocol CacheKey: Hashable, Sendable {
    /// Evenly spread; says which part of a cache has the key.
    var spread: UInt64 { get }
}

extension FixedWidthInteger {
    var spread: UInt64 { (UInt64(truncatingIfNeeded: self) &* 0x9E37_79B9_7F4A_7C15) >> 60 }
}

extension Int: CacheKey {}
extension Int64: CacheKey {}

/// An entry of a `SharedCache`.
///
/// Any thread may hold one: what a subclass adds never changes, the flag is atomic, and the rest belongs to the cache,
/// which uses it only under the lock of the entry's part.
class CacheEntry<Key: CacheKey>: @unchecked Sendable {
    let key: Key
    /// Its bytes, roughly.
    fileprivate(set) var size = 0
    /// Its index in the cache; negative while it is in none.
    fileprivate var index = -1
    private let isRecent = Atomic(false)

    init(_ key: Key) {
        self.key = key
    }

    /// Notes that it was used.
    func touch() {
        if !isRecent.load(ordering: .relaxed) { isRecent.store(true, ordering: .relaxed) }
    }

    fileprivate func takeRecent() -> Bool {
        guard isRecent.load(ordering: .relaxed) else { return false }
        isRecent.store(false, ordering: .relaxed)
        return true
    }
}

/// Keeps what was used recently, for all threads, within one budget of bytes. It has several parts with a lock each, so
/// that threads seldom wait for each other.
///
/// What is used once does not push out what is used often: when the budget is used up, an entry is kept only if its key
/// was seen before. Entries are dropped by the clock algorithm (second chance), in which a hit costs no more than
/// setting a flag.
final class SharedCache<Key: CacheKey, Entry: CacheEntry<Key>>: Sendable {
    /// Roughly what an entry takes in addition to its content.
    private static var overhead: Int { 128 }
    private static var partCount: Int { 16 }

    private final class Part: Sendable {
        let content = Mutex(CachePart<Key, Entry>())
    }

    private let budget: Int
    private let size = Atomic(0)
    private let parts: [Part]

    /// - Parameter budget: bytes.
    init(budget: Int) {
        self.budget = budget
        parts = (0..<Self.partCount).map { _ in Part() }
    }

    private func index(of key: Key) -> Int { Int(key.spread & UInt64(Self.partCount - 1)) }

    func entry(_ key: Key) -> Entry? {
        let entry = parts[index(of: key)].content.withLock { $0.entries[key] }
        entry?.touch()
        return entry
    }

    /// Keeps an entry, which replaces another with the same key.
    ///
    /// - Parameters:
    ///   - size: its bytes.
    ///   - generation: of the source it was read from; it is not kept if that is not the newest.
    func keep(_ entry: Entry, size: Int, _ generation: Int = 0) {
        let size = size + Self.overhead
        guard size <= budget / 2 else { return }
        let own = index(of: entry.key)
        if self.size.load(ordering: .relaxed) + size > budget {
            guard parts[own].content.withLock({ $0.wasSeen(entry.key) }) else { return }
            makeRoom(for: size, from: own)
        }
        let change = parts[own].content.withLock { part in
            part.generation == generation ? part.insert(entry, size: size) : 0
        }
        self.size.add(change, ordering: .relaxed)
    }

    private func makeRoom(for needed: Int, from start: Int) {
        // The first round spares what was used recently.
        for offset in 0..<Self.partCount * 2 {
            let excess = size.load(ordering: .relaxed) + needed - budget
            guard excess > 0 else { return }
            let freed = parts[(start + offset) % Self.partCount].content.withLock { $0.giveUp(atLeast: excess) }
            size.subtract(freed, ordering: .relaxed)
        }
    }

    /// Drops everything.
    ///
    /// - Parameter generation: of what is kept from now on.
    func renew(_ generation: Int) {
        for part in parts {
            let freed = part.content.withLock { part in
                // A slower thread must not set the generation back.
                part.generation = max(part.generation, generation)
                return part.removeAll()
            }
            size.subtract(freed, ordering: .relaxed)
        }
    }
}

/// One part of a cache.
private struct CachePart<Key: CacheKey, Entry: CacheEntry<Key>> {
    /// Marks of keys that were seen recently.
    private static var markCount: Int { 1 << 12 }

    var entries: [Key: Entry] = [:]
    var generation = 0
    private var ring: [Entry] = []
    private var hand = 0
    /// Each at the index that its hash gives.
    private var marks: [UInt32] = []

    /// - Returns: by how many bytes the part has grown.
    mutating func insert(_ entry: Entry, size: Int) -> Int {
        let freed = entries[entry.key].map { remove($0) } ?? 0
        entry.size = size
        entry.index = ring.count
        ring.append(entry)
        entries[entry.key] = entry
        return size - freed
    }

    mutating func wasSeen(_ key: Key) -> Bool {
        if marks.isEmpty { marks = Array(repeating: 0, count: Self.markCount) }
        let hash = UInt64(bitPattern: Int64(key.hashValue))
        let (place, mark) = (Int(hash & UInt64(Self.markCount - 1)), UInt32(truncatingIfNeeded: hash >> 32) | 1)
        defer { marks[place] = mark }
        return marks[place] == mark
    }

    /// Goes around once.
    ///
    /// - Returns: bytes that were freed.
    mutating func giveUp(atLeast needed: Int) -> Int {
        var freed = 0
        for _ in 0..<ring.count where freed < needed {
            if hand >= ring.count { hand = 0 }
            let entry = ring[hand]
            if entry.takeRecent() { hand += 1 } else { freed += remove(entry) }
        }
        return freed
    }

    mutating func removeAll() -> Int {
        let freed = ring.reduce(0) { $0 + $1.size }
        for entry in ring { entry.index = -1 }
        entries = [:]
        ring = []
        hand = 0
        return freed
    }

    /// - Returns: its bytes.
    private mutating func remove(_ entry: Entry) -> Int {
        guard entry.index >= 0 else { return 0 }
        entries[entry.key] = nil
        let last = ring.removeLast()
        if last !== entry {
            ring[entry.index] = last
            last.index = entry.index
        }
        entry.index = -1
        return entry.size
    }
}
