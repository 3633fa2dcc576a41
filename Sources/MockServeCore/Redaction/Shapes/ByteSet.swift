/// A set of bytes.
struct ByteSet: Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// Reads a class after its `[`, up to its `]`.
    init?(_ rest: inout ArraySlice<UInt8>) {
        var members: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "]") {
                for member in members { insert(member) }
                return
            }
            if byte == UInt8(ascii: "-"), let low = members.last, let high = rest.first, high != UInt8(ascii: "]") {
                guard low <= high else { return nil }
                members += low...high
                rest.removeFirst()
            } else if byte == UInt8(ascii: "\\"), let next = rest.popFirst() {
                members.append(next)
            } else {
                members.append(byte)
            }
        }
        return nil
    }

    private mutating func insert(_ byte: UInt8) {
        let bit = UInt64(1) << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    func contains(_ byte: UInt8) -> Bool {
        let bit = UInt64(1) << UInt64(byte & 63)
        return switch byte >> 6 {
        case 0: words.0 & bit != 0
        case 1: words.1 & bit != 0
        case 2: words.2 & bit != 0
        default: words.3 & bit != 0
        }
    }
}
