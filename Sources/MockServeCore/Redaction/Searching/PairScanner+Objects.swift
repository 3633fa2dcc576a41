extension PairScanner {
    // MARK: Objects of JSON

    /// `"name": "PASSWORD", "value": "…"`, in this order within an object.
    ///
    /// - Returns: whether it was one.
    mutating func named(_ range: Range<Int>, at colon: Int) -> Bool {
        // Nearly all names end in another letter, or have another length.
        let last = text[range.upperBound - 1]
        guard last == UInt8(ascii: "e") || last == UInt8(ascii: "y"), range.count < 5 || range.count > 8,
            Self.nameNames.contains(where: { isEqual(range, $0) })
        else { return false }
        var low = colon + 1
        while low < text.count, low - colon < Self.gapLimit, isBlank(text[low]) { low += 1 }
        guard low < text.count, text[low] == UInt8(ascii: "\""), let high = endOfString(from: low + 1, text[low]),
            high - low <= Self.nameLimit, let name = read(low + 1..<high, .json)
        else { return false }
        var index = high + 1
        let end = min(text.count, high + Self.objectLimit)
        while index < end, text[index] != UInt8(ascii: "}"), text[index] != UInt8(ascii: "{") {
            if text[index] == UInt8(ascii: "\""), let close = endOfString(from: index + 1, text[index]), close < end {
                if Self.valueNames.contains(where: { isEqual(index + 1..<close, $0) }) {
                    var start = close + 1
                    while start < text.count, isBlank(text[start]) || text[start] == UInt8(ascii: ":") { start += 1 }
                    member(from: start, name)
                    return true
                }
                index = close + 1
            } else {
                index += 1
            }
        }
        return false
    }

    private static let nameNames: [StaticString] = ["name", "key", "Name", "Key", "ParameterKey", "OutputKey"]
    private static let valueNames: [StaticString] = ["value", "Value", "ParameterValue", "OutputValue"]
    /// How far apart the two are at most.
    private static let objectLimit = 512

    /// The private parts of a JSON Web Key (RFC 7518 §6.2.2, §6.3.2, §6.4.1), which has a `kty` near them.
    ///
    /// - Returns: whether it is one.
    mutating func keyPart(_ range: Range<Int>, at colon: Int) -> Bool {
        let parts: [StaticString] = ["d", "p", "q", "dp", "dq", "qi", "k"]
        guard place == .text, parts.contains(where: { isEqual(range, $0) }) else { return false }
        var low = colon + 1
        while low < text.count, low - colon < Self.gapLimit, isBlank(text[low]) { low += 1 }
        guard low < text.count, text[low] == UInt8(ascii: "\""), let high = endOfString(from: low + 1, text[low]),
            high - low > 20
        else { return false }
        let near = UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(text)[max(0, low - 4096)..<min(text.count, high + 4096)]
        )
        guard Self.keyType.withUnsafeBytes({ firstOffset(of: $0, in: near, from: 0) }) != nil else { return false }
        takeValue(low + 1..<high, SecretName(kind: "private-key", strength: .strong), isPair: false)
        return true
    }

    private static let keyType = Array("\"kty\"".utf8)

    // MARK: Cookies

    static let cookies: Set<String> = ["cookie", "cookies", "set_cookie", "setcookie"]

    /// `name=value; name=value`, or `name=value; attributes` (RFC 6265 §4.1.1, §4.2.1).
    mutating func takeCookies(_ range: Range<Int>, _ name: SecretName) {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = text[start..<range.upperBound].firstIndex(of: UInt8(ascii: ";")) ?? range.upperBound
            if let equals = text[start..<end].firstIndex(of: UInt8(ascii: "=")), equals + 1 < end,
                !holdsPlaceholder(equals + 1..<end)
                    || Placeholder.form(of: ArraySlice(Array(text[equals + 1..<end]))) != nil
            {
                take(Found(range: equals + 1..<end, name: SecretName(kind: "cookie", strength: .strong)))
            }
            if name.kind.hasPrefix("set") { return }
            start = end + 1
        }
    }
}
