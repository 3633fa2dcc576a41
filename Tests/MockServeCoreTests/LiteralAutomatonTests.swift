import Testing

@testable import MockServeCore

@Suite struct LiteralAutomatonTests {
    private func found(_ literals: [[UInt8]], _ text: [UInt8]) -> [(Range<Int>, Int)] {
        let automaton = LiteralAutomaton(literals)
        var found: [(Range<Int>, Int)] = []
        text.withUnsafeBufferPointer { text in
            var position = 0
            while position + LiteralAutomaton.shortest <= text.count {
                let next = automaton.walk(from: position, text) { found.append(($0, $1)) }
                position = max(position + 1, next)
            }
        }
        return found
    }

    /// The leftmost, and of those the longest, and so on after its end.
    private func expected(_ literals: [[UInt8]], _ text: [UInt8]) -> [(Range<Int>, Int)] {
        var (found, position) = ([(Range<Int>, Int)](), 0)
        while position < text.count {
            let here = literals.indices.filter { text[position...].starts(with: literals[$0]) }
            if let best = here.max(by: { (literals[$0].count, -$0) < (literals[$1].count, -$1) }) {
                found.append((position..<position + literals[best].count, best))
                position += literals[best].count
            } else {
                position += 1
            }
        }
        return found
    }

    /// Literals that share beginnings, contain and continue each other, in texts made of their parts.
    @Test func findsWhatIsThere() {
        var random = SplitMix64(seed: 5)
        for _ in 0..<3000 {
            let letters = Int.random(in: 2...4, using: &random)
            func word(_ sizes: ClosedRange<Int>) -> [UInt8] {
                (0..<Int.random(in: sizes, using: &random)).map { _ in
                    UInt8(0x61 + Int.random(in: 0..<letters, using: &random))
                }
            }
            let stems = (0..<3).map { _ in word(0...24) }
            let literals = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                (stems.randomElement(using: &random) ?? []) + word(4...9)
            }
            var text: [UInt8] = []
            for _ in 0..<12 {
                let whole = literals.randomElement(using: &random) ?? []
                text += whole.prefix(Int.random(in: 0...whole.count, using: &random)) + word(0...3)
            }
            let (one, other) = (found(literals, text), expected(literals, text))
            let (shown, wanted) = (one.map { "\($0.0) \($0.1)" }, other.map { "\($0.0) \($0.1)" })
            #expect(
                shown == wanted,
                "\(literals.map { String(decoding: $0, as: UTF8.self) }) \(String(decoding: text, as: UTF8.self))"
            )
        }
    }

    @Test func longOnesMayBeCut() {
        let long = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        #expect(found([long, Array(long.prefix(4000))], Array(long.prefix(4999))).map(\.0) == [0..<4000])
        #expect(found([long], Array(long.prefix(4999))).isEmpty)
        #expect(found([long], [1, 2] + long + [3]).map(\.0) == [2..<5002])
    }
}
