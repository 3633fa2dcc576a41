/// Reads a text of JSON (RFC 8259) into a value, in time linear in its length: it is used on event loops.
struct JSONReader {
    private static let maximumDepth = 512

    private let text: UnsafeBufferPointer<UInt8>
    private var index = 0

    init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

    /// - Returns: nil if the text is not one value.
    mutating func document() -> JSONValue? {
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
        guard let value = value(0) else { return nil }
        skipSpace()
        guard index == text.count else { return nil }
        return value
    }

    private var next: UInt8? { index < text.count ? text[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { index += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        index += 1
        return true
    }

    private mutating func value(_ depth: Int) -> JSONValue? {
        skipSpace()
        guard depth < Self.maximumDepth, let first = next else { return nil }
        switch first {
        case UInt8(ascii: "{"): return object(depth)
        case UInt8(ascii: "["): return array(depth)
        case UInt8(ascii: "\""): return string().map { .string($0) }
        case UInt8(ascii: "t"): return literal("true", .bool(true))
        case UInt8(ascii: "f"): return literal("false", .bool(false))
        case UInt8(ascii: "n"): return literal("null", .null)
        default: return number()
        }
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) -> JSONValue? {
        let end = index + word.utf8CodeUnitCount
        guard end <= text.count else { return nil }
        for offset in 0..<word.utf8CodeUnitCount where text[index + offset] != word.utf8Start[offset] { return nil }
        index = end
        return value
    }

    private mutating func object(_ depth: Int) -> JSONValue? {
        index += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\""), let name = string() else { return nil }
            skipSpace()
            guard take(UInt8(ascii: ":")), let value = value(depth + 1) else { return nil }
            members[name] = value
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { return nil }
        }
    }

    private mutating func array(_ depth: Int) -> JSONValue? {
        index += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            guard let value = value(depth + 1) else { return nil }
            elements.append(value)
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { return nil }
        }
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`
    private mutating func number() -> JSONValue? {
        let start = index
        var isInteger = true
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { guard digits() else { return nil } }
        if take(UInt8(ascii: ".")) {
            isInteger = false
            guard digits() else { return nil }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isInteger = false
            if !take(UInt8(ascii: "-")) { _ = take(UInt8(ascii: "+")) }
            guard digits() else { return nil }
        }
        let spelling = String(decoding: text[start..<index], as: UTF8.self)
        if isInteger, let integer = Int64(spelling) { return .integer(integer) }
        guard let number = Double(spelling), number.isFinite else { return nil }
        return Int64(exactly: number).map { .integer($0) } ?? .number(number)
    }

    private mutating func digits() -> Bool {
        let start = index
        while let byte = next, byte &- 0x30 < 10 { index += 1 }
        return index > start
    }

    private mutating func string() -> String? {
        index += 1
        let start = index
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { index += 1 }
        // Most strings have no escapes.
        if next == UInt8(ascii: "\"") {
            defer { index += 1 }
            return String(validating: text[start..<index], as: UTF8.self)
        }
        var units = Array(text[start..<index])
        while let byte = next {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: units, as: UTF8.self)
            case UInt8(ascii: "\\"): guard escape(&units) else { return nil }
            case 0..<0x20: return nil
            default: units.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(_ units: inout [UInt8]) -> Bool {
        guard let byte = next else { return false }
        index += 1
        switch byte {
        case UInt8(ascii: "n"): units.append(0x0A)
        case UInt8(ascii: "t"): units.append(0x09)
        case UInt8(ascii: "r"): units.append(0x0D)
        case UInt8(ascii: "b"): units.append(0x08)
        case UInt8(ascii: "f"): units.append(0x0C)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(byte)
        case UInt8(ascii: "u"):
            guard var code = hexadecimal() else { return false }
            // The two halves of a surrogate pair; one alone is a replacement character.
            if (0xD800..<0xDC00).contains(code), next == UInt8(ascii: "\\"), index + 1 < text.count,
                text[index + 1] == UInt8(ascii: "u")
            {
                let before = index
                index += 2
                guard let low = hexadecimal() else { return false }
                if (0xDC00..<0xE000).contains(low) {
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    index = before
                }
            }
            units += String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8
        default: return false
        }
        return true
    }

    private mutating func hexadecimal() -> UInt32? {
        guard index + 4 <= text.count,
            let code = UInt32(String(decoding: text[index..<(index + 4)], as: UTF8.self), radix: 16),
            text[index] != UInt8(ascii: "+")
        else { return nil }
        index += 4
        return code
    }
}
