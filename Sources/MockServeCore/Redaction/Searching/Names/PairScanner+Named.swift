extension PairScanner {
    // MARK: A name and its value, each under a name of its own

    /// `"name": "PASSWORD", "value": "…"`, in either order within an object.
    ///
    /// - Returns: whether it was one.
    mutating func named(_ range: Range<Int>, at colon: Int) -> Bool {
        guard isName(of: range) else { return false }
        var low = colon + 1
        while low < text.count, low - colon < Self.gapLimit, isBlank(text[low]) { low += 1 }
        guard low < text.count, text[low] == UInt8(ascii: "\""), let high = endOfString(from: low + 1, text[low]),
            high - low <= Self.nameLimit, let name = read(low + 1..<high, .json)
        else { return false }
        let end = min(text.count, high + Self.objectLimit)
        // The value may come first.
        guard let start = valueMember(in: high + 1..<end) ?? valueMember(before: range.lowerBound - 1) else {
            return false
        }
        member(from: start, name)
        return true
    }

    /// Where the value of a member is that is called `value`, in the rest of an object.
    private func valueMember(in range: Range<Int>) -> Int? {
        var index = range.lowerBound
        while index < range.upperBound, text[index] != UInt8(ascii: "}"), text[index] != UInt8(ascii: "{") {
            guard text[index] == UInt8(ascii: "\""), let close = endOfString(from: index + 1, text[index]),
                close < range.upperBound
            else {
                index += 1
                continue
            }
            let after = afterColon(close + 1)
            // A string may be `value`, too.
            if isValue(of: index + 1..<close), text[close + 1..<after].contains(UInt8(ascii: ":")) { return after }
            index = close + 1
        }
        return nil
    }

    /// The same in what is before a member of the object.
    private func valueMember(before end: Int) -> Int? {
        var start = end
        while start > 0, end - start < Self.objectLimit, text[start - 1] != UInt8(ascii: "{"),
            text[start - 1] != UInt8(ascii: "}")
        {
            start -= 1
        }
        return start > 0 && text[start - 1] == UInt8(ascii: "{") ? valueMember(in: start..<end) : nil
    }

    /// Whether what stands under this is a name.
    func isName(of range: Range<Int>) -> Bool {
        // Nearly all names end in another letter, or have another length.
        guard let last = text[range].last, last == UInt8(ascii: "e") || last == UInt8(ascii: "y"),
            range.count < 5 || range.count > 8
        else { return false }
        return Self.nameNames.contains { isEqual(range, $0) }
    }

    /// Whether what stands under this is the value to such a name.
    func isValue(of range: Range<Int>) -> Bool { Self.valueNames.contains { isEqual(range, $0) } }

    private static let nameNames: [StaticString] = ["name", "key", "Name", "Key", "ParameterKey", "OutputKey"]
    private static let valueNames: [StaticString] = ["value", "Value", "ParameterValue", "OutputValue"]
    /// How far apart the two are at most.
    static let objectLimit = 512

    /// `<key>password</key><string>…`, `<name>password</name><value><string>…`, `<Name>password</Name><Value>…`
    ///
    /// - Returns: whether it was one.
    mutating func namedElement(from start: Int) -> Bool {
        let limit = min(text.count, start + Self.nameLimit)
        guard let end = text[start..<limit].firstIndex(of: UInt8(ascii: "<")), let name = telling(start..<end) else {
            return false
        }
        // After the end of that element, up to two tags and blanks.
        var (index, opened) = (end, 0)
        let last = min(text.count, end + Self.tagLimit)
        while index < last, text[index] == UInt8(ascii: "<") {
            guard let close = text[index..<last].firstIndex(of: UInt8(ascii: ">")) else { return false }
            let tag = index + 1..<close
            if text[tag.lowerBound] != UInt8(ascii: "/") {
                guard isValue(of: tag) || isEqual(tag, "string") else { return false }
                opened += 1
            }
            index = close + 1
            while index < last, isBlank(text[index]) { index += 1 }
        }
        guard opened > 0 else { return false }
        content(from: index, name)
        return true
    }

    /// `- name: DB_PASSWORD` with `value: …` in the line below.
    mutating func namedLine(_ range: Range<Int>, at colon: Int) {
        guard isEqual(range, "name") || isEqual(range, "key"), colon + 2 < text.count, isSpace(text[colon + 1]) else {
            return
        }
        let end = endOfLine(from: colon + 2)
        guard let name = telling(colon + 2..<end) else { return }
        var low = end
        while low < text.count, isBlank(text[low]) { low += 1 }
        var index = low
        while index < text.count, isNameByte(text[index]) { index += 1 }
        guard index + 1 < text.count, text[index] == UInt8(ascii: ":"), isEqual(low..<index, "value") else { return }
        line(from: index + 1, name, of: low..<index)
    }

    /// What the value of a name says that is a name itself.
    func telling(_ value: Range<Int>) -> SecretName? {
        var value = value
        guard value.count <= Self.nameLimit + Self.gapLimit else { return nil }
        while !value.isEmpty, isBlank(text[value.upperBound - 1]) { value = value.lowerBound..<value.upperBound - 1 }
        if value.count > 2, case let quote = text[value.lowerBound], quote == 0x22 || quote == 0x27,
            text[value.upperBound - 1] == quote
        {
            value = value.lowerBound + 1..<value.upperBound - 1
        }
        guard (1...Self.nameLimit).contains(value.count), text[value].allSatisfy({ isNameByte($0) }) else { return nil }
        return read(value, .json)
    }

    /// `…ParameterKey=DBPassword&…ParameterValue=…`
    ///
    /// - Returns: whether it was one.
    mutating func namedPair(_ range: Range<Int>, from start: Int) -> Bool {
        let letter = text[range.upperBound - 1]
        guard letter == UInt8(ascii: "e") || letter == UInt8(ascii: "y") else { return false }
        let last = (text[range].lastIndex(of: UInt8(ascii: ".")).map { $0 + 1 } ?? range.lowerBound)..<range.upperBound
        guard isName(of: last) else { return false }
        var end = start
        while end < text.count, end - start <= Self.nameLimit, isNameByte(text[end]) { end += 1 }
        guard end < text.count, text[end] == UInt8(ascii: "&"), let name = read(start..<end, .form) else {
            return false
        }
        var equals = end + 1
        while equals < text.count, equals - end <= Self.nameLimit, isNameByte(text[equals]) { equals += 1 }
        guard equals < text.count, text[equals] == UInt8(ascii: "=") else { return false }
        let other = (text[end + 1..<equals].lastIndex(of: UInt8(ascii: ".")).map { $0 + 1 } ?? end + 1)..<equals
        guard isValue(of: other) else { return false }
        takeValue(equals + 1..<endOfValue(from: equals + 1), name, isPair: true)
        return true
    }
}
