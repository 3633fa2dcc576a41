/// Finds values by their names, in any text: members of JSON, pairs of queries and forms, elements and attributes of XML
/// and HTML, parts of multipart bodies, lines of YAML and of settings, assignments of scripts; and the users of URLs.
///
/// Nothing is parsed as a whole: at a character that comes between a name and its value, the name is read backwards and
/// the value forwards. So it works on a piece of a text, on a text of a wrong label, and on one within another.
struct PairScanner {
    /// Where a text is, which says what ends a value.
    enum Place: Sendable {
        /// A query, where only `&` and `#` end a value.
        case target
        /// A form, where only `&` and the end of the line do.
        case form
        case text
    }

    struct Found {
        let range: Range<Int>
        let name: SecretName
        /// Whether it is a number of JSON.
        var isNumber = false
    }

    /// How far a name goes at most, and what comes between it and its value.
    static let nameLimit = 128
    static let gapLimit = 64
    static let tagLimit = 2048

    let text: UnsafeBufferPointer<UInt8>
    let place: Place
    let isRequest: Bool
    let isOpen: Bool
    private let isContinued: Bool
    let names: AddedNames
    private let memo = SecretName.memo
    private let nameBytes = Self.nameBytes.bytes
    /// Where each byte of a decoded text comes from.
    private let offsets: [Int32]?
    /// Whether other names than the added ones count.
    let readsNames: Bool
    private(set) var found: [Found] = []
    /// Names of secrets whose values are none, for telling the user.
    private(set) var spared: Set<String> = []
    private static let sparedLimit = 16
    /// Where the last value that was found ends: nothing is looked for in it.
    var covered = 0

    init(
        _ text: UnsafeBufferPointer<UInt8>,
        _ place: Place,
        _ source: SecretSearch.Source,
        _ names: AddedNames,
        readsNames: Bool,
        offsets: [Int32]? = nil
    ) {
        self.offsets = offsets
        (self.text, self.place, self.isRequest, self.names) = (text, place, source.isRequest, names)
        (isOpen, isContinued) = (source.isOpen, source.isContinued)
        self.readsNames = readsNames
    }

    mutating func take(_ found: Found) {
        self.found.append(found)
        covered = max(covered, found.range.upperBound)
    }

    /// 1 for what comes between a name and its value.
    static let triggers = ByteTable { byte in "=:<".utf8.contains(byte) ? 1 : 0 }

    /// Looks at what is around such a byte.
    mutating func look(at index: Int) {
        guard index >= covered else { return }
        switch text[index] {
        case UInt8(ascii: "="): assignment(at: index)
        case UInt8(ascii: ":"): colon(at: index)
        default: tag(at: index)
        }
    }

    // MARK: Names

    private static let nameBytes = ByteTable { byte in
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte >= 0x80 || "_-.[]$@%".utf8.contains(byte) ? 1 : 0
    }

    @inline(__always)
    func isNameByte(_ byte: UInt8) -> Bool { nameBytes[Int(byte)] != 0 }

    /// The name that ends before `end`.
    func name(before end: Int) -> Range<Int>? {
        var low = end
        while low > 0, end - low <= Self.nameLimit, isNameByte(text[low - 1]) { low -= 1 }
        // Of a name that is cut, nothing is known.
        if low == 0, isContinued { return nil }
        return low < end && end - low <= Self.nameLimit ? low..<end : nil
    }

    func isEqual(_ range: Range<Int>, _ literal: StaticString) -> Bool {
        guard range.count == literal.utf8CodeUnitCount else { return false }
        for index in 0..<range.count where text[range.lowerBound + index] != literal.utf8Start[index] { return false }
        return true
    }

    /// Whether two quotation marks were escaped alike: others are of different texts, one of which holds the other.
    func areAlike(_ one: Int, _ other: Int) -> Bool {
        guard let offsets else { return true }
        return offsets[one + 1] - offsets[one] == offsets[other + 1] - offsets[other]
    }

    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    func read(_ name: Range<Int>, _ kind: AddedNames.Place) -> SecretName? {
        let bytes = text[name]
        if !names.isEmpty, let known = names.find(bytes, kind) { return known.isKept ? nil : known.name }
        return readsNames ? SecretName.read(bytes, memo) : nil
    }

    // MARK: name=value

    private mutating func assignment(at index: Int) {
        var end = index
        if place == .text, end > 0, isSpace(text[end - 1]) {
            while end > 0, index - end < 8, isSpace(text[end - 1]) { end -= 1 }
        }
        // `'password'] = …`, `"password" = …`
        while end > 0, index - end < 12, [UInt8(ascii: "\""), UInt8(ascii: "'")].contains(text[end - 1]), place == .text
        {
            end -= 1
        }
        guard let range = name(before: end) else { return }
        let start = index + 1
        // `a == b`, `a => b` and the like are code.
        guard start < text.count, text[start] != UInt8(ascii: "="), text[start] != UInt8(ascii: ">") else { return }
        // In a text, what precedes the name says whether this is a query, or a line of settings.
        let previous = range.lowerBound > 0 ? text[range.lowerBound - 1] : 0x0A
        let isQuery = previous == UInt8(ascii: "?") || previous == UInt8(ascii: "&") || previous == UInt8(ascii: "#")
        let found = read(range, place == .target || place == .text && isQuery ? .query : .form)
        // `Key=DB_PASSWORD&Value=…`
        if found == nil || found?.strength == .vague, place != .text || isQuery, namedPair(range, from: start) {
            return
        }
        if let found {
            let isPair = place != .text || isQuery || previous == 0x0A || previous == 0x0D
            return takeAssigned(from: start, found, after: range.lowerBound, isQuery: isQuery, isPair: isPair)
        }
        // `name="password"` in the head of a part.
        guard isEqual(range, "name") else { return }
        part(after: start)
    }

    /// - Parameter before: of the name, where it begins.
    private mutating func takeAssigned(
        from start: Int,
        _ name: SecretName,
        after before: Int,
        isQuery: Bool,
        isPair: Bool
    ) {
        var low = start
        if place == .text { while low < text.count, low - start < 8, isSpace(text[low]) { low += 1 } }
        guard low < text.count else { return }
        let quote = text[low]
        if place == .text, !isQuery,
            quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") || quote == UInt8(ascii: "`")
        {
            return isGap(after: low) ? () : takeQuoted(from: low, name, isPair: isPair, isStrict: !isPair)
        }
        let high = endOfValue(from: low)
        let judgedValue = text[low..<high].prefix(Self.judgedLimit)
        if place == .text, !isQuery, high < text.count {
            // A call, or the first of several words.
            if text[high] == UInt8(ascii: "(") || SecretName.isExpression(judgedValue) { return }
            // In code, what is assigned without quotation marks is seldom a value. Shells write names in capitals.
            let isShell = !text[before..<low].contains { $0 &- 0x61 < 26 }
            if !isPair, !isShell, !SecretName.looksRandom(judgedValue) { return }
            if text[high] == 0x20, high + 1 < text.count, (text[high + 1] | 0x20) &- 0x61 < 26,
                !SecretName.looksRandom(judgedValue)
            {
                return
            }
        }
        takeValue(low..<high, name, isPair: isPair, isStrict: !isPair)
    }

    /// Where values ended that were looked at last, so that a text without ends is not read again and again.
    private var valueEnd = 0..<0
    var lineEnd = 0..<0
    private var partEnd = 0..<0
    var dataEnd = 0..<0
    /// Where the last block of YAML ended that was read.
    var blockEnd = 0
    /// The last quotation mark of the name whose value is looked at.
    var nameQuote: Int?

    mutating func endOfValue(from low: Int) -> Int {
        if valueEnd.contains(low) { return valueEnd.upperBound }
        var high = low
        while high < text.count, !endsValue(text[high]) { high += 1 }
        valueEnd = low..<max(low, high)
        return high
    }

    private func endsValue(_ byte: UInt8) -> Bool {
        switch place {
        case .target: return byte == UInt8(ascii: "&") || byte == UInt8(ascii: "#") || byte <= 0x20
        case .form: return byte == UInt8(ascii: "&") || byte == 0x0A || byte == 0x0D
        case .text:
            if byte <= 0x20 { return true }
            switch byte {
            case UInt8(ascii: "&"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "<"), UInt8(ascii: ">"),
                UInt8(ascii: ";"), UInt8(ascii: ","), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "("),
                UInt8(ascii: ")"), UInt8(ascii: "\\"), UInt8(ascii: "`"):
                return true
            default: return false
            }
        }
    }

    /// A value in quotation marks, of which the first is at `start`.
    mutating func takeQuoted(from start: Int, _ name: SecretName, isPair: Bool, isStrict: Bool = false) {
        var high = endOfString(from: start + 1, text[start]) ?? text.count
        let double = UInt8(ascii: "\"")
        // It is not closed, or goes from one string of JSON into another, so it is no string.
        if high == text.count && !isOpen || text[start] != double && text[start + 1..<high].contains(double) {
            high = endOfValue(from: start + 1)
        }
        takeValue(start + 1..<high, name, isPair: isPair, isStrict: isStrict)
    }

    /// - Parameter start: after the quotation mark at its beginning.
    func endOfString(from start: Int, _ quote: UInt8) -> Int? {
        var index = start
        while index < text.count {
            let byte = text[index]
            if byte == quote { return index }
            guard byte == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            // One of the text around it ends that text, so it cannot be escaped in this one.
            if index + 1 < text.count, text[index + 1] == quote, isWithin(start - 1, index + 1) { return index + 1 }
            index += 2
        }
        return nil
    }

    /// Whether a character was escaped more often than another.
    private func isWithin(_ inner: Int, _ outer: Int) -> Bool {
        guard let offsets else { return false }
        return offsets[inner + 1] - offsets[inner] > offsets[outer + 1] - offsets[outer]
    }

    /// - Parameter isStrict: whether the value is looked at closely even in a request.
    mutating func takeValue(_ range: Range<Int>, _ name: SecretName, isPair: Bool, isStrict: Bool = false) {
        guard !range.isEmpty else { return }
        if Self.cookies.contains(name.kind), text[range].contains(UInt8(ascii: "=")) {
            return takeCookies(range, name)
        }
        let range = withoutScheme(range)
        guard !holdsPlaceholder(range) else { return }
        guard admits(range, name, isPair: isPair, isRequest: isRequest && (!isStrict || name.apart != nil)) else {
            if spared.count < Self.sparedLimit, name.isTelling { spared.insert(name.kind) }
            return
        }
        take(Found(range: range, name: name))
    }

    /// Whether there is a placeholder within the value: it has been judged before.
    func holdsPlaceholder(_ range: Range<Int>) -> Bool {
        guard range.count > 10 else { return false }
        let value = UnsafeBufferPointer(rebasing: text[range].prefix(Self.judgedLimit))
        guard Placeholder.form(of: ArraySlice(Array(value))) == nil else { return false }
        var isFound = false
        ShapeFinder.placeholders.forEachKey(in: value) { _, _ in isFound = true }
        return isFound
    }

    static let judgedLimit = 1024

    /// What a value says is judged once it is decoded.
    private func admits(_ range: Range<Int>, _ name: SecretName, isPair: Bool, isRequest: Bool) -> Bool {
        // The beginning tells.
        let value = text[range].prefix(Self.judgedLimit)
        guard value.contains(UInt8(ascii: "\\")) || value.contains(UInt8(ascii: "&")) else {
            return name.admits(value, isRequest: isRequest, isPair: isPair)
        }
        return TextView.plain(ArraySlice(Array(value))).withUnsafeBufferPointer {
            name.admits($0[...], isRequest: isRequest, isPair: isPair)
        }
    }

    /// Without `Bearer ` and the like, which stay readable.
    func withoutScheme(_ range: Range<Int>) -> Range<Int> {
        guard let space = text[range].prefix(24).firstIndex(of: 0x20), space + 1 < range.upperBound,
            RedactionCatalog.schemes.contains(
                String(decoding: text[range.lowerBound..<space].map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
            )
        else { return range }
        return space + 1..<range.upperBound
    }

    /// The body of a part whose name is at `start`, perhaps in quotation marks.
    private mutating func part(after start: Int) {
        var low = start
        if text[low] == UInt8(ascii: "\"") { low += 1 }
        var high = low
        while high < text.count, high - low < Self.nameLimit, isNameByte(text[high]) { high += 1 }
        guard low < high, let name = read(low..<high, .form) else { return }
        // The blank line after the head.
        var index = high
        while index + 3 < text.count, index - high < Self.tagLimit {
            let isBare = text[index] == 0x0A && text[index + 1] == 0x0A
            if isBare
                || text[index] == 0x0D && text[index + 1] == 0x0A && text[index + 2] == 0x0D && text[index + 3] == 0x0A
            {
                let body = index + (isBare ? 2 : 4)
                if !partEnd.contains(body) { partEnd = body..<max(body, endOfPart(from: body)) }
                return takeValue(body..<partEnd.upperBound, name, isPair: true)
            }
            index += 1
        }
    }

    private func endOfPart(from body: Int) -> Int {
        var end = body
        while end < text.count {
            let line = text[end] == 0x0D ? end + 1 : end
            if line + 2 < text.count, text[line] == 0x0A, text[line + 1] == 0x2D, text[line + 2] == 0x2D { break }
            end += 1
        }
        return end
    }

    // MARK: name: value

    private mutating func colon(at index: Int) {
        guard index > 0, index + 1 < text.count else { return }
        if text[index + 1] == UInt8(ascii: "/"), index + 2 < text.count, text[index + 2] == UInt8(ascii: "/") {
            return url(at: index)
        }
        var end = index
        while end > 0, index - end < Self.gapLimit, isBlank(text[end - 1]) { end -= 1 }
        guard end > 0 else { return }
        let quote = text[end - 1]
        if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            // One that was escaped belongs to a text within this one.
            guard end < 2 || text[end - 2] != UInt8(ascii: "\\") else { return }
            var low = end - 1
            while low > 0, end - low <= Self.nameLimit, text[low - 1] != quote, text[low - 1] >= 0x20 { low -= 1 }
            guard low > 0, text[low - 1] == quote else { return }
            let range = low..<end - 1
            if range.count <= 2, keyPart(range, at: index) { return }
            let name = read(range, .json)
            if name == nil || name?.strength == .vague, named(range, at: index) { return }
            if let name { member(from: index + 1, name, after: end - 1) }
            return
        }
        guard place == .text, let range = name(before: end) else { return }
        if let name = read(range, .json) {
            line(from: index + 1, name, of: range)
        } else if range.count <= 4 {
            namedLine(range, at: index)
        }
    }

}
