import Foundation

/// Finds any number of literals in a text, by the automaton of Aho and Corasick (Communications of the ACM 18, 1975). Of
/// matches that overlap, the leftmost counts, and of those the longest.
///
/// The automaton knows the first bytes of each literal; what follows is compared. So its size depends on how many
/// literals there are, not on how long they are.
final class LiteralAutomaton: Sendable {
    /// Bytes that a literal has at least: a filter looks at so many at once.
    static let shortest = 4
    /// Bytes of a literal that the automaton knows.
    private static let depth = 16

    /// Which four bytes literals begin with, a bit for each hash. This rules out nearly all places of a text.
    let beginnings: PrefixFilter
    private let nodes: [Node]
    private let edges: Edges
    private let groups: [LiteralGroup]

    private struct Node {
        /// The node of the longest proper suffix.
        var suffix: UInt32 = 0
        /// The node of the longest proper suffix that has a group; 0 for none.
        var nextGroup: UInt32 = 0
        /// Literals that begin with what leads to this node, and all of whose known bytes do; -1 for none.
        var group: Int32 = -1
        var depth: UInt8 = 0
    }

    /// - Parameter literals: each of at least `shortest` bytes; shorter ones are never found.
    init(_ literals: [[UInt8]]) {
        let usable = literals.indices.filter { literals[$0].count >= Self.shortest }
        var (nodes, edges) = ([Node()], Edges(usable.reduce(0) { $0 + min(literals[$1].count, Self.depth) }))
        var (members, origins) = ([[Int]](), [(parent: UInt32(0), byte: UInt8(0))])
        let beginnings = PrefixFilter()
        for index in usable {
            beginnings.insert(literals[index].withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) })
            var node: UInt32 = 0
            for byte in literals[index].prefix(Self.depth) {
                if let next = edges.find(node, byte) {
                    node = next
                    continue
                }
                let made = UInt32(nodes.count)
                nodes.append(Node(depth: nodes[Int(node)].depth + 1))
                origins.append((node, byte))
                edges.add(node, byte, made)
                node = made
            }
            if nodes[Int(node)].group < 0 {
                nodes[Int(node)].group = Int32(members.count)
                members.append([])
            }
            members[Int(nodes[Int(node)].group)].append(index)
        }
        Self.link(&nodes, edges, origins)
        groups = members.map { LiteralGroup($0, literals) }
        (self.nodes, self.edges, self.beginnings) = (nodes, edges, beginnings)
    }

    /// Sets the suffixes, those of the shortest nodes first.
    private static func link(_ nodes: inout [Node], _ edges: Edges, _ origins: [(parent: UInt32, byte: UInt8)]) {
        for index in (1..<nodes.count).sorted(by: { nodes[$0].depth < nodes[$1].depth }) {
            let (parent, byte) = origins[index]
            guard parent != 0 else { continue }
            var candidate = nodes[Int(parent)].suffix
            while true {
                if let found = edges.find(candidate, byte) {
                    nodes[index].suffix = found
                    break
                }
                if candidate == 0 { break }
                candidate = nodes[Int(candidate)].suffix
            }
            let suffix = nodes[Int(nodes[index].suffix)]
            nodes[index].nextGroup = suffix.group >= 0 ? nodes[index].suffix : suffix.nextGroup
        }
    }

    /// Looks for literals that begin at `start` or soon after it.
    ///
    /// - Parameter body: takes the bounds of a match and the index of its literal.
    /// - Returns: where the next literal may begin.
    func walk(from start: Int, _ text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>, Int) -> Void) -> Int {
        var (node, position) = (UInt32(0), start)
        var best: (range: Range<Int>, literal: Int)?
        while position < text.count {
            node = next(node, text[position])
            position += 1
            if let best, position - Int(nodes[Int(node)].depth) > best.range.lowerBound { break }
            var ending = nodes[Int(node)].group >= 0 ? node : nodes[Int(node)].nextGroup
            while ending != 0 {
                let state = nodes[Int(ending)]
                let begin = position - Int(state.depth)
                if let best, begin > best.range.lowerBound { break }
                if let found = groups[Int(state.group)].longest(at: begin, text) {
                    if best.map({ begin < $0.range.lowerBound || found.end > $0.range.upperBound }) ?? true {
                        best = (begin..<found.end, found.literal)
                    }
                    break
                }
                ending = state.nextGroup
            }
            if node == 0 { break }
        }
        guard let best else { return position }
        body(best.range, best.literal)
        return best.range.upperBound
    }

    private func next(_ node: UInt32, _ byte: UInt8) -> UInt32 {
        var node = node
        while true {
            if let found = edges.find(node, byte) { return found }
            if node == 0 { return 0 }
            node = nodes[Int(node)].suffix
        }
    }

    /// A hash table with linear probing, from a node and a byte to a node.
    private struct Edges {
        /// 0 for an empty slot, or 1 + the node times 256 + the byte.
        private var keys: [UInt64]
        private var targets: [UInt32]

        /// - Parameter size: edges at most.
        init(_ size: Int) {
            var slots = 16
            while slots * 3 < size * 4 { slots *= 2 }
            (keys, targets) = (Array(repeating: 0, count: slots), Array(repeating: 0, count: slots))
        }

        private func slot(_ key: UInt64) -> Int {
            var index = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & (keys.count - 1)
            while keys[index] != 0, keys[index] != key { index = (index + 1) & (keys.count - 1) }
            return index
        }

        private static func key(_ node: UInt32, _ byte: UInt8) -> UInt64 { 1 + UInt64(node) << 8 + UInt64(byte) }

        func find(_ node: UInt32, _ byte: UInt8) -> UInt32? {
            let index = slot(Self.key(node, byte))
            return keys[index] == 0 ? nil : targets[index]
        }

        mutating func add(_ node: UInt32, _ byte: UInt8, _ target: UInt32) {
            let index = slot(Self.key(node, byte))
            (keys[index], targets[index]) = (Self.key(node, byte), target)
        }
    }
}
