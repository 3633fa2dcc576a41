extension PairScanner {
    /// `<Password>…</Password>`, `<input name="password" value="…">`, `<add key="Password" value="…"/>`.
    mutating func tag(at start: Int) {
        var index = start + 1
        guard index < text.count, (text[index] | 0x20) &- 0x61 < 26 || text[index] == UInt8(ascii: "_") else { return }
        while index < text.count, isNameByte(text[index]) || text[index] == UInt8(ascii: ":") { index += 1 }
        guard index < text.count, index - start <= Self.nameLimit else { return }
        let prefix = text[start + 1..<index].lastIndex(of: UInt8(ascii: ":")).map { $0 + 1 } ?? start + 1
        let element = start + 1..<index
        if text[index] == UInt8(ascii: ">"), isName(of: prefix..<index), namedElement(from: index + 1) { return }
        let own = text[index] == UInt8(ascii: ">") || isBlank(text[index]) ? read(prefix..<index, .json) : nil
        var (named, value): (SecretName?, Range<Int>?)
        // What an element with such an `id` holds may be a heading.
        var isIdentified = false
        let limit = min(text.count, start + Self.tagLimit)
        // Attributes.
        while index < limit, text[index] != UInt8(ascii: ">") {
            // One that is not closed.
            if text[index] == UInt8(ascii: "<") { return }
            guard text[index] == UInt8(ascii: "="), index + 1 < limit, let attribute = name(before: index) else {
                index += 1
                continue
            }
            let isQuoted = text[index + 1] == UInt8(ascii: "\"") || text[index + 1] == UInt8(ascii: "'")
            let low = index + (isQuoted ? 2 : 1)
            let end = isQuoted ? text[low..<max(low, limit)].firstIndex(of: text[index + 1]) : endOfWord(low..<limit)
            guard let high = end else { return }
            let content = low..<high
            if isEqual(attribute, "name") || isEqual(attribute, "key") || isEqual(attribute, "id")
                || isEqual(attribute, "property") || isEqual(attribute, "Name")
            {
                if content.count <= Self.nameLimit, let found = read(content, .form) {
                    named = found
                    isIdentified = isEqual(attribute, "id")
                }
            } else if isEqual(attribute, "value") || isEqual(attribute, "content") {
                value = content
            } else if isEqual(attribute, "type"), isEqual(content, "password") {
                named = named ?? SecretName(kind: "password", strength: .password)
            }
            index = isQuoted ? high + 1 : high
        }
        if let named, let value { return takeValue(value, named, isPair: true) }
        guard let name = own ?? (isIdentified ? nil : named), index < text.count, text[index] == UInt8(ascii: ">"),
            text[index - 1] != UInt8(ascii: "/")
        else { return }
        content(from: index + 1, name, of: element)
    }

    /// The end of an attribute without quotation marks (HTML §13.1.2.3).
    private func endOfWord(_ range: Range<Int>) -> Int? {
        text[range].firstIndex { isBlank($0) || $0 == UInt8(ascii: ">") || $0 == UInt8(ascii: "<") }
    }

    private static let data = Array("<![CDATA[".utf8)
    private static let endOfData = Array("]]>".utf8)

    /// - Parameter element: the name in the tag; nil if the end may be that of another element.
    mutating func content(from start: Int, _ name: SecretName, of element: Range<Int>? = nil) {
        var (low, high) = (start, start)
        if start + Self.data.count < text.count, text[start..<start + Self.data.count].elementsEqual(Self.data) {
            low = start + Self.data.count
            if !dataEnd.contains(low) {
                let rest = UnsafeRawBufferPointer(text)
                let end = Self.endOfData.withUnsafeBytes { firstOffset(of: $0, in: rest, from: low) } ?? text.count
                dataEnd = low..<max(low, end)
            }
            high = dataEnd.upperBound
        } else {
            while low < text.count, isBlank(text[low]) { low += 1 }
            high = low
            while high < text.count, text[high] != UInt8(ascii: "<") { high += 1 }
            // Without its end it may be part of a string, which ends first.
            if !isEnd(at: high, of: element), let quote = text[low..<high].firstIndex(of: UInt8(ascii: "\"")) {
                high = quote
                while high > low, text[high - 1] == UInt8(ascii: "\\") { high -= 1 }
            }
            while high > low, isBlank(text[high - 1]) { high -= 1 }
        }
        guard low < high else { return }
        takeValue(low..<high, name, isPair: false)
    }

    private func isEnd(at index: Int, of element: Range<Int>?) -> Bool {
        guard index + 1 < text.count, text[index] == UInt8(ascii: "<") else { return false }
        // In JSON the slash may be escaped.
        let slash = text[index + 1] == UInt8(ascii: "\\") ? index + 2 : index + 1
        guard slash < text.count, text[slash] == UInt8(ascii: "/") else { return false }
        guard let element else { return true }
        return text[(slash + 1)...].starts(with: text[element])
    }
}
