import Foundation
import Testing

@testable import MockServe

struct MemoryCacheTests {
    private final class Entry: CacheEntry<Int>, @unchecked Sendable {}

    private func cache(_ budget: Int) -> SharedCache<Int, Entry> { SharedCache(budget: budget) }

    @Test func keepsWhatFitsAndFindsIt() {
        let cache = cache(100_000)
        for key in 0..<100 { cache.keep(Entry(key), size: 500) }
        #expect((0..<100).allSatisfy { cache.entry($0)?.key == $0 } && cache.entry(100) == nil)
        cache.renew(1)
        #expect((0..<100).allSatisfy { cache.entry($0) == nil })
    }

    /// Whatever the step between numbers, they do not gather in a few parts: threads would wait for each other there.
    @Test(arguments: [1, 2, 16, 64, 1 << 20, 1 << 33])
    func keysAreSpreadOverTheParts(_ step: Int) {
        let parts = Dictionary(grouping: (0..<1024).map { ($0 * step).spread & 15 }, by: { $0 })
        #expect(parts.count == 16 && parts.values.allSatisfy { (16...128).contains($0.count) })
    }

    @Test func staysWithinItsBudget() {
        let cache = cache(100_000)
        let entries = (0..<10_000).map { Entry($0) }
        for entry in entries + entries { cache.keep(entry, size: 900) }
        let kept = entries.filter { cache.entry($0.key) != nil }
        #expect(kept.count > 50 && kept.count * 900 <= 100_000)
    }

    @Test func whatIsAskedForOncePushesNothingOut() {
        let cache = cache(100_000)
        for key in 0..<90 { cache.keep(Entry(key), size: 900) }
        for key in 1_000..<20_000 { cache.keep(Entry(key), size: 900) }
        #expect((0..<90).allSatisfy { cache.entry($0) != nil })
        // Once it is used again, it is worth keeping.
        cache.keep(Entry(50_000), size: 900)
        cache.keep(Entry(50_000), size: 900)
        #expect(cache.entry(50_000) != nil)
    }

    @Test func whatIsUsedStaysLongest() {
        let cache = cache(10_000)
        let (used, unused) = (Entry(1), Entry(2))
        cache.keep(used, size: 4_000)
        cache.keep(unused, size: 4_000)
        _ = cache.entry(1)
        for _ in 0..<2 { cache.keep(Entry(3), size: 3_000) }
        #expect(cache.entry(1) === used && cache.entry(2) == nil)
    }

    @Test func anEntryThatGrowsIsCountedAnew() {
        let cache = cache(10_000)
        let growing = Entry(1)
        cache.keep(growing, size: 100)
        cache.keep(Entry(2), size: 4_000)
        cache.keep(growing, size: 4_500)
        #expect(cache.entry(1) === growing)
        cache.keep(Entry(3), size: 4_000)
        cache.keep(Entry(3), size: 4_000)
        let sizes = [1, 2, 3].compactMap { cache.entry($0)?.size }
        #expect(sizes.reduce(0, +) <= 10_000)
        // More than half of the budget is too much for one entry.
        cache.keep(Entry(4), size: 6_000)
        cache.keep(Entry(4), size: 6_000)
        #expect(cache.entry(4) == nil)
    }

    @Test func whatWasReadFromAnOlderFileIsNotTakenIn() {
        let cache = cache(100_000)
        cache.keep(Entry(1), size: 500, 0)
        cache.renew(2)
        cache.keep(Entry(1), size: 500, 1)
        #expect(cache.entry(1) == nil)
        cache.keep(Entry(1), size: 500, 2)
        #expect(cache.entry(1) != nil)
    }

    @Test func threadsShareIt() {
        let cache = cache(200_000)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for round in 0..<20_000 {
                let key = (round &* 31 &+ thread) % 500
                if let entry = cache.entry(key) { #expect(entry.key == key) } else { cache.keep(Entry(key), size: 600) }
                if round % 5_000 == 0 { cache.renew(0) }
            }
        }
        let kept = (0..<500).compactMap { cache.entry($0)?.size }
        #expect(kept.reduce(0, +) <= 200_000)
    }
}
