/// Values as tagged netstrings (https://tnetstrings.info), with the strings of mitmproxy: `3:abc,`, `3:abc;`, `2:42#`.
struct NetString {
    private let file: String
    private let bytes: [UInt8]
    private var budget = NodeBudget()

    /// Digits of a length.
    static let longestLength = 12

    /// Reads one value.
    ///
    /// - Parameter bytes: of all of it.
    /// - Throws: `FormatError` if that is not one value.
    static func value(_ bytes: [UInt8], file: String) throws -> DataNode {
        var reader = NetString(file: file, bytes: bytes)
        var index = 0
        let node = try reader.value(&index, bytes.count, 0)
        guard index == bytes.count else { throw reader.problem() }
        return node
    }

    private init(file: String, bytes: [UInt8]) { (self.file, self.bytes) = (file, bytes) }

    private func problem() -> FormatError { FormatError(file, nil, "is damaged: what it holds is not a netstring.") }

    private mutating func value(_ index: inout Int, _ end: Int, _ depth: Int) throws -> DataNode {
        try NodeBudget.checkDepth(depth, file: file, line: 0)
        try budget.take(file: file, line: 0)
        var length = 0
        var digits = 0
        while index < end, bytes[index] &- 0x30 < 10, digits < Self.longestLength {
            length = length * 10 + Int(bytes[index] &- 0x30)
            digits += 1
            index += 1
        }
        guard digits > 0, index < end, bytes[index] == UInt8(ascii: ":"), length < end - index - 1 else {
            throw problem()
        }
        let start = index + 1
        let stop = start + length
        index = stop + 1
        let text = bytes[start..<stop]
        switch bytes[stop] {
        case UInt8(ascii: ","): return DataNode(.bytes(Array(text)), line: 0)
        case UInt8(ascii: ";"): return .text(String(decoding: text, as: UTF8.self))
        case UInt8(ascii: "#"), UInt8(ascii: "^"), UInt8(ascii: "!"):
            return DataNode(.plain(String(decoding: text, as: UTF8.self)), line: 0)
        case UInt8(ascii: "~"): return .null
        case UInt8(ascii: "]"):
            var elements: [DataNode] = []
            var place = start
            while place < stop { elements.append(try value(&place, stop, depth + 1)) }
            return .list(elements)
        case UInt8(ascii: "}"):
            var members: [(name: String, value: DataNode)] = []
            var place = start
            while place < stop {
                guard let name = try value(&place, stop, depth + 1).bytes, place < stop else { throw problem() }
                members.append((String(decoding: name, as: UTF8.self), try value(&place, stop, depth + 1)))
            }
            return .object(members)
        default: throw problem()
        }
    }
}
