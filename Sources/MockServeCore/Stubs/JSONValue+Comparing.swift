extension JSONValue {
    /// Elements of an array that are compared with each other in any order. Longer ones never match.
    private static let unorderedLimit = 500

    /// Whether it is another value, whatever the order of the elements of arrays.
    ///
    /// - Parameter allowsMore: whether it may have more members and elements than the other one.
    package func matchesUnordered(_ other: JSONValue, allowsMore: Bool) -> Bool {
        switch (self, other) {
        case (.object(let own), .object(let wanted)):
            return (allowsMore || own.count == wanted.count)
                && wanted.allSatisfy { name, value in
                    own[name]?.matchesUnordered(value, allowsMore: allowsMore) ?? false
                }
        case (.array(let own), .array(let wanted)):
            guard allowsMore ? own.count >= wanted.count : own.count == wanted.count, own.count <= Self.unorderedLimit
            else {
                return false
            }
            return Self.canPair(wanted.count, own.count) {
                own[$1].matchesUnordered(wanted[$0], allowsMore: allowsMore)
            }
        default: return self == other
        }
    }

    /// Whether each element of one list has an element of another one for itself: a matching in a bipartite graph, by augmenting
    /// paths.
    private static func canPair(_ count: Int, _ otherCount: Int, _ fits: (Int, Int) -> Bool) -> Bool {
        let edges = (0..<count).map { one in (0..<otherCount).filter { fits(one, $0) } }
        var partners = [Int?](repeating: nil, count: otherCount)
        for start in 0..<count {
            // Breadth first: from which element each other one was reached.
            var reachedFrom = [Int?](repeating: nil, count: otherCount)
            var queue = [start]
            var next = 0
            var free: Int?
            while free == nil, next < queue.count {
                let one = queue[next]
                next += 1
                for other in edges[one] where reachedFrom[other] == nil {
                    reachedFrom[other] = one
                    guard let partner = partners[other] else {
                        free = other
                        break
                    }
                    queue.append(partner)
                }
            }
            guard var other = free else { return false }
            // Gives every element on the way the one that it was reached for.
            while let one = reachedFrom[other] {
                let previous = partners.firstIndex { $0 == one }
                partners[other] = one
                guard one != start, let previous else { break }
                other = previous
            }
        }
        return true
    }

    /// The values under a path, in no particular order.
    func values(at path: JSONPath) -> [JSONValue] {
        var found: [JSONValue] = []
        collect(JSONPathMatch([path]), &found)
        return found
    }

    private func collect(_ match: JSONPathMatch, _ found: inout [JSONValue]) {
        guard !match.isEmpty else { return }
        if !match.selected.isEmpty { found.append(self) }
        switch self {
        case .object(let members):
            for (name, value) in members { value.collect(match.member(Array(name.utf8)), &found) }
        case .array(let elements):
            for (index, value) in elements.enumerated() { value.collect(match.element(index), &found) }
        default: break
        }
    }

    /// A string as it is; any other value as JSON.
    var plainText: [UInt8] { if case .string(let text) = self { Array(text.utf8) } else { text } }
}
