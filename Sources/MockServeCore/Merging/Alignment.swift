/// Finds what two sequences have in common, in the order of both.
package enum Alignment {
    /// Places of equal elements, ascending in both. Not always the longest such list, but found in n log n.
    package static func equal<Element: Hashable>(_ old: [Element], _ new: [Element]) -> [(old: Int, new: Int)] {
        var start = 0
        while start < min(old.count, new.count), old[start] == new[start] { start += 1 }
        var end = 0
        while end < min(old.count, new.count) - start, old[old.count - 1 - end] == new[new.count - 1 - end] { end += 1 }
        var places: [Element: [Int]] = [:]
        for index in (start..<(new.count - end)).reversed() { places[new[index], default: []].append(index) }
        // Of equal ones, the first belongs to the first.
        var candidates: [(old: Int, new: Int)] = []
        for index in start..<(old.count - end) {
            if let place = places[old[index]]?.popLast() { candidates.append((index, place)) }
        }
        let middle = ascending(candidates.map(\.new)).map { candidates[$0] }
        let tail = (0..<end).reversed().map { (old: old.count - 1 - $0, new: new.count - 1 - $0) }
        return (0..<start).map { (old: $0, new: $0) } + middle + tail
    }

    /// Indices of a longest ascending run of numbers, all of which differ (Schensted, 1961).
    package static func ascending(_ numbers: [Int]) -> [Int] {
        // The index of the smallest end of a run of each length, and what comes before each.
        var ends: [Int] = []
        var before = Array(repeating: -1, count: numbers.count)
        for (index, number) in numbers.enumerated() {
            var (low, high) = (0, ends.count)
            while low < high {
                let middle = (low + high) / 2
                if numbers[ends[middle]] < number { low = middle + 1 } else { high = middle }
            }
            if low > 0 { before[index] = ends[low - 1] }
            if low == ends.count { ends.append(index) } else { ends[low] = index }
        }
        var run: [Int] = []
        var next = ends.last ?? -1
        while next >= 0 {
            run.append(next)
            next = before[next]
        }
        return run.reversed()
    }
}
