/// Finds, among many targets of one path, those whose queries are nearest to the one asked for, at a cost of
/// nanoseconds per byte: pairs count as they are spelled.
package struct QueryNearness {
    private let asked: Set<UInt64>
    private let limit: Int
    private var nearest: [(distance: Int, id: Int64)] = []
    private var farthest = Int.max

    /// - Parameter limit: how many are kept.
    package init(to target: [UInt8], limit: Int) {
        self.limit = limit
        var pairs: Set<UInt64> = []
        target.withUnsafeBufferPointer { target in
            Self.eachPair(target) { pairs.insert($0) }
        }
        asked = pairs
    }

    package mutating func add(_ id: Int64, _ target: UnsafeBufferPointer<UInt8>) {
        var (shared, others) = (0, 0)
        Self.eachPair(target) { pair in
            if asked.contains(pair) { shared += 1 } else { others += 1 }
        }
        let distance = others + max(0, asked.count - shared)
        guard nearest.count < limit || distance < farthest else { return }
        nearest.append((distance, id))
        if nearest.count >= limit * 2 { cut() }
    }

    private mutating func cut() {
        nearest.sort { ($0.distance, ~$0.id) < ($1.distance, ~$1.id) }
        nearest.removeLast(max(0, nearest.count - limit))
        farthest = nearest.last?.distance ?? .max
    }

    /// Numbers of the nearest.
    package mutating func take() -> [Int64] {
        cut()
        return nearest.map(\.id)
    }

    private static func eachPair(_ target: UnsafeBufferPointer<UInt8>, _ body: (UInt64) -> Void) {
        guard var index = target.firstIndex(of: UInt8(ascii: "?")) else { return }
        index += 1
        while index < target.count {
            var pair = PartDigest(.pair)
            let start = index
            while index < target.count, target[index] != UInt8(ascii: "&") {
                pair.add(UInt64(target[index]))
                index += 1
            }
            if index > start { body(pair.value) }
            index += 1
        }
    }
}
