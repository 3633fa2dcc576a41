/// What differs between two texts, as unified diffs show it.
package enum LineDiff {
    /// Lines of a text up to which the smallest difference is looked for; of longer ones, a good one.
    private static let exactLimit = 2000

    /// - Parameter context: unchanged lines that are shown around what differs.
    /// - Returns: lines that begin with a space, `-` or `+`, and `…` where unchanged lines are left out; empty if nothing
    ///   differs.
    package static func lines(_ old: [String], _ new: [String], context: Int = 3) -> [String] {
        guard old != new else { return [] }
        var output: [(line: String, isChange: Bool)] = []
        var (left, right) = (0, 0)
        for (nextOld, nextNew) in same(old, new) + [(old.count, new.count)] {
            for line in old[left..<nextOld] { output.append(("-" + line, true)) }
            for line in new[right..<nextNew] { output.append(("+" + line, true)) }
            if nextOld < old.count { output.append((" " + old[nextOld], false)) }
            (left, right) = (nextOld + 1, nextNew + 1)
        }
        let changes = output.indices.filter { output[$0].isChange }
        var shown: [String] = []
        var last = -1
        var next = changes.startIndex
        for place in output.indices {
            while next < changes.endIndex, changes[next] < place - context { next += 1 }
            guard next < changes.endIndex, abs(changes[next] - place) <= context else { continue }
            if place > last + 1 { shown.append("…") }
            shown.append(output[place].line)
            last = place
        }
        if last < output.count - 1 { shown.append("…") }
        return shown
    }

    private static func same(_ old: [String], _ new: [String]) -> [(old: Int, new: Int)] {
        guard old.count <= exactLimit, new.count <= exactLimit else { return Alignment.equal(old, new) }
        var (removed, added): (Set<Int>, Set<Int>) = ([], [])
        for change in new.difference(from: old) {
            switch change {
            case .remove(let place, _, _): removed.insert(place)
            case .insert(let place, _, _): added.insert(place)
            }
        }
        let (left, right) = (old.indices.filter { !removed.contains($0) }, new.indices.filter { !added.contains($0) })
        return zip(left, right).map { ($0, $1) }
    }
}
