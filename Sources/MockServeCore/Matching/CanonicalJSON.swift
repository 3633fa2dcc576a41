import Crypto
import HTTPMessages

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A digest of a JSON text (RFC 8259) by its value: member order, white space and the spelling of numbers and strings
/// do not count; array order, duplicate members and every digit of a number do.
///
/// Takes time linear in the length of the text, apart from sorting members: a container enters its parent as a digest,
/// never with its whole content.
struct CanonicalJSON {
    /// How deep containers may nest before the text is compared by its bytes.
    static let maximumDepth = 512

    private let text: UnsafeBufferPointer<UInt8>
    private var index = 0
    private var depth = 0
    /// The place in the text that is being read, for the rules.
    private var place: JSONPlace
    /// The canonical forms of what was read and not yet digested.
    private var output: [UInt8] = []
    /// Members of the objects that are being read, those of the innermost last.
    private var members: [Member] = []

    /// Where in the output a member is: a leaf with its name (`name` is the range of its characters), then its value.
    private struct Member {
        let start: Int
        let name: Range<Int>
        let end: Int
        /// The first eight bytes of the name as a number that sorts like them; it usually decides.
        let prefix: UInt64

        init(start: Int, name: Range<Int>, end: Int, in output: [UInt8]) {
            (self.start, self.name, self.end) = (start, name, end)
            prefix = output.withUnsafeBytes { output in
                // Usually eight bytes can be read, as more output follows a short name.
                if name.lowerBound + 8 <= output.count {
                    let word = output.loadUnaligned(fromByteOffset: name.lowerBound, as: UInt64.self)
                    return UInt64(bigEndian: word) & (UInt64.max << UInt64(64 - 8 * min(name.count, 8)))
                }
                var prefix: UInt64 = 0
                for index in name { prefix = prefix << 8 | UInt64(output[index]) }
                return prefix << UInt64(64 - 8 * name.count)
            }
        }

        /// Compares the bytes of the names, like `memcmp`; a name comes before longer ones that begin with it.
        func compare(_ other: Member, in output: UnsafeRawBufferPointer) -> Int {
            if prefix != other.prefix { return prefix < other.prefix ? -1 : 1 }
            let shared = min(name.count, other.name.count)
            if shared > 8, let base = output.baseAddress {
                let difference = memcmp(base + name.lowerBound, base + other.name.lowerBound, shared)
                if difference != 0 { return Int(difference) }
            }
            return name.count - other.name.count
        }
    }

    /// - Parameter rules: members that they ignore count as missing; elements of arrays that they ignore count only by
    ///   their place.
    /// - Returns: nil if `text` is not one JSON value, or nests too deeply.
    static func digest(of text: [UInt8], _ rules: JSONRules = .none) -> [UInt8]? {
        text.withUnsafeBufferPointer { text in
            var parser = CanonicalJSON(text: text, place: JSONPlace(rules))
            let ignoresAll = parser.place.isIgnored
            // A byte order mark is not JSON, but parsers may ignore one (RFC 8259 §8.1).
            if text.starts(with: [0xEF, 0xBB, 0xBF]) { parser.index = 3 }
            guard parser.value() else { return nil }
            parser.skipSpace()
            guard parser.index == text.count else { return nil }
            return Array(SHA256.hash(data: ignoresAll ? [] : parser.output))
        }
    }

    /// The same for several values in a row, separated by white space or record separators (RFC 7464). A single value
    /// has the same digest as from `digest(of:)`.
    static func digest(ofLines text: [UInt8], _ rules: JSONRules = .none) -> [UInt8]? {
        if let digest = digest(of: text, rules) { return digest }
        return text.withUnsafeBufferPointer { text in
            var parser = CanonicalJSON(text: text, place: JSONPlace(rules))
            var count = 0
            while true {
                parser.skipSeparators()
                guard parser.index < text.count else { break }
                guard parser.value() else { return nil }
                count += 1
            }
            return count > 1 ? Array(SHA256.hash(data: Array("lines".utf8) + parser.output)) : nil
        }
    }

    private mutating func skipSeparators() {
        repeat { skipSpace() } while takeSeparator()
    }

    private mutating func takeSeparator() -> Bool {
        guard next == 0x1E else { return false }
        index += 1
        return true
    }

    private init(text: UnsafeBufferPointer<UInt8>, place: JSONPlace) {
        self.text = text
        self.place = place
        output.reserveCapacity(min(text.count, 64 << 10) + 64)
        members.reserveCapacity(min(text.count / 16, 1024))
    }

    private var next: UInt8? { index < text.count ? text[index] : nil }

    private mutating func skipSpace() {
        while index < text.count, text[index] <= 0x20, let byte = next,
            byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
        { index += 1 }
    }

    /// Appends the canonical form of the value that begins here: a tag, then a self-delimiting encoding.
    ///
    /// - Returns: false if there is none.
    private mutating func value() -> Bool {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return nested { $0.object() }
        case UInt8(ascii: "["): return nested { $0.array() }
        case UInt8(ascii: "\""): return string("s", counts: !place.isPlain) != nil
        case UInt8(ascii: "t"): return literal("true")
        case UInt8(ascii: "f"): return literal("false")
        case UInt8(ascii: "n"): return literal("null")
        default: return numberLeaf()
        }
    }

    private mutating func nested(_ read: (inout CanonicalJSON) -> Bool) -> Bool {
        guard depth < Self.maximumDepth else { return false }
        depth += 1
        defer { depth -= 1 }
        index += 1
        return read(&self)
    }

    /// Appends a tag, the length of `bytes`, a colon, and `bytes`.
    ///
    /// - Returns: where `bytes` are now.
    private mutating func appendLeaf(_ tag: Unicode.Scalar, _ bytes: some Collection<UInt8>) -> Range<Int> {
        let count = bytes.count
        if count < 100 {
            // Nearly all are this short: the head is written at once.
            let (tens, ones) = count.quotientAndRemainder(dividingBy: 10)
            let head = (UInt8(ascii: tag), 0x30 + UInt8(tens), 0x30 + UInt8(ones), UInt8(ascii: ":"))
            let short = (head.0, head.2, head.3)
            if tens > 0 {
                withUnsafeBytes(of: head) { output.append(contentsOf: $0) }
            } else {
                withUnsafeBytes(of: short) { output.append(contentsOf: $0) }
            }
        } else {
            output.append(UInt8(ascii: tag))
            output.append(contentsOf: String(count).utf8)
            output.append(UInt8(ascii: ":"))
        }
        let start = output.count
        output.append(contentsOf: bytes)
        return start..<output.count
    }

    private mutating func literal(_ word: StaticString) -> Bool {
        let bytes = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard text[index...].starts(with: bytes) else { return false }
        index += bytes.count
        output.append(contentsOf: bytes)
        return true
    }

    /// Replaces what was appended since `start` with its digest.
    private mutating func digestOutput(from start: Int, _ tag: Unicode.Scalar) {
        let digest = output.withUnsafeBytes { SHA256.hash(data: UnsafeRawBufferPointer(rebasing: $0[start...])) }
        output.removeSubrange(start...)
        append(digest, tag)
    }

    private mutating func append(_ digest: SHA256Digest, _ tag: Unicode.Scalar) {
        output.append(UInt8(ascii: tag))
        digest.withUnsafeBytes { output.append(contentsOf: $0) }
    }

    private mutating func array() -> Bool {
        let start = output.count
        skipSpace()
        if next == UInt8(ascii: "]") {
            index += 1
        } else {
            let above = place
            defer { place = above }
            var position = 0
            while true {
                if !above.isPlain { place = above.element(position) }
                let element = output.count
                guard value() else { return false }
                if place.isIgnored {
                    output.removeSubrange(element...)
                    output.append(UInt8(ascii: "i"))
                }
                position += 1
                guard let more = separator(closing: UInt8(ascii: "]")) else { return false }
                if !more { break }
            }
        }
        digestOutput(from: start, "a")
        return true
    }

    private mutating func object() -> Bool {
        let (start, first) = (output.count, members.count)
        defer { members.removeSubrange(first...) }
        skipSpace()
        if next == UInt8(ascii: "}") {
            index += 1
        } else {
            let above = place
            defer { place = above }
            while true {
                skipSpace()
                let member = output.count
                guard next == UInt8(ascii: "\""), let name = string("n", counts: false) else { return false }
                if !above.isPlain { place = above.member(Array(output[name])) }
                skipSpace()
                guard next == UInt8(ascii: ":") else { return false }
                index += 1
                guard value() else { return false }
                if place.isIgnored {
                    output.removeSubrange(member...)
                } else {
                    members.append(Member(start: member, name: name, end: output.count, in: output))
                }
                guard let more = separator(closing: UInt8(ascii: "}")) else { return false }
                if !more { break }
            }
        }
        digestMembers(from: start, first)
        return true
    }

    /// Replaces the members of an object with their digest, in the order of their names.
    private mutating func digestMembers(from start: Int, _ first: Int) {
        let digest = output.withUnsafeBytes { output in
            let own = members[first...]
            // Members with the same name keep their order, because readers differ in which of them they use.
            let order = own.indices.sorted { left, right in
                let difference = own[left].compare(own[right], in: output)
                return difference == 0 ? left < right : difference < 0
            }
            var sorted: [UInt8] = []
            sorted.reserveCapacity(output.count - start)
            for position in order { sorted.append(contentsOf: output[own[position].start..<own[position].end]) }
            return sorted.withUnsafeBytes { SHA256.hash(data: $0) }
        }
        output.removeSubrange(start...)
        append(digest, "o")
    }

    /// Reads `,` (true) or the closing bracket (false).
    private mutating func separator(closing: UInt8) -> Bool? {
        skipSpace()
        guard let byte = next else { return nil }
        index += 1
        if byte == UInt8(ascii: ",") { return true }
        return byte == closing ? false : nil
    }

    /// Appends a string as a leaf of its characters in UTF-8, with escapes decoded. A lone surrogate, which UTF-8
    /// cannot hold, becomes the three bytes it would have there, so that different ones stay different.
    ///
    /// - Parameter counts: whether rules may map it.
    /// - Returns: where in the output the characters are; nil if it is malformed.
    private mutating func string(_ tag: Unicode.Scalar, counts: Bool) -> Range<Int>? {
        index += 1
        let start = index
        index = endOfPlainText(in: text, from: start)
        let plain = UnsafeBufferPointer(rebasing: text[start..<index])
        if next == UInt8(ascii: "\"") {
            index += 1
            return counts ? appendLeaf(tag, place.counted(Array(plain))) : appendLeaf(tag, plain)
        }
        var characters = Array(plain)
        while let byte = next {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return appendLeaf(tag, counts ? place.counted(characters) : characters)
            case UInt8(ascii: "\\"):
                guard appendEscape(to: &characters) else { return nil }
            case 0..<0x20: return nil
            default: characters.append(byte)
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

    /// A number that a rule changes counts as the string that it becomes.
    private mutating func numberLeaf() -> Bool {
        let start = index
        guard let number = number() else { return false }
        let spelling = place.isPlain ? [] : Array(text[start..<index])
        let counted = place.isPlain ? [] : place.counted(spelling)
        _ = counted == spelling ? appendLeaf("d", number) : appendLeaf("s", counted)
        return true
    }

    /// A number as its sign, its digits without zeros at either end, and the power of ten of the last digit: 100, 1e2
    /// and 1.00E+2 are the same number, and so are 0 and -0; nothing is rounded.
    private mutating func number() -> [UInt8]? {
        var output: [UInt8] = []
        if next == UInt8(ascii: "-") {
            output.append(UInt8(ascii: "-"))
            index += 1
        }
        let whole = digits()
        guard let first = whole.first, first != UInt8(ascii: "0") || whole.count == 1 else { return nil }
        var fraction: Slice<UnsafeBufferPointer<UInt8>> = text[index..<index]
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

    private mutating func digits() -> Slice<UnsafeBufferPointer<UInt8>> {
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
