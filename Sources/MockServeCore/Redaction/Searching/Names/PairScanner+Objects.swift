extension PairScanner {
    // MARK: Values of JSON

    /// The value of a member of JSON, or what JSON-like languages have.
    ///
    /// - Parameter quote: the last quotation mark of its name.
    mutating func member(from start: Int, _ name: SecretName, after quote: Int? = nil) {
        var index = start
        while index < text.count, index - start < Self.gapLimit, isBlank(text[index]) { index += 1 }
        guard index < text.count else { return }
        nameQuote = quote
        let isObject = text[index] == UInt8(ascii: "{")
        let limit = isObject && !takesAll(name) ? min(text.count, index + Self.objectLimit) : text.count
        let end = value(at: index, name, until: limit, depth: 0, isWrapped: false)
        if isObject, takesAll(name) { covered = max(covered, end ?? 0) }
    }

    /// Whether it is a secret whatever is in it.
    func takesAll(_ name: SecretName) -> Bool { name.strength == .ruled || isRequest && name.apart != nil }

    func afterColon(_ start: Int) -> Int {
        var index = start
        while index < text.count, isBlank(text[index]) || text[index] == UInt8(ascii: ":") { index += 1 }
        return index
    }

    private static let depthLimit = 16
    private static let itemLimit = 10_000

    /// Under these names an object holds what it is named after. The short ones are those of DynamoDB.
    private static let wrapped: [StaticString] = [
        "value", "Value", "S", "N", "stringValue", "StringValue", "integerValue", "string", "plaintext", "raw", "data",
        "old", "new", "current", "confirmation", "key", "secret", "token",
    ]

    /// - Parameter isWrapped: whether it is in an object of this name.
    /// - Returns: where the value ends; nil if that is not seen.
    @discardableResult
    private mutating func value(
        at index: Int,
        _ name: SecretName,
        until limit: Int,
        depth: Int,
        isWrapped: Bool
    ) -> Int? {
        switch text[index] {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"):
            if let quote = nameQuote, text[index] == text[quote], !areAlike(quote, index) { return nil }
            // In an object it may be a word about the thing of this name.
            let isClear = !isWrapped || name.strength == .password || name.strength == .strong || takesAll(name)
            takeQuoted(from: index, name, isPair: false, isStrict: !isClear)
            return depth == 0 ? nil : endOfString(from: index + 1, text[index]).map { $0 + 1 }
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            return depth < Self.depthLimit ? items(of: index, name, until: limit, depth: depth, isWrapped) : nil
        case UInt8(ascii: "-"), 0x30...0x39:
            var high = index
            while high < text.count, text[high] &- 0x30 < 10 || "+-.eE".utf8.contains(text[high]) { high += 1 }
            guard high == text.count || ",]}".utf8.contains(text[high]) || isBlank(text[high]),
                names.isAdded(name) || name.admits(number: high - index, isRequest: isRequest)
                    || Placeholder.form(of: ArraySlice(Array(text[index..<high]))) != nil
            else { return high }
            take(Found(range: index..<high, name: name, isNumber: true))
            return high
        default: return skipped(at: index, until: limit)
        }
    }

    /// Each value of an array; of an object all, or those under a name that says nothing of its own.
    private mutating func items(
        of start: Int,
        _ name: SecretName,
        until limit: Int,
        depth: Int,
        _ isWrapped: Bool
    ) -> Int? {
        let isObject = text[start] == UInt8(ascii: "{")
        let isWhole = !isObject || takesAll(name)
        var (index, count) = (start + 1, 0)
        while index < limit, count < Self.itemLimit {
            if isBlank(text[index]) || text[index] == UInt8(ascii: ",") {
                index += 1
                continue
            }
            if text[index] == UInt8(ascii: "}") || text[index] == UInt8(ascii: "]") { return index + 1 }
            var counts = isWhole
            if isObject {
                guard text[index] == UInt8(ascii: "\""), nameQuote.map({ areAlike($0, index) }) ?? true,
                    let close = endOfString(from: index + 1, text[index]), close < limit
                else { return nil }
                let key = index + 1..<close
                counts = counts || Self.wrapped.contains { isEqual(key, $0) }
                index = afterColon(close + 1)
                guard index < limit else { return nil }
            }
            let end =
                counts
                ? value(at: index, name, until: limit, depth: depth + 1, isWrapped: isWrapped || isObject)
                : skipped(at: index, until: limit)
            guard let end, end > index else { return nil }
            index = end
            count += 1
        }
        return nil
    }

    /// The end of a value that does not count.
    private func skipped(at start: Int, until limit: Int) -> Int? {
        var (index, depth) = (start, 0)
        while index < limit {
            switch text[index] {
            case UInt8(ascii: "\""):
                guard let close = endOfString(from: index + 1, text[index]) else { return nil }
                index = close
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if depth == 0 { return index }
                depth -= 1
            case UInt8(ascii: ","): if depth == 0 { return index }
            default: break
            }
            index += 1
        }
        return nil
    }

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
