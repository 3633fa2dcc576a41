import Crypto
import HTTPWire

/// A digest of a JSON text (RFC 8259) by its value: member order, white space and the spelling of numbers and strings
/// do not count; array order, duplicate members and every digit of a number do.
///
/// Linear in the length of the text: a container enters its parent as a digest, never as its whole content.
struct CanonicalJSON {
    /// How deep containers may nest before the text is compared by its bytes.
    static let maximumDepth = 512

    private let text: [UInt8]
    private var index = 0
    private var depth = 0
    /// Where in the text it is, as the rules see it.
    private var place: JSONPlace

    /// - Parameter rules: of what they ignore, members count as if they were not there, elements of arrays by their place
    ///   only.
    /// - Returns: nil if `text` is not one JSON value, or nests too deep.
    static func digest(of text: [UInt8], _ rules: JSONRules = .none) -> [UInt8]? {
        var parser = CanonicalJSON(text: text, place: JSONPlace(rules))
        let ignoresAll = parser.place.isIgnored
        // A byte order mark is not JSON, but parsers may ignore one (RFC 8259 §8.1).
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { parser.index = 3 }
        guard let value = parser.value() else { return nil }
        parser.skipSpace()
        guard parser.index == text.count else { return nil }
        return Array(SHA256.hash(data: ignoresAll ? [] : value))
    }

    private init(text: [UInt8], place: JSONPlace) {
        self.text = text
        self.place = place
    }

    private var next: UInt8? { index < text.count ? text[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { index += 1 }
    }

    /// The canonical form of the value that begins here: a tag, then a self-delimiting encoding.
    private mutating func value() -> [UInt8]? {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return nested { $0.object() }
        case UInt8(ascii: "["): return nested { $0.array() }
        case UInt8(ascii: "\""): return string().map { Self.leaf("s", place.counted($0)) }
        case UInt8(ascii: "t"): return literal("true")
        case UInt8(ascii: "f"): return literal("false")
        case UInt8(ascii: "n"): return literal("null")
        default: return numberLeaf()
        }
    }

    private mutating func nested(_ read: (inout CanonicalJSON) -> [UInt8]?) -> [UInt8]? {
        guard depth < Self.maximumDepth else { return nil }
        depth += 1
        defer { depth -= 1 }
        index += 1
        return read(&self)
    }

    private static func leaf(_ tag: Unicode.Scalar, _ bytes: [UInt8]) -> [UInt8] {
        [UInt8(ascii: tag)] + Array(String(bytes.count).utf8) + [UInt8(ascii: ":")] + bytes
    }

    private mutating func literal(_ word: StaticString) -> [UInt8]? {
        let bytes = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard text[index...].starts(with: bytes) else { return nil }
        index += bytes.count
        return Array(bytes)
    }

    private mutating func array() -> [UInt8]? {
        var hasher = SHA256()
        skipSpace()
        if next == UInt8(ascii: "]") {
            index += 1
        } else {
            let above = place
            defer { place = above }
            var position = 0
            while true {
                if !above.isPlain { place = above.element(position) }
                let counts = !place.isIgnored
                guard let element = value() else { return nil }
                hasher.update(data: counts ? element : [UInt8(ascii: "i")])
                position += 1
                guard let more = separator(closing: UInt8(ascii: "]")) else { return nil }
                if !more { break }
            }
        }
        return [UInt8(ascii: "a")] + Array(hasher.finalize())
    }

    private mutating func object() -> [UInt8]? {
        var members: [(name: [UInt8], value: [UInt8])] = []
        skipSpace()
        if next == UInt8(ascii: "}") {
            index += 1
        } else {
            let above = place
            defer { place = above }
            while true {
                skipSpace()
                guard next == UInt8(ascii: "\""), let name = string() else { return nil }
                if !above.isPlain { place = above.member(name) }
                let counts = !place.isIgnored
                skipSpace()
                guard next == UInt8(ascii: ":") else { return nil }
                index += 1
                guard let value = value() else { return nil }
                if counts { members.append((name, value)) }
                guard let more = separator(closing: UInt8(ascii: "}")) else { return nil }
                if !more { break }
            }
        }
        // Members of one name keep their order: readers differ in which of them they take.
        let order = members.indices.sorted { left, right in
            members[left].name == members[right].name
                ? left < right : members[left].name.lexicographicallyPrecedes(members[right].name)
        }
        var hasher = SHA256()
        for position in order {
            hasher.update(data: Self.leaf("n", members[position].name))
            hasher.update(data: members[position].value)
        }
        return [UInt8(ascii: "o")] + Array(hasher.finalize())
    }

    /// Reads `,` (true) or the closing bracket (false).
    private mutating func separator(closing: UInt8) -> Bool? {
        skipSpace()
        guard let byte = next else { return nil }
        index += 1
        if byte == UInt8(ascii: ",") { return true }
        return byte == closing ? false : nil
    }

    /// The characters of a string as UTF-8, escapes undone. A lone surrogate, which UTF-8 cannot hold, becomes the three
    /// bytes it would have there, so that different ones stay different.
    private mutating func string() -> [UInt8]? {
        index += 1
        var output: [UInt8] = []
        while let byte = next {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return output
            case UInt8(ascii: "\\"):
                guard appendEscape(to: &output) else { return nil }
            case 0..<0x20: return nil
            default: output.append(byte)
            }
        }
        return nil
    }

    private mutating func appendEscape(to output: inout [UInt8]) -> Bool {
        guard let byte = next else { return false }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"):
            guard let unit = hexUnit() else { return false }
            appendScalar(unit, to: &output)
        default: return false
        }
        return true
    }

    private mutating func appendScalar(_ unit: UInt32, to output: inout [UInt8]) {
        var scalar = unit
        if (0xD800..<0xDC00).contains(unit), text[index...].starts(with: "\\u".utf8) {
            let before = index
            index += 2
            if let low = hexUnit(), (0xDC00..<0xE000).contains(low) {
                scalar = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
            } else {
                index = before
            }
        }
        switch scalar {
        case 0..<0x80: output.append(UInt8(scalar))
        case 0x80..<0x800: output += [UInt8(0xC0 | scalar >> 6), UInt8(0x80 | scalar & 0x3F)]
        case 0x800..<0x10000:
            output += [UInt8(0xE0 | scalar >> 12), UInt8(0x80 | scalar >> 6 & 0x3F), UInt8(0x80 | scalar & 0x3F)]
        default:
            output += [
                UInt8(0xF0 | scalar >> 18), UInt8(0x80 | scalar >> 12 & 0x3F),
                UInt8(0x80 | scalar >> 6 & 0x3F), UInt8(0x80 | scalar & 0x3F),
            ]
        }
    }

    private mutating func hexUnit() -> UInt32? {
        guard index + 4 <= text.count else { return nil }
        var unit: UInt32 = 0
        for byte in text[index..<(index + 4)] {
            guard let digit = hexDigit(byte) else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        index += 4
        return unit
    }

    /// A number that a rule makes something else counts as the string it becomes.
    private mutating func numberLeaf() -> [UInt8]? {
        let start = index
        guard let number = number() else { return nil }
        guard !place.isPlain else { return Self.leaf("d", number) }
        let spelling = Array(text[start..<index])
        let counted = place.counted(spelling)
        return counted == spelling ? Self.leaf("d", number) : Self.leaf("s", counted)
    }

    /// A number as its sign, its digits without zeros at either end, and the power of ten of the last digit:
    /// 100, 1e2 and 1.00E+2 are one number, 0 and -0 too; nothing is rounded.
    private mutating func number() -> [UInt8]? {
        var output: [UInt8] = []
        if next == UInt8(ascii: "-") {
            output.append(UInt8(ascii: "-"))
            index += 1
        }
        let whole = digits()
        guard let first = whole.first, first != UInt8(ascii: "0") || whole.count == 1 else { return nil }
        var fraction: ArraySlice<UInt8> = []
        if next == UInt8(ascii: ".") {
            index += 1
            fraction = digits()
            guard !fraction.isEmpty else { return nil }
        }
        guard let exponent = exponent() else { return nil }
        var power = exponent - fraction.count
        var mantissa = (Array(whole) + fraction).drop { $0 == UInt8(ascii: "0") }
        while mantissa.last == UInt8(ascii: "0") {
            mantissa.removeLast()
            power += 1
        }
        guard !mantissa.isEmpty else { return [UInt8(ascii: "0")] }
        return output + mantissa + [UInt8(ascii: "e")] + Array(String(power).utf8)
    }

    private mutating func digits() -> ArraySlice<UInt8> {
        let start = index
        while let byte = next, byte &- 0x30 < 10 { index += 1 }
        return text[start..<index]
    }

    /// Zero if there is no exponent; nil if it is malformed or has more than 15 digits.
    private mutating func exponent() -> Int? {
        guard next == UInt8(ascii: "e") || next == UInt8(ascii: "E") else { return 0 }
        index += 1
        let isNegative = next == UInt8(ascii: "-")
        if isNegative || next == UInt8(ascii: "+") { index += 1 }
        let digits = digits().drop { $0 == UInt8(ascii: "0") }
        guard text[index - 1] &- 0x30 < 10, digits.count <= 15 else { return nil }
        let magnitude = digits.reduce(0) { $0 * 10 + Int($1 &- 0x30) }
        return isNegative ? -magnitude : magnitude
    }
}
