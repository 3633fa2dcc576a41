import CRegex

/// Replaces what an expression matches in a value before it is compared: `s/PATTERN/REPLACEMENT/`.
///
/// Expressions are those of RE2 (<https://github.com/google/re2/wiki/Syntax>): their time is linear in the value,
/// whatever a cassette holds. One byte is one character. In the replacement, `\0` is the whole match, `\1` the first
/// group.
package final class ValueMap: Sendable, Hashable {
    /// Bytes that an expression and a replacement may have.
    private static let sizeLimit = 4096
    /// Bytes that a value may grow to; one that would grow larger stays as it is.
    private static let outputLimit = 16 << 20

    package let pattern: String
    package let replacement: String
    /// Set once and never changed; RE2 may be used from any thread (re2.h).
    nonisolated(unsafe) private let regex: OpaquePointer

    package init(_ pattern: String, to replacement: String) throws(RuleError) {
        guard pattern.utf8.count <= Self.sizeLimit, replacement.utf8.count <= Self.sizeLimit else {
            throw RuleError("the expression or its replacement is longer than \(Self.sizeLimit) bytes")
        }
        guard !pattern.isEmpty else { throw RuleError("the expression is empty") }
        var reason = [CChar](repeating: 0, count: 256)
        let regex = mockserve_regex_make(
            pattern,
            pattern.utf8.count,
            replacement,
            replacement.utf8.count,
            &reason,
            reason.count
        )
        guard let regex else {
            let text = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw RuleError("the expression `\(pattern)` with `\(replacement)` in its place: \(text)")
        }
        self.pattern = pattern
        self.replacement = replacement
        self.regex = regex
    }

    deinit { mockserve_regex_free(regex) }

    func callAsFunction(_ value: [UInt8]) -> [UInt8] {
        var output: UnsafeMutablePointer<UInt8>?
        var count = 0
        guard mockserve_regex_replace(regex, value, value.count, Self.outputLimit, &output, &count) == 1, let output
        else {
            return value
        }
        defer { mockserve_regex_free_text(output) }
        return Array(UnsafeBufferPointer(start: output, count: count))
    }

    package static func == (one: ValueMap, other: ValueMap) -> Bool {
        one.pattern == other.pattern && one.replacement == other.replacement
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(pattern)
        hasher.combine(replacement)
    }
}

extension Sequence<ValueMap> {
    func apply(to value: [UInt8]) -> [UInt8] { reduce(value) { $1($0) } }
}
