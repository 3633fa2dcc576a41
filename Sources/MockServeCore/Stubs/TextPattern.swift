import CRegex

/// A regular expression (RE2) that the whole of a text must match. One byte is one character, and `.` is not a line break.
package final class TextPattern: Sendable, Hashable {
    /// Bytes that an expression may have.
    private static let sizeLimit = 4096
    /// Bytes of its program and cache.
    private static let memory: Int64 = 1 << 20

    package let text: String
    /// Set once and never changed; RE2 may be used from any thread (re2.h).
    nonisolated(unsafe) private let regex: OpaquePointer

    /// - Throws: `StubError` if it is not an expression, or too long.
    package init(_ text: String) throws(StubError) {
        guard text.utf8.count <= Self.sizeLimit else {
            throw StubError("the expression \(text.prefix(60))… is longer than \(Self.sizeLimit) bytes")
        }
        // By itself, too: within parentheses, one that is not balanced could mean something.
        mockserve_regex_free(try Self.compile(text, text))
        (self.text, regex) = (text, try Self.compile("\\A(?:\(text))\\z", text))
    }

    private static func compile(_ expression: String, _ text: String) throws(StubError) -> OpaquePointer {
        var reason = [CChar](repeating: 0, count: 256)
        let count = expression.utf8.count
        guard let regex = mockserve_regex_make_finder(expression, count, memory, &reason, reason.count) else {
            let problem = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw StubError("the expression `\(text.prefix(100))` cannot be used: \(problem)")
        }
        return regex
    }

    deinit { mockserve_regex_free(regex) }

    package func matches(_ value: [UInt8]) -> Bool {
        var match = mockserve_match()
        return mockserve_regex_find(regex, value, value.count, 0, &match) == 1
    }

    package static func == (one: TextPattern, other: TextPattern) -> Bool { one.text == other.text }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
