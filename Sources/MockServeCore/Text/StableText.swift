/// What of a text stays the same when it is recorded again: without the values of volatile fields, and without the numbers of
/// placeholders.
package enum StableText {
    private static let left = "…"
    private static let word = Array("redacted.".utf8)
    private static let signature = Array("redactedJW".utf8)
    private static let hexadecimal = Array("4edac7ed".utf8)

    /// - Parameters:
    ///   - lines: of an interaction or a stub.
    ///   - rules: of its cassette.
    package static func lines(_ lines: [String], _ rules: RuleSet) -> [String] {
        lines.map { line in
            guard line.hasPrefix("< "), let colon = line.firstIndex(of: ":") else { return withoutNumbers(line) }
            let name = line[line.index(line.startIndex, offsetBy: 2)..<colon].lowercased()
            guard AnswerLikeness.isVolatile(name, rules) else { return withoutNumbers(line) }
            return line[...colon] + " " + left
        }
    }

    /// A line in which placeholders say what they stand for, but not which of several it is.
    static func withoutNumbers(_ line: String) -> String {
        guard line.utf8.count > 9, line.contains("redacted") || line.contains("4edac7ed") else { return line }
        let bytes = Array(line.utf8)
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard let end = placeholder(bytes, at: index, &output) else {
                output.append(bytes[index])
                index += 1
                continue
            }
            index = end
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// - Returns: where a placeholder that begins at `index` ends; nil if none does.
    private static func placeholder(_ bytes: [UInt8], at index: Int, _ output: inout [UInt8]) -> Int? {
        let rest = bytes[index...]
        func digits(from start: Int) -> Int {
            var end = start
            while end < bytes.count, bytes[end] &- 0x30 < 10 { end += 1 }
            return end
        }
        if rest.starts(with: word) {
            // `redacted.KIND.N`, or `redacted.KIND.cN`.
            var dot = index + word.count
            while dot < bytes.count, isOfKind(bytes[dot]) { dot += 1 }
            guard dot > index + word.count, dot < bytes.count, bytes[dot] == UInt8(ascii: ".") else { return nil }
            let start = dot + 1 < bytes.count && bytes[dot + 1] == UInt8(ascii: "c") ? dot + 2 : dot + 1
            let end = digits(from: start)
            guard end > start else { return nil }
            output += bytes[index..<dot]
            return end
        }
        for prefix in [signature, hexadecimal] where rest.starts(with: prefix) {
            let start = index + prefix.count
            // A UUID has hyphens, and what says whose it is.
            var end = start
            while end < bytes.count, bytes[end] &- 0x30 < 10 || [0x2D, 0x54, 0x43, 0x63].contains(bytes[end]) {
                end += 1
            }
            guard end - start > 1 else { return nil }
            output += prefix + Array(left.utf8)
            return end
        }
        return nil
    }

    private static func isOfKind(_ byte: UInt8) -> Bool {
        byte &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
