package import HTTPMessages

/// The content of a request as a set of digests: the more of them two requests share, the nearer they are. This is only
/// a measure: values count as they are spelled.
///
/// Every leaf of a JSON text gives a digest of its path and one of its path and value; so does every pair of a form and
/// every part of a multipart body; any other body gives its words. Only those fields give digests that distinguish
/// calls of one path.
package struct RequestParts: Sendable {
    /// Digests that are kept for one request. If there are more, the smallest are kept, the same choice for all
    /// requests.
    static let limit = 256
    private static let range = Array("range".utf8)

    /// Sorted, each once.
    private let digests: [UInt64]
    /// How many there were.
    private let count: Int

    /// Bytes of memory, roughly.
    package var memory: Int { 64 + digests.count * 8 }

    /// - Parameters:
    ///   - body: without content codings; nil if it is not known.
    ///   - rules: of the cassette, for this request; what they leave out gives no digest.
    package init(fields: Fields, body: [UInt8]?, rules: RuleSet) {
        var gathered = PartGatherer()
        for (name, value) in OperationFields.pairs(of: fields, without: rules.ignoredFields) {
            gathered.add(field: name, value)
        }
        let others = rules.requiredFields + (rules.ignoredFields.contains(Self.range) ? [] : [Self.range])
        fields.forEachRaw { field in
            for name in others where equalsIgnoringCase(field.name, name) {
                gathered.add(field: name, rules.counted(Array(field.value)[...], of: name))
            }
        }
        if let body, !rules.ignoresBody { gathered.add(body, fields, rules) }
        var all = gathered.digests.sorted()
        var end = 0
        for digest in all where end == 0 || digest != all[end - 1] {
            all[end] = digest
            end += 1
        }
        count = end
        digests = Array(all.prefix(min(end, Self.limit)))
    }

    /// How much of the content of the two requests only one of them has: zero if both have the same.
    package func distance(to other: RequestParts) -> Int {
        // Beyond the last digest that either has kept, nothing is known about it.
        let end = min(bound, other.bound)
        var (left, right, different, shared) = (0, 0, 0, 0)
        while left < digests.count || right < other.digests.count {
            let one = left < digests.count ? digests[left] : .max
            let another = right < other.digests.count ? other.digests[right] : .max
            guard min(one, another) <= end else { break }
            if one == another { shared += 1 } else { different += 1 }
            if one <= another { left += 1 }
            if another <= one { right += 1 }
        }
        let known = different + 2 * shared
        return known == 0 ? count + other.count : different * (count + other.count) / known
    }

    private var bound: UInt64 { count > digests.count ? digests.last ?? .max : .max }
}

/// A digest computed byte by byte (FNV-1a of 64 bits, with its bits mixed at the end). Only for measuring: different
/// values may have the same.
struct PartDigest {
    enum Kind: UInt64 {
        case field, member, value, name, pair, part, word
    }

    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    init(_ kind: Kind) { add(kind.rawValue) }

    mutating func add(_ bytes: some Sequence<UInt8>) {
        let isDone: Void? = bytes.withContiguousStorageIfAvailable { bytes in
            for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        if isDone == nil { for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 } }
        add(0xFF)
    }

    mutating func add(_ number: UInt64) {
        state = (state ^ number) &* 0x100_0000_01B3
        state ^= state >> 29
    }

    func with(_ bytes: some Sequence<UInt8>) -> PartDigest {
        var copy = self
        copy.add(bytes)
        return copy
    }

    func with(_ number: UInt64) -> PartDigest {
        var copy = self
        copy.add(number)
        return copy
    }

    var value: UInt64 {
        var mixed = (state ^ state >> 32) &* 0xD6E8_FEB8_6659_FD93
        mixed = (mixed ^ mixed >> 32) &* 0xD6E8_FEB8_6659_FD93
        return mixed ^ mixed >> 32
    }
}

/// Gathers the digests of one request.
struct PartGatherer {
    /// Words of a long value that give a digest: those with the smallest digests, the same choice everywhere.
    private static let wordLimit = 8
    /// A value with more bytes than this also counts by its words.
    private static let longValue = 64

    private(set) var digests: [UInt64] = []

    mutating func add(_ digest: PartDigest) { digests.append(digest.value) }

    /// A field weighs as much as several members of a body.
    mutating func add(field name: [UInt8], _ value: [UInt8]) {
        for weight in 0..<4 { add(PartDigest(.field).with(name).with(UInt64(weight)).with(value)) }
    }

    mutating func add(_ body: [UInt8], _ fields: Fields, _ rules: RuleSet) {
        if body.isEmpty { return }
        let body = rules.bodyMaps.apply(to: body)
        if ContentStart(body) == .json {
            let json = body.withUnsafeBufferPointer { JSONParts.gather($0, rules.json) }
            if let json {
                digests += json.digests
                return
            }
        }
        switch BodyContent(fields) {
        case .form:
            for pair in rules.countedForm(FormPair.parse(body[...])) {
                add(PartDigest(.name).with(pair.name))
                addValue(PartDigest(.pair).with(pair.name), pair.value)
            }
        case .multipart(let boundary):
            guard let parts = Multipart.parts(of: body, boundary: boundary) else { return addWords(body) }
            for part in rules.countedParts(parts) {
                let body = rules.maps(forPart: part.name).apply(to: Array(part.body))
                add(PartDigest(.name).with(part.name ?? []))
                addValue(PartDigest(.part).with(part.name ?? []), body)
            }
        case .other: addWords(body)
        }
    }

    /// A value at its place, and its words if it is long: texts that differ in one word are near.
    mutating func addValue(_ place: PartDigest, _ value: some BidirectionalCollection<UInt8>) {
        // The placeholders of secrets differ only in their numbers.
        let start = Placeholder.compared
        let isSecret = value.elementsEqual(start) || Placeholder.form(of: ArraySlice(Array(value))) != nil
        add(isSecret ? place.with(start) : place.with(value))
        if value.count > Self.longValue, !isSecret {
            var smallest: [UInt64] = []
            Self.eachWord(value) { word in
                if smallest.count == Self.wordLimit, let last = smallest.last, word >= last { return }
                let index = smallest.firstIndex { $0 >= word } ?? smallest.endIndex
                if index < smallest.endIndex, smallest[index] == word { return }
                smallest.insert(word, at: index)
                if smallest.count > Self.wordLimit { smallest.removeLast() }
            }
            digests += smallest
        }
    }

    private mutating func addWords(_ text: [UInt8]) {
        var found = Set<UInt64>()
        text.withUnsafeBufferPointer { text in
            Self.eachWord(text) { found.insert($0) }
        }
        digests += found
        if found.isEmpty { add(PartDigest(.value).with(text)) }
    }

    /// Calls `body` with the digest of each run of letters and digits, in which all bytes outside ASCII count as
    /// letters.
    private static func eachWord(_ text: some Sequence<UInt8>, _ body: (UInt64) -> Void) {
        var word = PartDigest(.word)
        var length = 0
        for byte in text {
            let isWord = byte >= 0x80 || byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
            if isWord {
                word.add(UInt64(byte))
                length += 1
            } else if length > 0 {
                body(word.value)
                (word, length) = (PartDigest(.word), 0)
            }
        }
        if length > 0 { body(word.value) }
    }
}
