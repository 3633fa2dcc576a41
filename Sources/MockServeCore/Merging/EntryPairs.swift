/// What pairing knows of something that is in a cassette.
package struct MergeEntry: Hashable, Sendable {
    /// What it answers: those with the same key may stand for one another.
    package let key: [UInt8]
    /// What it is. Equal for what has the same content.
    package let content: [UInt8]

    package init(key: [UInt8], content: [UInt8]) { (self.key, self.content) = (key, content) }
}

/// Which entries of two versions are the same thing: unchanged, changed, only in one of them.
package struct EntryPairs: Sendable {
    /// For each of the old ones, its place among the new ones; nil if it is gone.
    package private(set) var newOfOld: [Int?]
    package private(set) var oldOfNew: [Int?]

    package init(_ old: [MergeEntry], _ new: [MergeEntry]) {
        newOfOld = Array(repeating: nil, count: old.count)
        oldOfNew = Array(repeating: nil, count: new.count)
        var groups: [[UInt8]: (old: [Int], new: [Int])] = [:]
        for (index, entry) in old.enumerated() { groups[entry.key, default: ([], [])].old.append(index) }
        for (index, entry) in new.enumerated() { groups[entry.key, default: ([], [])].new.append(index) }
        for (olds, news) in groups.values {
            let same = Alignment.equal(olds.map { old[$0].content }, news.map { new[$0].content })
            // Between those that are equal, what is left belongs together in order.
            var (lastOld, lastNew) = (0, 0)
            for (nextOld, nextNew) in same + [(olds.count, news.count)] {
                for (left, right) in zip(lastOld..<nextOld, lastNew..<nextNew) { pair(olds[left], news[right]) }
                if nextOld < olds.count { pair(olds[nextOld], news[nextNew]) }
                (lastOld, lastNew) = (nextOld + 1, nextNew + 1)
            }
        }
    }

    private mutating func pair(_ old: Int, _ new: Int) {
        newOfOld[old] = new
        oldOfNew[new] = old
    }
}
