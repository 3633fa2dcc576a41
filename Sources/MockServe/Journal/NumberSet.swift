/// A set of interaction numbers, with one bit for each where they are close together.
struct NumberSet: Sendable {
    private static let bits = 4096

    private var pages: [Int64: [UInt64]] = [:]

    mutating func insert(_ number: Int64) {
        let (page, word, bit) = Self.place(number)
        if pages[page] == nil { pages[page] = Array(repeating: 0, count: Self.bits / 64) }
        pages[page]?[word] |= bit
    }

    func contains(_ number: Int64) -> Bool {
        let (page, word, bit) = Self.place(number)
        return pages[page].map { $0[word] & bit != 0 } ?? false
    }

    mutating func formUnion(_ other: NumberSet) {
        pages.merge(other.pages) { left, right in zip(left, right).map { $0 | $1 } }
    }

    /// In no particular order.
    var numbers: [Int64] {
        pages.flatMap { page, words in
            (0..<Self.bits).filter { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }.map {
                page * Int64(Self.bits) + Int64($0)
            }
        }
    }

    private static func place(_ number: Int64) -> (page: Int64, word: Int, bit: UInt64) {
        let offset = Int(number & Int64(bits - 1))
        return (number >> 12, offset / 64, 1 << UInt64(offset % 64))
    }
}
