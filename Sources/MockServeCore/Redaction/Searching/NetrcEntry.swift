import CByteScan

/// `machine example.com login ada password …` (netrc, as curl and ftp read it): words, with nothing between names and
/// values but blanks.
enum NetrcEntry {
    private static let start = Array("machine ".utf8)
    /// Words of an entry, and bytes of one.
    private static let wordLimit = 10
    private static let sizeLimit = 512

    /// Calls `body` with where each password is.
    static func forEachPassword(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        let bytes = UnsafeRawBufferPointer(text)
        var position = 0
        while let found = start.withUnsafeBytes({ firstOffset(of: $0, in: bytes, from: position) }) {
            position = found + start.count
            var (index, words, isPassword) = (position, 0, false)
            while words < wordLimit, let word = nextWord(text, index) {
                if isPassword {
                    if word.count >= 4 { body(word) }
                    break
                }
                // Without a login it is prose.
                if words == 1, !text[word].elementsEqual("login".utf8) { break }
                isPassword = words % 2 == 1 && text[word].elementsEqual("password".utf8)
                (index, words) = (word.upperBound, words + 1)
            }
        }
    }

    private static func nextWord(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Range<Int>? {
        var low = start
        while low < text.count, text[low] <= 0x20 { low += 1 }
        var high = low
        while high < text.count, text[high] > 0x20, high - low < sizeLimit { high += 1 }
        return low < high ? low..<high : nil
    }
}
