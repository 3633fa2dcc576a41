import CRegex
import Synchronization

/// Finds secrets in text, with many expressions at once, in time linear in the text.
final class PatternFinder: Sendable {
    /// One expression; its first group is the secret.
    struct Pattern: Sendable, Hashable {
        let kind: String
        let expression: String
        /// Whether the placeholder needs quotation marks: a JSON number becomes a string.
        var isQuoted = false
        /// The secret itself, if it is known, however it is spelled where it was found.
        var value: [UInt8]?
    }

    struct Found {
        /// Bounds of the whole match and of the secret in it.
        let match: Range<Int>
        let secret: Range<Int>
        let pattern: Pattern
    }

    private let patterns: [Pattern]
    /// Compiled when it is first needed, and read without a lock, because every request uses it. RE2 itself may be used
    /// from any thread (re2.h).
    private let compiled = AtomicLazyReference<Compiled>()

    private final class Compiled: Sendable {
        nonisolated(unsafe) let regex: OpaquePointer?

        init(_ regex: OpaquePointer?) { self.regex = regex }

        deinit { mockserve_regex_free(regex) }
    }

    init(_ patterns: [Pattern]) {
        self.patterns = patterns
    }

    /// Whether it can search at all: more expressions than fit in its memory cannot be compiled.
    var canSearch: Bool { patterns.isEmpty || compile().regex != nil }

    /// The first secret whose match begins at `from` or later.
    func first(in text: [UInt8], from: Int) -> Found? {
        guard from < text.count, let first = patterns.first else { return nil }
        // What cannot be searched counts as a secret. Whoever uses this has asked `canSearch` before.
        guard let regex = compile().regex else {
            return Found(match: from..<text.count, secret: from..<text.count, pattern: first)
        }
        var match = mockserve_match()
        guard mockserve_regex_find(regex, text, text.count, from, &match) == 1,
            patterns.indices.contains(Int(match.group) - 1)
        else { return nil }
        return Found(
            match: match.start..<match.end,
            secret: match.group_start..<match.group_end,
            pattern: patterns[Int(match.group) - 1]
        )
    }

    private func compile() -> Compiled {
        if let compiled = compiled.load() { return compiled }
        let expression = patterns.map { "(?:\($0.expression))" }.joined(separator: "|")
        var reason = [CChar](repeating: 0, count: 256)
        let memory: Int64 = 64 << 20
        let regex = mockserve_regex_make_finder(expression, expression.utf8.count, memory, &reason, reason.count)
        // Expressions come from this build, or are made from names and declared secrets character by character: none is
        // malformed, but all of them together may be too many.
        // Another thread may have been quicker; then its result is used.
        return compiled.storeIfNil(Compiled(regex))
    }
}
