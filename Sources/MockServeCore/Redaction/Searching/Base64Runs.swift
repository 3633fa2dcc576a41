import CByteScan

/// Texts in base64 or base64url (RFC 4648 §4, §5) within another text: what they hold is searched too.
struct Base64Runs {
    /// Characters of base64 that make a run: shorter ones hold no name with a value.
    private static let shortest = 24
    /// Bytes that are decoded to see whether there is text in it at all.
    private static let sample = 24

    private static let alphabet = ByteTable { byte in
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || "+/-_".utf8.contains(byte) ? 1 : 0
    }

    /// Calls `body` for each run that holds text, with where it is and what it holds.
    ///
    /// - Parameter isContinued: whether the text begins within something.
    static func forEach(
        in text: UnsafeBufferPointer<UInt8>,
        isContinued: Bool,
        _ body: (Range<Int>, [UInt8]) -> Void
    ) {
        guard let base = text.baseAddress else { return }
        let table = alphabet.bytes
        var position = 0
        while true {
            position = mockserve_next_run(base, position, text.count, shortest, table)
            guard position < text.count else { return }
            let end = position + mockserve_run_length(base, position, text.count, table)
            take(position..<end, text, isContinued: isContinued && position == 0, body)
            position = end
        }
    }

    private static func take(
        _ run: Range<Int>,
        _ text: UnsafeBufferPointer<UInt8>,
        isContinued: Bool,
        _ body: (Range<Int>, [UInt8]) -> Void
    ) {
        var starts = isContinued ? Array(run.lowerBound..<run.lowerBound + 4) : [run.lowerBound]
        // In a path, the slash comes before it.
        let beginning = text[run.lowerBound..<min(run.upperBound, run.lowerBound + 128)]
        if let slash = beginning.lastIndex(of: UInt8(ascii: "/")), run.upperBound - slash > shortest {
            starts.append(slash + 1)
        }
        for start in starts {
            guard beginsAsText(text, start), let base = text.baseAddress,
                let whole = decoded(base, start..<run.upperBound)
            else { continue }
            var end = run.upperBound
            while end < text.count, end - run.upperBound < 2, text[end] == UInt8(ascii: "=") { end += 1 }
            return body(start..<end, whole)
        }
    }

    /// Whether the first bytes that are encoded from `start` on are those of a text.
    private static func beginsAsText(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
        var (index, foreign) = (start, 0)
        while index + 4 <= min(start + sample, text.count) {
            let bits = (0..<4).reduce(UInt32(0)) { $0 << 6 | UInt32(value(text[index + $1])) }
            for shift in [16, 8, 0] as [UInt32] {
                let byte = UInt8(truncatingIfNeeded: bits >> shift)
                if byte < 0x20, byte != 0x0A, byte != 0x0D, byte != 0x09 { return false }
                if byte >= 0x80 { foreign += 1 }
            }
            index += 4
        }
        return foreign * 4 <= sample
    }

    /// What is encoded in a range, if it is for people or programs to read; a few other bytes may be in it.
    private static func decoded(_ base: UnsafePointer<UInt8>, _ range: Range<Int>) -> [UInt8]? {
        var (controls, foreign) = (0, 0)
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            count = mockserve_decode_base64(base + range.lowerBound, range.count, start, &controls, &foreign)
        }
        return controls * 16 <= bytes.count && foreign * 3 <= bytes.count ? bytes : nil
    }

    private static func value(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x41...0x5A: byte - 0x41
        case 0x61...0x7A: byte - 0x61 + 26
        case 0x30...0x39: byte - 0x30 + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        default: 63
        }
    }
}
