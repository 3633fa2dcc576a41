/// Finds keys of all shapes in one pass.
final class ShapeFinder: Sendable {
    struct Entry: Sendable {
        let shape: KeyShape
        let pattern: ShapePattern
        let number: Int
    }

    /// Which three bytes anchors begin with, a bit for each hash.
    let beginnings: PrefixFilter
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
        KeyShape(
            "jwt",
            "eyJ[A-Za-z0-9_-]{8,}.eyJ[A-Za-z0-9_-]{8,}.[A-Za-z0-9_-]{0,}",
            source: "RFC 7519 §3, RFC 7515 §7.1: a JSON object in base64url begins with eyJ"
        ),
        KeyShape(
            "jwe",
            "eyJ[A-Za-z0-9_-]{16,}.[A-Za-z0-9_-]{0,}.[A-Za-z0-9_-]{8,64}.[A-Za-z0-9_-]{8,}.[A-Za-z0-9_-]{16,128}",
            source: "RFC 7516 §3.1"
        ),
    ]

    init(_ shapes: [KeyShape]) {
        let beginnings = PrefixFilter()
        var entries = [[Entry]](repeating: [], count: 4096)
        var (beside, number) = ([String: [Entry]](), 0)
        for shape in shapes {
            // A malformed pattern is found by the tests of the catalog.
            for pattern in ShapePattern.parse(shape.pattern) ?? [] {
                let entry = Entry(shape: shape, pattern: pattern, number: number)
                number += 1
                if let word = shape.beside {
                    beside[word, default: []].append(entry)
                    continue
                }
                let bytes = pattern.anchorBytes
                guard bytes.count >= 2 else { continue }
                let thirds = bytes.count > 2 ? [bytes[2]] : Array(0...255)
                for third in thirds {
                    beginnings.insert(Self.word(bytes[0], bytes[1], third))
                    entries[PrefixFilter.hash(Self.word(bytes[0], bytes[1], third)) & 4095].append(entry)
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
        var (position, state) = (0, State())
        while position + 2 < text.count {
            if let found = key(text, position, isOpen: false, &state) {
                body(found.range, found.shape)
                position = max(position + 1, found.range.upperBound)
            } else {
                position += 1
            }
        }
    }

    struct Found {
        let range: Range<Int>
        let shape: KeyShape
        /// Whether it may be one, depending on what follows the text.
        var isOpen = false
    }

    /// What is known of a text from the anchors before.
    struct State {
        /// For each entry that had a long run after an anchor: before this place, it is nowhere.
        fileprivate var nowhere: [Int: Int] = [:]
    }

    /// - Parameters:
    ///   - position: of at least three bytes.
    ///   - isOpen: whether the text goes on.
    func key(
        _ text: UnsafeBufferPointer<UInt8>,
        _ position: Int,
        isOpen: Bool,
        _ state: inout State
    ) -> Found? {
        let hash = PrefixFilter.hash(Self.word(text[position], text[position + 1], text[position + 2]))
        return beginnings.contains(hash) ? key(text, position, hash, isOpen: isOpen, &state) : nil
    }

    /// The longest key whose anchor is here.
    private func key(
        _ text: UnsafeBufferPointer<UInt8>,
        _ position: Int,
        _ hash: Int,
        isOpen: Bool,
        _ state: inout State
    ) -> Found? {
        var best: Found?
        for entry in entries[hash & 4095] {
            let anchor = entry.pattern.anchorBytes
            guard position + anchor.count <= text.count,
                text[position..<position + anchor.count].elementsEqual(anchor),
                state.nowhere.isEmpty || state.nowhere[entry.number] ?? 0 <= position
            else { continue }
            switch entry.pattern.match(text, anchorAt: position, isWhole: !entry.shape.kind.isEmpty) {
            case .found(let whole):
                let range = Self.withoutDashes(whole, text)
                guard range.count > best?.range.count ?? 0, entry.shape.kind.isEmpty || Self.isPlausible(text[range])
                else { continue }
                best = Found(range: range, shape: entry.shape)
            case .none(let end):
                if end - position > 256 { state.nowhere[entry.number] = end }
            case .open(let start, let end):
                if !isOpen, end - position > 256 { state.nowhere[entry.number] = end }
                guard isOpen, text.count - start > best?.range.count ?? 0 else { continue }
                best = Found(range: start..<text.count, shape: entry.shape, isOpen: true)
            }
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
                return if case .found(0..<text.count) = found { true } else { false }
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
