/// Private keys and messages in PEM (RFC 7468 §10, §11; RFC 1421 §4.4) and in the armor of OpenPGP (RFC 9580 §6.2).
enum PEMBlock {
    private static let begin = Array("-----BEGIN".utf8)
    private static let end = Array("-----END".utf8)

    /// - Parameter body: takes what is between the first line and the last.
    static func forEach(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        var (index, nextEnd) = (0, -1)
        while let start = next(begin, in: text, from: index) {
            index = start + begin.count
            guard let close = next(Array("-----".utf8), in: text, from: index), close - index < 64 else { continue }
            // In a form, `+` is a space.
            let label = String(decoding: text[index..<close].map { $0 == UInt8(ascii: "+") ? 0x20 : $0 }, as: UTF8.self)
            guard label.contains("PRIVATE KEY") || label == " PGP MESSAGE" else { continue }
            if nextEnd < close { nextEnd = next(end, in: text, from: close + 5) ?? text.count }
            var (low, high) = (close + 5, close + 5)
            while high < nextEnd, isPart(text[high]) { high += 1 }
            // Without its last line, it goes as far as it can be one.
            let last = high == nextEnd && nextEnd < text.count ? high : nil
            index = max(index, high)
            guard last != nil || high == text.count || high - low >= 64 else { continue }
            while low < high, text[low] <= 0x20 { low += 1 }
            if last != nil { while high > low, text[high - 1] <= 0x20 { high -= 1 } }
            // Within a string of JSON, line ends are decoded one level deeper.
            func isLineEnd(_ index: Int) -> Bool {
                text[index] == UInt8(ascii: "\\") && text[index + 1] == UInt8(ascii: "n")
            }
            if low + 1 < high, isLineEnd(low) { low += 2 }
            if last != nil, high - 2 > low, isLineEnd(high - 2) { high -= 2 }
            if low < high, Placeholder.form(of: ArraySlice(Array(text[low..<high]))) == nil { body(low..<high) }
        }
    }

    /// Whether it can be in a block, plain or encoded: no quotation marks, brackets and the like.
    private static func isPart(_ byte: UInt8) -> Bool { !"\"'<>{}[]?!`|".utf8.contains(byte) }

    private static func next(_ bytes: [UInt8], in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        bytes.withUnsafeBytes { firstOffset(of: $0, in: UnsafeRawBufferPointer(text), from: start) }
    }
}
