/// Finds any number of literals in a text, in time linear in the text however long or alike they are: the automaton of
/// Aho and Corasick (Communications of the ACM 18, 1975). Of matches that overlap, the leftmost counts, and of those the
/// longest.
final class LiteralAutomaton: Sendable {
    /// Bytes that a literal has at least: a filter looks at so many at once.
    static let shortest = 4

    /// Which four bytes literals begin with, a bit for each hash. This rules out nearly all places of a text.
    let beginnings: Bits
    /// A hash table of edges with linear probing: 0, or 1 + the node times 256 + the byte, and the node it leads to.
    private let edges: [(key: UInt64, node: Int32)]
    private let nodes: [Node]

    private struct Node {
        /// The node of the longest proper suffix.
        var suffix: Int32 = 0
        var depth: Int32 = 0
        /// The longest literal that ends here; -1 for none.
        var literal: Int32 = -1
    }

    /// - Parameter literals: each of at least `shortest` bytes; shorter ones are never found.
    init(_ literals: [[UInt8]]) {
        var trie = Trie(literals.reduce(0) { $0 + $1.count })
        let beginnings = Bits()
        for (index, literal) in literals.enumerated() where literal.count >= Self.shortest {
            trie.add(literal, Int32(index))
            beginnings.insert(literal.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) })
        }
        trie.link()
        (nodes, edges, self.beginnings) = (trie.nodes, trie.edges, beginnings)
        lengths = literals.map { Int32($0.count) }
    }

    private let lengths: [Int32]

    /// - Parameter body: takes the bounds of a match and the index of its literal.
    func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>, Int) -> Void) {
        guard text.count >= Self.shortest, let base = text.baseAddress else { return }
        var position = 0
        while position <= text.count - Self.shortest {
            let word = UnsafeRawPointer(base + position).loadUnaligned(as: UInt32.self)
            position = beginnings.contains(Bits.hash(word)) ? walk(from: position, text, body) : position + 1
        }
    }

    /// - Returns: where the next literal may begin.
    func walk(from start: Int, _ text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>, Int) -> Void) -> Int {
        var (node, position) = (Int32(0), start)
        var best: (range: Range<Int>, literal: Int)?
        while position < text.count {
            node = next(node, text[position])
            position += 1
            let state = nodes[Int(node)]
            let begin = position - Int(state.depth)
            if let best, begin > best.range.lowerBound {
                body(best.range, best.literal)
                return best.range.upperBound
            }
            if state.literal >= 0 {
                let found = position - Int(lengths[Int(state.literal)])
                if best.map({ found <= $0.range.lowerBound }) ?? true {
                    best = (found..<position, Int(state.literal))
                }
            }
            if node == 0 { break }
        }
        guard let best else { return position }
        body(best.range, best.literal)
        return best.range.upperBound
    }

    private func next(_ node: Int32, _ byte: UInt8) -> Int32 {
        var node = node
        while true {
            if let found = Trie.find(edges, node, byte) { return found }
            if node == 0 { return 0 }
            node = nodes[Int(node)].suffix
        }
    }

    private struct Trie {
        var nodes = [Node()]
        var edges: [(key: UInt64, node: Int32)]
        /// For each node but the first: its parent and its byte.
        private var origins: [(parent: Int32, byte: UInt8)] = [(0, 0)]

        init(_ size: Int) {
            var slots = 16
            while slots < size * 2 { slots *= 2 }
            edges = Array(repeating: (0, 0), count: slots)
        }

        private static func slot(_ key: UInt64, _ count: Int) -> Int {
            Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & (count - 1)
        }

        static func find(_ edges: [(key: UInt64, node: Int32)], _ node: Int32, _ byte: UInt8) -> Int32? {
            let key = 1 + UInt64(node) << 8 + UInt64(byte)
            var index = slot(key, edges.count)
            while edges[index].key != 0 {
                if edges[index].key == key { return edges[index].node }
                index = (index + 1) & (edges.count - 1)
            }
            return nil
        }

        mutating func add(_ literal: [UInt8], _ number: Int32) {
            var node: Int32 = 0
            for byte in literal {
                if let next = Self.find(edges, node, byte) {
                    node = next
                    continue
                }
                let made = Int32(nodes.count)
                nodes.append(Node(depth: nodes[Int(node)].depth + 1))
                origins.append((node, byte))
                let key = 1 + UInt64(node) << 8 + UInt64(byte)
                var index = Self.slot(key, edges.count)
                while edges[index].key != 0 { index = (index + 1) & (edges.count - 1) }
                edges[index] = (key, made)
                node = made
            }
            // Of equal ones, the first counts.
            if nodes[Int(node)].literal < 0 { nodes[Int(node)].literal = number }
        }

        /// Sets the suffixes, the shortest nodes first.
        mutating func link() {
            let order = (1..<nodes.count).sorted { nodes[$0].depth < nodes[$1].depth }
            for index in order {
                let (parent, byte) = origins[index]
                var suffix: Int32 = 0
                if parent != 0 {
                    var candidate = nodes[Int(parent)].suffix
                    while true {
                        if let found = Self.find(edges, candidate, byte) {
                            suffix = found
                            break
                        }
                        if candidate == 0 { break }
                        candidate = nodes[Int(candidate)].suffix
                    }
                }
                nodes[index].suffix = suffix
                if nodes[index].literal < 0 { nodes[index].literal = nodes[Int(suffix)].literal }
            }
        }
    }
}
