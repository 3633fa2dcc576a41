/// What a kind of key looks like: by this it is recognised anywhere.
///
/// Patterns are not regular expressions; they are matched from left to right without going back, so the time is linear.
/// Literal characters stand for themselves (a backslash takes away the meaning of the next); `[A-Za-z0-9_-]` is a class,
/// which `{n}`, `{n,m}` or `{n,}` follows; `(a|b)` are literals of which one is meant.
struct KeyShape: Sendable {
    let kind: String
    let pattern: String
    /// A word that must be in the name of the value, for shapes that say nothing alone.
    let beside: String?
    /// A key whose checksum is wrong is replaced too: it may be of a newer kind. A right one says that it is real.
    let check: KeyChecksum?
    /// Where the shape is described.
    let source: String

    init(_ kind: String, _ pattern: String, beside: String? = nil, check: KeyChecksum? = nil, source: String) {
        (self.kind, self.pattern, self.beside, self.check, self.source) = (kind, pattern, beside, check, source)
    }

    static let all: [KeyShape] = cloud + code + models + money + messages + operations + other
}

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
        return (low, numbers.count == 1 ? low : numbers[1] ?? 16_384)
    }

    /// - Parameters:
    ///   - start: where the anchor begins, which has been compared already.
    ///   - isWhole: whether it must not be part of a longer word.
    /// - Returns: the bounds of the key; nil if there is none here.
    func match(_ text: UnsafeBufferPointer<UInt8>, anchorAt start: Int, isWhole: Bool = true) -> Range<Int>? {
        var low = start
        for element in elements[..<anchor].reversed() {
            switch element {
            case .literal(let bytes):
                low -= bytes.count
                guard low >= 0, text[low..<low + bytes.count].elementsEqual(bytes) else { return nil }
            case .characters(let set, let least, let most):
                var count = 0
                while count < most, low > 0, set.contains(text[low - 1]) {
                    low -= 1
                    count += 1
                }
                guard count >= least else { return nil }
            }
        }
        var high = start
        for element in elements[anchor...] {
            switch element {
            case .literal(let bytes):
                guard high + bytes.count <= text.count, text[high..<high + bytes.count].elementsEqual(bytes) else {
                    return nil
                }
                high += bytes.count
            case .characters(let set, let least, let most):
                var count = 0
                while count < most, high < text.count, set.contains(text[high]) {
                    high += 1
                    count += 1
                }
                guard count >= least else { return nil }
            }
        }
        guard isWhole else { return low..<high }
        guard low == 0 || !isWord(text[low - 1]) || !isWord(text[low]),
            high == text.count || !isWord(text[high]) || !isWord(text[high - 1])
        else { return nil }
        return low..<high
    }

    private func isWord(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 }
}

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

/// Finds keys of all shapes in one pass.
final class ShapeFinder: Sendable {
    struct Entry: Sendable {
        let shape: KeyShape
        let pattern: ShapePattern
    }

    /// Which three bytes anchors begin with, a bit for each hash.
    let beginnings: Bits
    private let entries: [[Entry]]
    /// Shapes that count only beside a word, by that word.
    let besideWords: [String: [Entry]]

    static let standard = ShapeFinder(Placeholder.shapes + KeyShape.all + tokens)
    /// For where nothing is redacted by default.
    static let placeholders = ShapeFinder(Placeholder.shapes)

    /// JSON Web Tokens, and keys of well-known services that are longer or shorter than those of today.
    private static let tokens: [KeyShape] = [
        KeyShape(
            "github-token",
            "(ghp_|gho_|ghu_|ghs_|ghr_)[A-Za-z0-9]{36,}",
            source: "GitHub, Behind GitHub's new authentication token formats"
        ),
        KeyShape(
            "github-token",
            "github_pat_[A-Za-z0-9_]{36,}",
            source: "GitHub, Behind GitHub's new authentication token formats"
        ),
        KeyShape(
            "gitlab-token",
            "(glpat|gloas|gldt|glrt|glcbt|glptt|glft|glimt|glagent|glsoat|glffct)-[A-Za-z0-9_-]{20,}",
            source: "GitLab, Token overview: Token prefixes"
        ),
        KeyShape("slack-token", "(xoxa|xoxb|xoxe|xoxo|xoxp|xoxr|xoxs)-[A-Za-z0-9-]{10,}", source: "Slack, Token types"),
        KeyShape("slack-token", "xapp-[0-9]{1}-[A-Za-z0-9-]{10,}", source: "Slack, Token types"),
        KeyShape(
            "stripe-key",
            "(sk_live_|sk_test_|rk_live_|rk_test_|whsec_)[A-Za-z0-9]{16,}",
            source: "Stripe, API keys"
        ),
        KeyShape(
            "openai-or-anthropic-key",
            "(sk-proj-|sk-svcacct-|sk-admin-|sk-ant-|sk-or-|sk-None-)[A-Za-z0-9_-]{20,}",
            source: "OpenAI, API keys; Anthropic, Getting started; OpenRouter, Authentication"
        ),
        KeyShape("openai-key", "sk-[A-Za-z0-9]{32,}", source: "OpenAI, API keys"),
        KeyShape("google-key", "ya29.[0-9A-Za-z_.-]{20,}", source: "Google Identity, OAuth 2.0"),
        KeyShape(
            "jwt",
            "eyJ[A-Za-z0-9_-]{8,2048}.eyJ[A-Za-z0-9_-]{8,16384}.[A-Za-z0-9_-]{0,8192}",
            source: "RFC 7519 §3, RFC 7515 §7.1: a JSON object in base64url begins with eyJ"
        ),
        KeyShape(
            "jwe",
            "eyJ[A-Za-z0-9_-]{16,2048}.[A-Za-z0-9_-]{0,2048}.[A-Za-z0-9_-]{8,64}.[A-Za-z0-9_-]{8,16384}.[A-Za-z0-9_-]{16,128}",
            source: "RFC 7516 §3.1"
        ),
    ]

    init(_ shapes: [KeyShape]) {
        let beginnings = Bits()
        var entries = [[Entry]](repeating: [], count: 4096)
        var beside: [String: [Entry]] = [:]
        for shape in shapes {
            // A malformed pattern is found by the tests of the catalog.
            for pattern in ShapePattern.parse(shape.pattern) ?? [] {
                let entry = Entry(shape: shape, pattern: pattern)
                if let word = shape.beside {
                    beside[word, default: []].append(entry)
                    continue
                }
                let bytes = pattern.anchorBytes
                guard bytes.count >= 2 else { continue }
                let thirds = bytes.count > 2 ? [bytes[2]] : Array(0...255)
                for third in thirds {
                    beginnings.insert(Self.word(bytes[0], bytes[1], third))
                    entries[Bits.hash(Self.word(bytes[0], bytes[1], third)) & 4095].append(entry)
                }
            }
        }
        // What comes between a name and its value is looked for in the same pass.
        for byte in 0..<256 where PairScanner.triggers.bytes[byte] != 0 {
            for next in 0..<256 { beginnings.insert(pair: byte | next << 8) }
        }
        (self.beginnings, self.entries, besideWords) = (beginnings, entries, beside)
    }

    private static func word(_ a: UInt8, _ b: UInt8, _ c: UInt8) -> UInt32 {
        UInt32(a) | UInt32(b) << 8 | UInt32(c) << 16
    }

    func forEachKey(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>, KeyShape) -> Void) {
        var position = 0
        while position + 2 < text.count {
            if let (range, shape) = key(text, position) {
                body(range, shape)
                position = max(position + 1, range.upperBound)
            } else {
                position += 1
            }
        }
    }

    /// - Parameter position: of at least three bytes.
    func key(_ text: UnsafeBufferPointer<UInt8>, _ position: Int) -> (Range<Int>, KeyShape)? {
        let hash = Bits.hash(Self.word(text[position], text[position + 1], text[position + 2]))
        return beginnings.contains(hash) ? key(text, position, hash) : nil
    }

    /// The longest key whose anchor is here.
    private func key(_ text: UnsafeBufferPointer<UInt8>, _ position: Int, _ hash: Int) -> (Range<Int>, KeyShape)? {
        var best: (Range<Int>, KeyShape)?
        for entry in entries[hash & 4095] {
            let anchor = entry.pattern.anchorBytes
            guard position + anchor.count <= text.count,
                text[position..<position + anchor.count].elementsEqual(anchor),
                let range = entry.pattern.match(text, anchorAt: position, isWhole: !entry.shape.kind.isEmpty)
                    .map({ Self.withoutDashes($0, text) }),
                range.count > best?.0.count ?? 0,
                entry.shape.kind.isEmpty || Self.isPlausible(text[range])
            else { continue }
            best = (range, entry.shape)
        }
        return best
    }

    /// What follows in PEM is no part of a key.
    private static func withoutDashes(_ range: Range<Int>, _ text: UnsafeBufferPointer<UInt8>) -> Range<Int> {
        let dash = UInt8(ascii: "-")
        guard
            let start = (range.lowerBound..<max(range.lowerBound, range.upperBound - 4)).first(where: { index in
                text[index] == dash && (1..<5).allSatisfy { text[index + $0] == dash }
            })
        else { return range }
        return range.lowerBound..<start
    }

    /// The kind of a value beside this word.
    func kind(of value: ArraySlice<UInt8>, beside word: String) -> String? {
        besideWords[word]?.first { entry in
            value.withUnsafeBufferPointer { text in
                guard Self.isPlausible(text[...]) else { return false }
                // Such patterns may have no literal: they are matched from the beginning.
                let found = ShapePattern(elements: entry.pattern.elements, anchor: 0).match(text, anchorAt: 0)
                return found == 0..<text.count
            }
        }?.shape.kind
    }

    /// Whether it is not what people write in documents: `xxxx…`, `1234…`, `....`.
    static func isPlausible(_ key: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var seen: (UInt64, UInt64) = (0, 0)
        for byte in key.suffix(12) {
            if byte < 64 { seen.0 |= 1 << UInt64(byte) } else { seen.1 |= 1 << UInt64(byte & 63) }
        }
        return seen.0.nonzeroBitCount + seen.1.nonzeroBitCount >= 4
    }
}

/// A set of hashes, at a place that never changes.
final class Bits: @unchecked Sendable {
    private static let log = 18
    let words: UnsafeMutablePointer<UInt64>
    /// The first two bytes of everything that is in the set: most places of a text are ruled out by these alone.
    let pairs: UnsafeMutablePointer<UInt64>

    init() {
        words = .allocate(capacity: 1 << (Self.log - 6))
        words.initialize(repeating: 0, count: 1 << (Self.log - 6))
        pairs = .allocate(capacity: 1024)
        pairs.initialize(repeating: 0, count: 1024)
    }

    deinit {
        words.deallocate()
        pairs.deallocate()
    }

    static func hash(_ word: UInt32) -> Int { Int(truncatingIfNeeded: (word &* 0x9E37_79B1) >> UInt32(32 - log)) }

    func contains(_ hash: Int) -> Bool { words[hash >> 6] & (1 << UInt64(hash & 63)) != 0 }

    /// Only before others can see it.
    ///
    /// - Parameter word: the first bytes, of which the lowest 16 bits are the first two.
    func insert(_ word: UInt32) {
        let hash = Self.hash(word)
        words[hash >> 6] |= 1 << UInt64(hash & 63)
        insert(pair: Int(word & 0xFFFF))
    }

    func insert(pair: Int) { pairs[pair >> 6] |= 1 << UInt64(pair & 63) }

    /// All of several sets.
    convenience init(_ sets: [Bits]) {
        self.init()
        for set in sets {
            for index in 0..<(1 << (Self.log - 6)) { words[index] |= set.words[index] }
            for index in 0..<1024 { pairs[index] |= set.pairs[index] }
        }
    }
}
