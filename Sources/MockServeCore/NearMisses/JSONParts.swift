/// The leaves of a JSON text as digests of their paths and values, in one pass. It does not check what it need not: a
/// text that is almost JSON may pass.
struct JSONParts {
    /// How deep containers may nest.
    private static let maximumDepth = 128

    private let text: UnsafeBufferPointer<UInt8>
    private var index = 0
    private var gathered = PartGatherer()
    /// How many ignored values enclose the current place.
    private var ignored = 0

    /// - Returns: nil if the text is not JSON.
    static func gather(_ text: UnsafeBufferPointer<UInt8>, _ rules: JSONRules) -> JSONParts? {
        var parts = JSONParts(text: text)
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { parts.index = 3 }
        let place = JSONPlace(rules)
        guard parts.value(PartDigest(.member), place.isPlain ? nil : place, depth: 0) else { return nil }
        parts.skipSpace()
        return parts.index == text.count ? parts : nil
    }

    var digests: [UInt64] { gathered.digests }

    private init(text: UnsafeBufferPointer<UInt8>) { self.text = text }

    private var next: UInt8? { index < text.count ? text[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { index += 1 }
    }

    /// - Parameters:
    ///   - path: of the value.
    ///   - place: which rules apply; nil if none does.
    private mutating func value(_ path: PartDigest, _ place: JSONPlace?, depth: Int) -> Bool {
        var place = place
        let isIgnored = place?.isIgnored == true
        if isIgnored {
            place = nil
            ignored += 1
        }
        defer { if isIgnored { ignored -= 1 } }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return depth < Self.maximumDepth && object(path, place, depth)
        case UInt8(ascii: "["): return depth < Self.maximumDepth && array(path, place, depth)
        case UInt8(ascii: "\""):
            guard let string = string() else { return false }
            leaf(path, place, string)
            return true
        default:
            let start = index
            while let byte = next, isLiteral(byte) { index += 1 }
            guard index > start else { return false }
            leaf(path, place, text[start..<index])
            return true
        }
    }

    private mutating func leaf(_ path: PartDigest, _ place: JSONPlace?, _ value: Slice<UnsafeBufferPointer<UInt8>>) {
        guard ignored == 0 else { return }
        gathered.add(path)
        guard let place else { return gathered.addValue(path.with(1), value) }
        gathered.addValue(path.with(1), place.counted(Array(value)))
    }

    private func isLiteral(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: ".")
    }

    private mutating func object(_ path: PartDigest, _ place: JSONPlace?, _ depth: Int) -> Bool {
        if isEmpty(closing: UInt8(ascii: "}"), path.with(2)) { return true }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\""), let name = string() else { return false }
            skipSpace()
            guard next == UInt8(ascii: ":") else { return false }
            index += 1
            let below = place?.member(Array(name))
            guard value(path.with(name), below, depth: depth + 1) else { return false }
            guard let more = separator(closing: UInt8(ascii: "}")) else { return false }
            if !more { return true }
        }
    }

    private mutating func array(_ path: PartDigest, _ place: JSONPlace?, _ depth: Int) -> Bool {
        if isEmpty(closing: UInt8(ascii: "]"), path.with(3)) { return true }
        var position = 0
        while true {
            let element = path.with(UInt64(position) + 16)
            guard value(element, place?.element(position), depth: depth + 1) else { return false }
            position += 1
            guard let more = separator(closing: UInt8(ascii: "]")) else { return false }
            if !more { return true }
        }
    }

    /// Steps into a container. An empty one is a leaf.
    private mutating func isEmpty(closing: UInt8, _ digest: PartDigest) -> Bool {
        index += 1
        skipSpace()
        guard next == closing else { return false }
        index += 1
        if ignored == 0 { gathered.add(digest) }
        return true
    }

    /// Reads `,` (true) or the closing bracket (false).
    private mutating func separator(closing: UInt8) -> Bool? {
        skipSpace()
        guard let byte = next else { return nil }
        index += 1
        if byte == UInt8(ascii: ",") { return true }
        return byte == closing ? false : nil
    }

    /// Reads a string as it is spelled, without its quotes.
    private mutating func string() -> Slice<UnsafeBufferPointer<UInt8>>? {
        index += 1
        let start = index
        while let byte = next {
            if byte == UInt8(ascii: "\"") {
                defer { index += 1 }
                return text[start..<index]
            }
            index += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }
}
