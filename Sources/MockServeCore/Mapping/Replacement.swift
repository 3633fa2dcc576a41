import HTTPMessages

/// Replaces origins in text, in three spellings: plain, with escaped slashes as some JSON writers do, and
/// percent-encoded as in a query. Also replaces the placeholders of declared secrets with their values.
package struct Replacement: Sendable {
    private struct Rule: Sendable {
        let pattern: [UInt8]
        let substitute: [UInt8]
        let endsInDigits: Bool
    }

    /// A value to be put back, and what its placeholders begin with.
    private struct Reveal: Sendable {
        let start: [UInt8]
        let value: [UInt8]
    }

    private let rules: [Rule]
    private let reveals: [Reveal]
    /// Every text that contains an origin contains one of these.
    private let hosts: [[UInt8]]

    /// - Parameters:
    ///   - pairs: what to look for and what replaces it. Pairs of equal origins are left out.
    ///   - secrets: their values replace their placeholders.
    init(_ pairs: [(from: Origin, to: Origin)], revealing secrets: [DeclaredSecret] = []) {
        reveals = secrets.flatMap { secret in
            [
                Reveal(start: Array("redacted.\(Placeholder.kind(secret.kind)).".utf8), value: secret.value),
                Reveal(
                    start: EarlyPlaceholder.start + Array(secret.kind.utf8) + [UInt8(ascii: ":")],
                    value: secret.value
                ),
            ]
        }
        let pairs = pairs.filter { $0.from != $0.to }
        // An IPv6 address has colons, which some spellings encode.
        hosts = Set(pairs.map { $0.from.host.contains(":") ? "http" : $0.from.host }).map { Array($0.utf8) }
        rules = pairs.flatMap { from, to in
            Self.spellings(from).enumerated().map { index, pattern in
                let endsInDigits = from.port != from.scheme.defaultPort
                return Rule(pattern: pattern, substitute: Self.spellings(to)[index], endsInDigits: endsInDigits)
            }
        }
    }

    var isEmpty: Bool { rules.isEmpty && reveals.isEmpty }

    private static func spellings(_ origin: Origin) -> [[UInt8]] {
        let plain = origin.description
        return [
            plain,
            plain.replacing("/", with: "\\/"),
            plain.replacing(":", with: "%3A").replacing("/", with: "%2F"),
            plain.replacing(":", with: "%3a").replacing("/", with: "%2f"),
        ].map { Array($0.utf8) }
    }

    package func replace(in text: [UInt8]) -> [UInt8] {
        guard text.count > 7, text.withUnsafeBytes({ mayMatch($0) }) else { return text }
        var stream = ReplacementStream(self)
        var output = stream.push(text)
        output += stream.finish()
        return output
    }

    func mayMatch(_ text: UnsafeRawBufferPointer) -> Bool {
        hosts.contains { host in host.withUnsafeBytes { firstOffset(of: $0, in: text, from: 0) } != nil }
            || !reveals.isEmpty && Self.mark.withUnsafeBytes { firstOffset(of: $0, in: text, from: 0) != nil }
    }

    /// What all placeholders have in them.
    private static let mark = Array("redacted".utf8)

    enum Match {
        case none
        /// It may be one, depending on what follows.
        case undecided
        case found(length: Int, substitute: [UInt8])
    }

    /// Whether a match may begin with this byte.
    func isStart(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "h") || (byte == UInt8(ascii: "[") || byte == UInt8(ascii: "r")) && !reveals.isEmpty
    }

    /// Looks at `text[index...]`, whose first byte `isStart` accepts.
    func match(_ text: [UInt8], at index: Int, isComplete: Bool) -> Match {
        if text[index] != UInt8(ascii: "h") { return reveal(text, at: index, isComplete: isComplete) }
        for rule in rules {
            let end = index + rule.pattern.count
            if end < text.count || isComplete && end == text.count {
                guard text[index..<end] == rule.pattern[...] else { continue }
                if end < text.count, continuesHost(text[end], rule) { continue }
                return .found(length: rule.pattern.count, substitute: rule.substitute)
            }
            if !isComplete, rule.pattern[...].starts(with: text[index...]) { return .undecided }
        }
        return .none
    }

    /// `redacted.KIND.`, perhaps `c`, and up to 18 digits; or `[redacted:KIND:`, up to 18 digits and `]`.
    private func reveal(_ text: [UInt8], at index: Int, isComplete: Bool) -> Match {
        let rest = text[index...]
        for reveal in reveals {
            guard rest.starts(with: reveal.start) else {
                if !isComplete, reveal.start.starts(with: rest) { return .undecided }
                continue
            }
            let isEarly = text[index] == UInt8(ascii: "[")
            var number = rest.dropFirst(reveal.start.count)
            if !isEarly, number.first == UInt8(ascii: "c") { number = number.dropFirst() }
            let digits = number.prefix { $0 &- 0x30 < 10 }
            guard digits.count <= 18 else { continue }
            guard digits.endIndex < text.endIndex || isComplete && !isEarly else {
                return isComplete ? .none : .undecided
            }
            guard !digits.isEmpty else { continue }
            guard isEarly else { return .found(length: digits.endIndex - index, substitute: reveal.value) }
            guard text[digits.endIndex] == UInt8(ascii: "]") else { continue }
            return .found(length: digits.endIndex + 1 - index, substitute: reveal.value)
        }
        return .none
    }

    /// Whether `byte` after the pattern makes it another origin: `http://a.example` in `http://a.example.org`.
    private func continuesHost(_ byte: UInt8, _ rule: Rule) -> Bool {
        switch byte {
        case 0x30...0x39: return true
        case 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "_"):
            return !rule.endsInDigits
        default: return false
        }
    }
}

/// Replaces in a text that arrives in pieces. Holds back only what may be the beginning of an origin or a placeholder.
package struct ReplacementStream {
    private let replacement: Replacement
    private var held: [UInt8] = []

    init(_ replacement: Replacement) {
        self.replacement = replacement
    }

    package mutating func push(_ bytes: [UInt8]) -> [UInt8] {
        let text = held.isEmpty ? bytes : held + bytes
        held = []
        return scan(text, isComplete: false)
    }

    /// What was held back, at the end of the text.
    package mutating func finish() -> [UInt8] {
        let text = held
        held = []
        return scan(text, isComplete: true)
    }

    private mutating func scan(_ text: [UInt8], isComplete: Bool) -> [UInt8] {
        var output: [UInt8] = []
        var copied = 0
        var index = 0
        while let start = text[index...].firstIndex(where: replacement.isStart) {
            switch replacement.match(text, at: start, isComplete: isComplete) {
            case .none: index = start + 1
            case .undecided:
                output += text[copied..<start]
                held = Array(text[start...])
                return output
            case .found(let length, let substitute):
                output += text[copied..<start]
                output += substitute
                index = start + length
                copied = index
            }
        }
        return copied == 0 ? text : output + text[copied...]
    }
}
