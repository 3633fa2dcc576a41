import Testing

@testable import MockServe

struct MemoryCacheTests {
    private final class Entry: CacheEntry<Int> {
        var isLetGo = false

        init(_ key: Int) { super.init(key, size: 0) }

        override func givenUp() { isLetGo = true }
    }

    @Test func keepsWhatFitsAndFindsIt() {
        var cache = MemoryCache<Int, Entry>(budget: 100_000)
        for key in 0..<100 { cache.keep(Entry(key), size: 500) }
        #expect((0..<100).allSatisfy { cache.entry($0)?.key == $0 } && cache.entry(100) == nil)
        cache.removeAll()
        #expect((0..<100).allSatisfy { cache.entry($0) == nil })
    }

    @Test func staysWithinItsBudget() {
        var cache = MemoryCache<Int, Entry>(budget: 100_000)
        let entries = (0..<10_000).map { Entry($0) }
        for entry in entries + entries { cache.keep(entry, size: 900) }
        let kept = entries.filter { cache.entry($0.key) != nil }
        #expect(kept.count > 50 && kept.count * 900 <= 100_000)
        #expect(kept.allSatisfy { $0.isKept && !$0.isLetGo })
    }

    @Test func whatIsAskedForOncePushesNothingOut() {
        var cache = MemoryCache<Int, Entry>(budget: 100_000)
        for key in 0..<90 { cache.keep(Entry(key), size: 900) }
        for key in 1_000..<20_000 { cache.keep(Entry(key), size: 900) }
        #expect((0..<90).allSatisfy { cache.entry($0) != nil })
        // Asked for again it is worth a place.
        cache.keep(Entry(50_000), size: 900)
        cache.keep(Entry(50_000), size: 900)
        #expect(cache.entry(50_000) != nil)
    }

    @Test func whatIsUsedStaysLongest() {
        var cache = MemoryCache<Int, Entry>(budget: 10_000)
        let (used, unused) = (Entry(1), Entry(2))
        cache.keep(used, size: 4_000)
        cache.keep(unused, size: 4_000)
        _ = cache.entry(1)
        for _ in 0..<2 { cache.keep(Entry(3), size: 3_000) }
        #expect(cache.entry(1) === used && cache.entry(2) == nil && unused.isLetGo && !used.isLetGo)
    }

    @Test func anEntryThatGrowsIsCountedAnew() {
        var cache = MemoryCache<Int, Entry>(budget: 10_000)
        let growing = Entry(1)
        cache.keep(growing, size: 100)
        cache.keep(Entry(2), size: 4_000)
        cache.keep(growing, size: 4_500)
        #expect(cache.entry(1) === growing)
        cache.keep(Entry(3), size: 4_000)
        cache.keep(Entry(3), size: 4_000)
        let sizes = [1, 2, 3].compactMap { cache.entry($0)?.size }
        #expect(sizes.reduce(0, +) <= 10_000)
        // More than half of everything is too much for one.
        cache.keep(Entry(4), size: 6_000)
        cache.keep(Entry(4), size: 6_000)
        #expect(cache.entry(4) == nil)
    }
}
