extension PairScanner {
    private static let user = SecretName(kind: "url-user", strength: .strong)

    /// `scheme://user:password@host` (RFC 3986 §3.2.1).
    mutating func url(at colon: Int) {
        guard colon > 0, (text[colon - 1] | 0x20) &- 0x61 < 26 || text[colon - 1] &- 0x30 < 10 else { return }
        let start = colon + 3
        var (index, at, password) = (start, -1, -1)
        while index < text.count, index - start < 1024 {
            let byte = text[index]
            if byte == UInt8(ascii: "@") { at = index }
            if byte == UInt8(ascii: ":"), password < 0, at < 0 { password = index }
            if byte <= 0x20 || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "<")
                || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "?")
                || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "`")
            {
                break
            }
            index += 1
        }
        guard at > start else { return }
        if password > 0 || SecretName.looksRandom(text[start..<at]) { take(Found(range: start..<at, name: Self.user)) }
    }
}
