/// Reads JSON (RFC 8259) from the bytes of a file, value by value: what is not asked for is passed over.
package final class JSONStream: DataStream {
    private let source: ByteSource
    private var piece: [UInt8] = []
    private var index = 0
    private var isAtEnd = false
    private var budget = NodeBudget()
    /// Counted from 1.
    package private(set) var line = 1

    package init(_ source: ByteSource) throws {
        self.source = source
        // A byte order mark.
        if try source.start().starts(with: [0xEF, 0xBB, 0xBF]) { for _ in 0..<3 { _ = try take() } }
    }

    package var file: String { source.name }

    // MARK: Bytes

    private func peek() throws -> UInt8? {
        if index < piece.count { return piece[index] }
        guard !isAtEnd else { return nil }
        piece = try source.next()
        index = 0
        isAtEnd = piece.isEmpty
        return piece.first
    }

    private func take() throws -> UInt8? {
        guard let byte = try peek() else { return nil }
        index += 1
        if byte == 0x0A { line += 1 }
        return byte
    }

    private func skipSpace() throws {
        while let byte = try peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { _ = try take() }
    }

    /// The next byte that is not white space.
    private func next() throws -> UInt8? {
        try skipSpace()
        return try peek()
    }

    private func expect(_ byte: UInt8, _ what: String) throws {
        guard try next() == byte else { throw try unexpected(what) }
        index += 1
    }

    private func unexpected(_ expected: String) throws -> FormatError {
        guard let byte = try peek() else { return FormatError(file, line, "ends where \(expected) was expected.") }
        let found = (0x21..<0x7F).contains(byte) ? "`\(Character(Unicode.Scalar(byte)))`" : "byte \(byte)"
        return FormatError(file, line, "has \(found) where \(expected) was expected.")
    }

    // MARK: Values

    package func nextDocument() throws -> Bool { try next() != nil }

    package func kind() throws -> DataKind {
        switch try next() {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .list
        default: .other
        }
    }

    package func forEachMember(_ body: (String) throws -> Void) throws {
        try expect(UInt8(ascii: "{"), "an object")
        if try next() == UInt8(ascii: "}") {
            index += 1
            return
        }
        while true {
            guard try next() == UInt8(ascii: "\"") else { throw try unexpected("the name of a member") }
            let name = try string()
            try expect(UInt8(ascii: ":"), "`:`")
            try body(name)
            if try next() == UInt8(ascii: "}") {
                index += 1
                return
            }
            try expect(UInt8(ascii: ","), "`,` or `}`")
        }
    }

    package func forEachElement(_ body: () throws -> Void) throws {
        try expect(UInt8(ascii: "["), "a list")
        if try next() == UInt8(ascii: "]") {
            index += 1
            return
        }
        while true {
            try skipSpace()
            try body()
            if try next() == UInt8(ascii: "]") {
                index += 1
                return
            }
            try expect(UInt8(ascii: ","), "`,` or `]`")
        }
    }

    package func value() throws -> DataNode {
        budget = NodeBudget()
        return try value(0)
    }

    package func skip() throws {
        budget = NodeBudget()
        try skip(0)
    }

    private func value(_ depth: Int) throws -> DataNode {
        try NodeBudget.checkDepth(depth, file: file, line: line)
        try budget.take(file: file, line: line)
        guard let first = try next() else { throw try unexpected("a value") }
        let line = line
        switch first {
        case UInt8(ascii: "{"):
            var members: [(name: String, value: DataNode)] = []
            try forEachMember { members.append(($0, try value(depth + 1))) }
            return DataNode(.map(members), line: line)
        case UInt8(ascii: "["):
            var elements: [DataNode] = []
            try forEachElement { elements.append(try value(depth + 1)) }
            return DataNode(.list(elements), line: line)
        case UInt8(ascii: "\""): return DataNode(.text(try string()), line: line)
        default: return DataNode(.plain(try word()), line: line)
        }
    }

    private func skip(_ depth: Int) throws {
        try NodeBudget.checkDepth(depth, file: file, line: line)
        switch try next() {
        case UInt8(ascii: "{"): try forEachMember { _ in try skip(depth + 1) }
        case UInt8(ascii: "["): try forEachElement { try skip(depth + 1) }
        case UInt8(ascii: "\""): try skipString()
        case nil: throw try unexpected("a value")
        default: _ = try word()
        }
    }

    private func word() throws -> String {
        var bytes: [UInt8] = []
        while let byte = try peek(), bytes.count < 1000,
            byte == 0x2B || byte == 0x2D || byte == 0x2E || byte &- 0x30 < 10 || byte | 0x20 &- 0x61 < 26
        {
            bytes.append(byte)
            index += 1
        }
        let word = String(decoding: bytes, as: UTF8.self)
        guard ["true", "false", "null"].contains(word) || DataNode.isJSONNumber(bytes) else {
            throw bytes.isEmpty
                ? try unexpected("a value")
                : FormatError(file, line, "has `\(word.prefix(40))` where a value was expected.")
        }
        return word
    }

    // MARK: Strings

    private func string() throws -> String {
        let start = line
        var bytes: [UInt8] = []
        try readString { bytes += $0 }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FormatError(file, start, "has a string that is not UTF-8.")
        }
        return text
    }

    private func skipString() throws { try readString { _ in } }

    /// Calls `take` with what a string holds, piece by piece.
    private func readString(_ take: (ArraySlice<UInt8>) -> Void) throws {
        let start = line
        index += 1
        while true {
            guard try peek() != nil else { throw FormatError(file, start, "ends within the string that begins here.") }
            let from = index
            while index < piece.count, piece[index] != 0x22, piece[index] != 0x5C {
                // Some tools write line breaks as they are.
                if piece[index] == 0x0A { line += 1 }
                index += 1
            }
            if from < index {
                try budget.take(nodes: 0, bytes: index - from, file: file, line: start)
                take(piece[from..<index])
            }
            guard index < piece.count else { continue }
            index += 1
            if piece[index - 1] == 0x22 { return }
            let escaped = try escape()
            try budget.take(nodes: 0, bytes: escaped.count, file: file, line: start)
            take(escaped[...])
        }
    }

    private func escape() throws -> [UInt8] {
        guard let byte = try self.take() else { throw try unexpected("an escape") }
        switch byte {
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "u"): return Array(String(try codePoint()).utf8)
        default: throw FormatError(file, line, "has an escape that JSON does not have.")
        }
    }

    /// One half of a surrogate pair alone is a replacement character.
    private func codePoint() throws -> Unicode.Scalar {
        let first = try hexadecimal()
        guard (0xD800..<0xDC00).contains(first), try peek() == UInt8(ascii: "\\") else {
            return Unicode.Scalar(first) ?? "\u{FFFD}"
        }
        // What follows may be at the start of the next piece, so it cannot be given back: it is looked at in place.
        guard try hasLowSurrogate() else { return "\u{FFFD}" }
        index += 2
        let second = try hexadecimal()
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
    }

    /// Whether `\uDC00` to `\uDFFF` comes next.
    private func hasLowSurrogate() throws -> Bool {
        if piece.count - index < 6 {
            let more = try source.next()
            piece = Array(piece[index...]) + more
            index = 0
        }
        guard piece.count - index >= 6, piece[index + 1] == UInt8(ascii: "u") else { return false }
        let digits = String(decoding: piece[(index + 2)..<(index + 6)], as: UTF8.self)
        return UInt32(digits, radix: 16).map { (0xDC00..<0xE000).contains($0) } ?? false
    }

    private func hexadecimal() throws -> UInt32 {
        var digits: [UInt8] = []
        while digits.count < 4, let byte = try peek(), byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 6 {
            digits.append(byte)
            index += 1
        }
        guard digits.count == 4, let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else {
            throw FormatError(file, line, "has an escape \\u without four hexadecimal digits.")
        }
        return code
    }
}
