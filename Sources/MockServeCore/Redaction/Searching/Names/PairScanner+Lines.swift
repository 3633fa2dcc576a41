extension PairScanner {
    // MARK: Lines of YAML, of settings, and fields

    /// The rest of a line, or the lines below it that belong to it.
    ///
    /// - Parameter range: of the name.
    mutating func line(from start: Int, _ name: SecretName, of range: Range<Int>) {
        var low = start
        while low < text.count, low - start < Self.gapLimit, isSpace(text[low]) { low += 1 }
        guard low < text.count else { return }
        if isEnd(text[low]) || isBlock(at: low) { return block(below: low, name, of: range) }
        let first = text[low]
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") || first == UInt8(ascii: "`") {
            return isGap(after: low) ? () : takeQuoted(from: low, name, isPair: false)
        }
        // `{token:e.token}` is a script. After the colon of YAML and of fields there is a space.
        guard low > start else { return }
        var high = endOfLine(from: low)
        // Longer lines are of prose or code.
        guard high - low <= Self.lineLimit else { return }
        // `'Authorization: Bearer …'`, as an argument of a command.
        let before = range.lowerBound > 0 ? text[range.lowerBound - 1] : 0
        let quote = "\"'`".utf8.contains(before) ? text[low..<high].firstIndex(of: before) : nil
        high = withinString(low..<high, quote).upperBound
        if let comment = text[low..<high].firstIndex(of: UInt8(ascii: "#")), comment > low, isSpace(text[comment - 1]) {
            high = comment
        }
        while high > low, isSpace(text[high - 1]) { high -= 1 }
        // A value that ends so, or has brackets in it, is code.
        guard high > low, text[high - 1] != UInt8(ascii: ","), text[high - 1] != UInt8(ascii: ";"),
            !text[low..<high].contains(where: { "(){}<>".utf8.contains($0) })
        else { return }
        if SecretName.isExpression(text[low..<high].prefix(Self.judgedLimit)) { return }
        // In prose, somebody may write of passwords.
        let isProse = text[low..<high].contains(0x20)
        takeValue(low..<high, name, isPair: false, isStrict: isProse)
    }

    /// Whether a quotation mark ends a string instead of beginning one: `"Password:", "…"`.
    func isGap(after quote: Int) -> Bool {
        var index = quote + 1
        while index < text.count, index - quote < Self.gapLimit, isBlank(text[index]) { index += 1 }
        return index == text.count || ",:}])>;".utf8.contains(text[index])
    }

    /// In a string of JSON, lines end with the string.
    ///
    /// - Parameter quote: another quotation mark that ends them; nil if there is none.
    private func withinString(_ range: Range<Int>, _ quote: Int? = nil) -> Range<Int> {
        let gap = range.first { text[$0] == UInt8(ascii: "\"") && isGap(after: $0) }
        guard var high = [quote, gap].compactMap({ $0 }).min() else { return range }
        // The quotation mark was escaped.
        while high > range.lowerBound, text[high - 1] == UInt8(ascii: "\\") { high -= 1 }
        return range.lowerBound..<high
    }

    private static let lineLimit = 4096

    private func isEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

    mutating func endOfLine(from low: Int) -> Int {
        if !lineEnd.contains(low) {
            var end = low
            while end < text.count, text[end] >= 0x20 || text[end] == 0x09 { end += 1 }
            lineEnd = low..<max(low, end)
        }
        return lineEnd.upperBound
    }

    /// `|`, `>`, `|-` and so on, at the end of a line: a block scalar (YAML 1.2.2 §8.1).
    private func isBlock(at low: Int) -> Bool {
        guard text[low] == UInt8(ascii: "|") || text[low] == UInt8(ascii: ">") else { return false }
        var index = low + 1
        while index < text.count, index - low < 4, "+-123456789".utf8.contains(text[index]) { index += 1 }
        return index < text.count && isEnd(text[index])
    }

    /// A block scalar, or a list of values.
    private mutating func block(below start: Int, _ name: SecretName, of range: Range<Int>) {
        let isScalar = !isEnd(text[start])
        var (indent, low) = (0, range.lowerBound)
        while low > 0, text[low - 1] == 0x20 || text[low - 1] == UInt8(ascii: "-") {
            low -= 1
            indent += 1
        }
        guard low == 0 || isEnd(text[low - 1]) else { return }
        // Of a block that was read, nothing is read again.
        guard start >= blockEnd else { return }
        let limit = text.count
        var index = start
        while index < limit, !isEnd(text[index]) { index += 1 }
        var scalar: Range<Int>?
        while index < limit {
            while index < limit, isEnd(text[index]) { index += 1 }
            let first = index
            while index < limit, text[index] == 0x20 { index += 1 }
            guard index < limit else { break }
            let (own, begin) = (index - first, index)
            while index < limit, !isEnd(text[index]) { index += 1 }
            if isScalar {
                guard own > indent else { break }
                scalar = (scalar?.lowerBound ?? begin)..<index
            } else {
                guard own >= indent, index - begin > 2, text[begin] == UInt8(ascii: "-"), text[begin + 1] == 0x20 else {
                    break
                }
                listed(begin + 2..<index, name)
            }
        }
        blockEnd = index
        if let scalar { takeValue(withinString(scalar), name, isPair: false) }
    }

    /// An item of a list, perhaps in quotation marks.
    private mutating func listed(_ item: Range<Int>, _ name: SecretName) {
        var item = item
        while !item.isEmpty, isSpace(text[item.upperBound - 1]) { item = item.lowerBound..<item.upperBound - 1 }
        while !item.isEmpty, isSpace(text[item.lowerBound]) { item = item.lowerBound + 1..<item.upperBound }
        if item.count > 1, case let quote = text[item.lowerBound], quote == 0x22 || quote == 0x27,
            text[item.upperBound - 1] == quote
        {
            item = item.lowerBound + 1..<item.upperBound - 1
        } else {
            item = withinString(item)
        }
        // An object.
        guard !text[item].contains(UInt8(ascii: ":")) || takesAll(name) else { return }
        takeValue(item, name, isPair: false)
    }
}
