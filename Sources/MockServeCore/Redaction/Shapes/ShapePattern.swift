/// A pattern of a `KeyShape`, one for each choice of its alternatives.
struct ShapePattern: Sendable {
    enum Element: Sendable {
        case literal([UInt8])
        case characters(ByteSet, Int, Int)
    }

    let elements: [Element]
    /// The first literal, or the longest: the element at which a match is looked for.
    let anchor: Int

    var anchorBytes: [UInt8] { if case .literal(let bytes) = elements[anchor] { bytes } else { [] } }

    /// - Returns: nil if the pattern is malformed.
    static func parse(_ text: String) -> [ShapePattern]? {
        var all: [[Element]] = [[]]
        var rest = Array(text.utf8)[...]
        func addLiteral(_ bytes: [UInt8]) {
            for index in all.indices {
                if case .literal(let before)? = all[index].last {
                    all[index][all[index].count - 1] = .literal(before + bytes)
                } else {
                    all[index].append(.literal(bytes))
                }
            }
        }
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst() else { return nil }
                addLiteral([next])
            case UInt8(ascii: "["):
                guard let set = ByteSet(&rest), let (low, high) = count(&rest) else { return nil }
                for index in all.indices { all[index].append(.characters(set, low, high)) }
            case UInt8(ascii: "("):
                guard let end = rest.firstIndex(of: UInt8(ascii: ")")) else { return nil }
                let choices = rest[..<end].split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
                rest = rest[(end + 1)...]
                let before = all
                all = []
                for choice in choices {
                    let made = all
                    all = before
                    let plain = choice.filter { $0 != UInt8(ascii: "\\") }
                    if !plain.isEmpty { addLiteral(Array(plain)) }
                    all = made + all
                }
            default: addLiteral([byte])
            }
        }
        return all.map { elements in
            let lengths = elements.map { if case .literal(let bytes) = $0 { bytes.count } else { 0 } }
            let longest = lengths.indices.max { lengths[$0] < lengths[$1] } ?? 0
            return ShapePattern(elements: elements, anchor: lengths.first ?? 0 >= 3 ? 0 : longest)
        }
    }

    private static func count(_ rest: inout ArraySlice<UInt8>) -> (Int, Int)? {
        guard rest.first == UInt8(ascii: "{"), let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return nil }
        let parts = rest[(rest.startIndex + 1)..<end].split(
            separator: UInt8(ascii: ","),
            omittingEmptySubsequences: false
        )
        rest = rest[(end + 1)...]
        let numbers = parts.map { Int(String(decoding: $0, as: UTF8.self)) }
        guard let low = numbers[0] else { return nil }
        return (low, numbers.count == 1 ? low : numbers[1] ?? Int.max)
    }

    enum Match {
        case found(Range<Int>)
        /// There is none here, nor at any other anchor before this place.
        case none(until: Int)
        /// The text ends before it is clear, here and at any other anchor before the second place.
        case open(from: Int, until: Int)
    }

    /// - Parameters:
    ///   - start: where the anchor begins, which has been compared already.
    ///   - isWhole: whether it must not be part of a longer word.
    func match(_ text: UnsafeBufferPointer<UInt8>, anchorAt start: Int, isWhole: Bool = true) -> Match {
        var low = start
        for element in elements[..<anchor].reversed() {
            switch element {
            case .literal(let bytes):
                low -= bytes.count
                guard low >= 0, text[low..<low + bytes.count].elementsEqual(bytes) else { return .none(until: start) }
            case .characters(let set, let least, let most):
                var count = 0
                while count < most, low > 0, set.contains(text[low - 1]) {
                    low -= 1
                    count += 1
                }
                guard count >= least else { return .none(until: start) }
            }
        }
        guard !isWhole || low == 0 || !Self.isWord(text[low - 1]) || !Self.isWord(text[low]) else {
            return .none(until: start)
        }
        var (high, firstRun) = (start, start)
        for (index, element) in zip(anchor..., elements[anchor...]) {
            switch element {
            case .literal(let bytes):
                let end = min(high + bytes.count, text.count)
                guard text[high..<end].elementsEqual(bytes.prefix(end - high)) else { return .none(until: firstRun) }
                guard end == high + bytes.count else { return .open(from: low, until: firstRun) }
                high = end
            case .characters(let set, let least, let most):
                var count = 0
                while count < most, high < text.count, set.contains(text[high]) {
                    high += 1
                    count += 1
                }
                // Whatever begins in an endless run goes on as this one does.
                if index == anchor + 1, most == Int.max { firstRun = high }
                guard count >= least else {
                    return high == text.count ? .open(from: low, until: firstRun) : .none(until: firstRun)
                }
            }
        }
        guard !isWhole || high == text.count || !Self.isWord(text[high]) || !Self.isWord(text[high - 1]) else {
            return .none(until: firstRun)
        }
        return .found(low..<high)
    }

    private static func isWord(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 }
}
