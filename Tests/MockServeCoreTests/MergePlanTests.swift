import MockServeCore
import Testing

/// Three versions become one.
@Suite struct MergePlanTests {
    /// `a1` is what answers `a`, in its first version.
    private func entries(_ text: String) -> [MergeEntry] {
        text.split(separator: " ").map { word in
            MergeEntry(key: Array(word.prefix { !$0.isNumber }.utf8), content: Array(word.utf8))
        }
    }

    private func merged(_ base: String, _ ours: String, _ theirs: String) -> String {
        let (our, their) = (ours.split(separator: " "), theirs.split(separator: " "))
        let plan = MergePlan(base: entries(base), ours: entries(ours), theirs: entries(theirs)) { _, _ in false }
        return plan.items.map { item in
            switch item {
            case .ours(let place): String(our[place])
            case .theirs(let place): String(their[place])
            case .conflict(let left, let right):
                "<\(left.map { String(our[$0]) } ?? "")|\(right.map { String(their[$0]) } ?? "")>"
            }
        }.joined(separator: " ")
    }

    @Test(
        arguments: [
            // Nothing changes; one side changes; both do the same.
            ("a1 b1", "a1 b1", "a1 b1", "a1 b1"), ("a1 b1", "a2 b1", "a1 b1", "a2 b1"),
            ("a1 b1", "a1 b1", "a1 b2", "a1 b2"), ("a1", "a2", "a2", "a2"), ("", "", "", ""),
            // Added: at the end, at the front, in the middle, on both sides, the same on both.
            ("a1", "a1 b1", "a1", "a1 b1"), ("a1", "a1", "b1 a1", "b1 a1"),
            ("a1 d1", "a1 b1 d1", "a1 c1 d1", "a1 b1 c1 d1"),
            ("a1", "a1 b1", "a1 c1", "a1 b1 c1"), ("a1", "b1 a1", "c1 a1", "b1 c1 a1"),
            ("a1", "a1 b1", "a1 b1", "a1 b1"),
            ("", "a1", "b1", "a1 b1"), ("", "a1", "", "a1"), ("", "", "a1", "a1"),
            // Removed.
            ("a1 b1 c1", "a1 c1", "a1 b1 c1", "a1 c1"), ("a1 b1 c1", "b1 c1", "a1 b1", "b1"), ("a1", "", "", ""),
            // Several answers to the same requests.
            ("a1 a2", "a1 a2 a3", "a1 a2", "a1 a2 a3"), ("a1 a2", "a1", "a1 a2", "a1"), ("a1 a2", "a2", "a1 a3", "a3"),
            ("a1 a2", "a1 a9", "a7 a2", "a7 a9"), ("a1 b1 a2", "a1 b2 a2", "a3 b1 a2", "a3 b2 a2"),
            // Reordered, by either side.
            ("a1 b1 c1", "c1 a1 b1", "a1 b1 c1", "c1 a1 b1"), ("a1 b1 c1", "a1 b1 c1", "c1 a1 b1", "c1 a1 b1"),
            ("a1 b1", "a1 b1 x1", "b1 a1 y1", "b1 x1 a1 y1"), ("a1 b1", "b1 a1", "a1 b2", "b2 a1"),
            // Recorded again on one side, which puts it at the end there.
            ("a1 b1 c1", "a1 b1 c1", "b1 c1 a2", "b1 c1 a2"),
            // Conflicts.
            ("a1", "a2", "a3", "<a2|a3>"), ("a1", "", "a3", "<|a3>"), ("a1", "a2", "", "<a2|>"),
            ("", "a1", "a2", "<a1|a2>"),
            ("a1 b1", "a2 b1", "a3 b2", "<a2|a3> b2"),
        ]
    )
    func mergesThreeWays(_ base: String, _ ours: String, _ theirs: String, _ result: String) {
        #expect(merged(base, ours, theirs) == result)
    }

    @Test func whatIsAlikeIsNoConflict() {
        let plan = MergePlan(base: entries("a1"), ours: entries("a2 b1"), theirs: entries("a3 b2")) { our, their in
            our == 0 && their == 0
        }
        #expect(plan.items == [.ours(0), .conflict(ours: 1, theirs: 1)])
    }

    /// Random histories on two sides that touch different things give what doing both by hand gives, and conflict only where
    /// both touch the same.
    @Test(arguments: 0..<40)
    func randomHistoriesMerge(_ seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<50 {
            let names = (0..<12).map { String(UnicodeScalar(UInt8(97 + $0))) }
            let base = names.prefix(Int.random(in: 0...8, using: &random)).map { $0 + "1" }
            var (ours, theirs, both) = (base, base, base)
            // Each side has names of its own to change, remove or add.
            for (index, name) in names.enumerated() {
                let isOurs = index.isMultiple(of: 2)
                guard Bool.random(using: &random) else { continue }
                func change(_ list: inout [String]) {
                    if let place = list.firstIndex(of: name + "1") {
                        if index.isMultiple(of: 3) { list.remove(at: place) } else { list[place] = name + "2" }
                    } else {
                        list.append(name + "1")
                    }
                }
                change(&both)
                if isOurs { change(&ours) } else { change(&theirs) }
            }
            func words(_ list: [String]) -> String { list.joined(separator: " ") }
            let result = merged(words(base), words(ours), words(theirs))
            let swapped = merged(words(base), words(theirs), words(ours))
            let what = "\(words(base)) / \(words(ours)) / \(words(theirs))"
            #expect(result.split(separator: " ").sorted() == both.map { Substring($0) }.sorted(), "\(what)")
            #expect(swapped.split(separator: " ").sorted() == result.split(separator: " ").sorted(), "\(what)")
            // What was there keeps its order.
            let kept = result.split(separator: " ").filter { base.contains(String($0)) }
            #expect(kept == base.filter { kept.contains(Substring($0)) }.map { Substring($0) }, "\(what)")
            #expect(merged(words(base), words(ours), words(ours)) == words(ours))
            #expect(merged(words(base), words(ours), words(base)) == words(ours))
            #expect(merged(words(base), words(base), words(theirs)) == words(theirs))
        }
    }

    @Test func alignmentIsAscendingAndEqual() {
        var random = Seeded(7)
        for _ in 0..<200 {
            let old = (0..<Int.random(in: 0...12, using: &random)).map { _ in Int.random(in: 0...5, using: &random) }
            let new = (0..<Int.random(in: 0...12, using: &random)).map { _ in Int.random(in: 0...5, using: &random) }
            let pairs = Alignment.equal(old, new)
            #expect(pairs.allSatisfy { old[$0.old] == new[$0.new] })
            #expect(zip(pairs, pairs.dropFirst()).allSatisfy { $0.old < $1.old && $0.new < $1.new })
        }
        #expect(Alignment.equal([1, 2, 3, 4], [2, 3, 9, 4]).map(\.old) == [1, 2, 3])
    }
}

private struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
