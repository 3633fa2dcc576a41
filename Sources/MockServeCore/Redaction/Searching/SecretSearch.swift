import CByteScan

/// What is a secret in a scope: names, shapes, declared values, and what was learned.
final class SecretSearch: Sendable {
    /// What a text is, as far as that matters.
    struct Source {
        var place = PairScanner.Place.text
        var isRequest: Bool
        /// Pictures and the like, in which names mean nothing.
        var isBinary = false
        /// How to read it if it is in UTF-16, as only bodies are.
        var wide: TextView.Wide?
        /// Whether it begins as what is no text, so that nothing in it is escaped.
        var isOpaque = false
        /// Whether what is searched begins within the text, perhaps within a word.
        var isContinued = false
        /// Whether the text goes on after what is searched.
        var isOpen = false
    }

    let declared: LiteralList?
    let names: AddedNames
    let redactsByDefault: Bool
    private let shapes: ShapeFinder
    let longest: Int

    /// The same with other names.
    convenience init(_ other: SecretSearch, names: AddedNames) {
        self.init(other.declared, longest: other.longest, names, redactsByDefault: other.redactsByDefault)
    }

    convenience init(declared: [DeclaredSecret], names: AddedNames, redactsByDefault: Bool) {
        let longest = declared.map(\.value.count).max() ?? 0
        let list = declared.isEmpty ? nil : LiteralList(declared)
        self.init(list, longest: longest, names, redactsByDefault: redactsByDefault)
    }

    private init(_ declared: LiteralList?, longest: Int, _ names: AddedNames, redactsByDefault: Bool) {
        self.declared = declared
        self.names = names
        self.redactsByDefault = redactsByDefault
        shapes = redactsByDefault ? .standard : .placeholders
        self.longest = longest
    }

    /// - Parameter learned: takes part in the search, and learns what is found by its name or shape.
    /// - Returns: what is to be replaced, in order, without overlaps.
    func findings(
        in text: UnsafeBufferPointer<UInt8>,
        _ source: Source,
        _ learned: LearnedSecrets?
    ) -> [Finding] {
        guard text.count > 1 else { return [] }
        var found: [Finding] = []
        let snapshot = learned?.snapshot
        var spared: Set<String> = []
        search(text, nil, source, snapshot, &found, &spared)
        let views = source.isOpaque ? [] : Self.views(of: text, source.wide)
        for view in views {
            var deeper: [Finding] = []
            view.bytes.withUnsafeBufferPointer { search($0, view, source, snapshot, &deeper, &spared) }
            // The value of a name ends where it does in the text as it arrived.
            let known = Set(found.lazy.filter { $0.isNamed }.map(\.range.lowerBound))
            found += deeper.filter { !$0.isNamed || !known.contains($0.range.lowerBound) }
        }
        if !source.isOpaque, !source.isBinary {
            encoded(text, nil, source, snapshot, &found, &spared)
            for view in views {
                view.bytes.withUnsafeBufferPointer { encoded($0, view, source, snapshot, &found, &spared) }
            }
        }
        if let learned, !spared.isEmpty {
            // A name may hold a secret too.
            learned.noteSpared(
                spared.filter { Array($0.utf8).withUnsafeBufferPointer { known(in: $0, learned) } == nil }
            )
        }
        guard !found.isEmpty else { return [] }
        if let learned {
            let new = found.filter { !$0.isOpen && ($0.how == .name || $0.how == .shape) }
            learned.learn(
                (new.flatMap(\.within) + new).map {
                    LearnedSecrets.Lesson(
                        kind: $0.kind,
                        value: $0.value,
                        spellings: $0.spellings,
                        isKey: $0.how == .shape
                    )
                }
            )
            if let now = learned.snapshot, now.version != snapshot?.version ?? 0 {
                literals(text, nil, nil, now, &found)
                for view in views { view.bytes.withUnsafeBufferPointer { literals($0, view, nil, now, &found) } }
            }
        }
        return Self.merged(found)
    }

    /// Whether a text that begins like this is none: it has many controls in it.
    static func isOpaque(_ beginning: ArraySlice<UInt8>) -> Bool {
        beginning.withUnsafeBufferPointer { text in
            guard let base = text.baseAddress else { return false }
            return mockserve_count_controls(base, text.count) * 16 > text.count
        }
    }

    static func views(of text: UnsafeBufferPointer<UInt8>, _ wide: TextView.Wide?) -> [TextView] {
        var views: [TextView] = []
        if let wide { views.append(TextView(text, wide)) }
        for _ in 0..<TextView.levels {
            let next =
                if let last = views.last {
                    last.bytes.withUnsafeBufferPointer { TextView.decoded($0, from: last.offsets) }
                } else {
                    TextView.decoded(text, from: nil)
                }
            guard let next else { break }
            views.append(next)
        }
        return views
    }

    /// The one pass over a text: names, shapes and literals.
    func search(
        _ text: UnsafeBufferPointer<UInt8>,
        _ view: TextView?,
        _ source: Source,
        _ learned: LearnedSecrets.Snapshot?,
        _ found: inout [Finding],
        _ spared: inout Set<String>
    ) {
        guard let base = text.baseAddress else { return }
        var place = source.place
        // What is within a value of a form may be anything.
        if view != nil, place == .form { place = .text }
        let readsNames = !source.isBinary && (redactsByDefault || !names.isEmpty)
        var scanner = PairScanner(
            text,
            place,
            source,
            names,
            readsNames: redactsByDefault,
            offsets: view?.offsets
        )
        var walks = Walks(declared, learned)
        let (triggers, anchors) = (PairScanner.triggers.bytes, shapes.beginnings.words)
        let known = walks.beginnings ?? Self.nothing
        let (first, literals) = (known.words, walks.beginnings != nil)
        let (shapePairs, literalPairs) = (shapes.beginnings.pairs, known.pairs)
        let triggerMask: UInt64 = readsNames ? 1 : 0
        var (nextShape, shapeState) = (0, ShapeFinder.State())
        func takeKey(_ key: ShapeFinder.Found, _ found: inout [Finding]) {
            if key.range.lowerBound == 0, source.isContinued { return }
            take(key, text, view, &found)
        }
        var position = 0
        let end = text.count - LiteralAutomaton.shortest
        while position <= end {
            position = mockserve_next_pair(base, position, end + 1, shapePairs, literalPairs)
            guard position <= end else { break }
            let word = UnsafeRawPointer(base + position).loadUnaligned(as: UInt32.self)
            let anchor = PrefixFilter.hash(word & 0xFF_FFFF)
            let literal = PrefixFilter.hash(word)
            let isAnchor = anchors[anchor >> 6] >> UInt64(anchor & 63)
            let isLiteral = first[literal >> 6] >> UInt64(literal & 63)
            if (UInt64(triggers[Int(word & 0xFF)]) & triggerMask | isAnchor | isLiteral) & 1 == 0 {
                position += 1
                continue
            }
            if isAnchor & 1 != 0, position >= nextShape,
                let key = shapes.key(text, position, isOpen: source.isOpen, &shapeState)
            {
                takeKey(key, &found)
                nextShape = key.range.upperBound
            }
            if literals, isLiteral & 1 != 0 {
                walks.look(at: position, text) { take($0, $1, isPlain: $2, text, view, &found) }
            }
            if triggers[Int(word & 0xFF)] & UInt8(triggerMask) != 0 { scanner.look(at: position) }
            position += 1
        }
        while position < text.count {
            if readsNames, triggers[Int(base[position])] != 0 { scanner.look(at: position) }
            if position + 3 == text.count, position >= nextShape,
                let key = shapes.key(text, position, isOpen: source.isOpen, &shapeState)
            {
                takeKey(key, &found)
            }
            position += 1
        }
        for pair in scanner.found { take(pair, text, view, &found) }
        if !scanner.spared.isEmpty { spared.formUnion(scanner.spared) }
        guard redactsByDefault else { return }
        if source.place == .target, view == nil { segments(text, source, &found) }
        // What begins as JSON or XML is none; in a string of one, it has line ends that were decoded.
        if view != nil || !"{[<".utf8.contains(text[0]) {
            NetrcEntry.forEachPassword(in: text) { range in
                let name = SecretName(kind: "password", strength: .password)
                take(PairScanner.Found(range: range, name: name), text, view, &found)
            }
        }
        PEMBlock.forEach(in: text) { range in
            let raw = Array(text[range])
            let value = TextView.plain(raw[...])
            let origin = view?.origin(range) ?? range
            var finding = Finding(range: origin, kind: "private-key", value: value, form: .pem, how: .shape)
            // Each line tells where it is, however the lines are joined.
            let lines = raw.split(whereSeparator: { $0 <= 0x20 }).filter { $0.count >= 24 }
            finding.spellings = lines.prefix(100).map { Array($0) }
            found.append(finding)
        }
    }

    private static let nothing = PrefixFilter()

    /// The kind of a declared or learned secret in a text.
    func known(in text: UnsafeBufferPointer<UInt8>, _ learned: LearnedSecrets?) -> String? {
        var found: [Finding] = []
        literals(text, nil, declared, learned?.snapshot, &found)
        return found.first?.kind
    }

    /// Literals only.
    private func literals(
        _ text: UnsafeBufferPointer<UInt8>,
        _ view: TextView?,
        _ declared: LiteralList?,
        _ learned: LearnedSecrets.Snapshot?,
        _ found: inout [Finding]
    ) {
        guard let base = text.baseAddress else { return }
        var walks = Walks(declared, learned)
        guard let beginnings = walks.beginnings else { return }
        var position = 0
        let end = text.count - LiteralAutomaton.shortest
        while position <= end {
            position = mockserve_next_pair(base, position, end + 1, beginnings.pairs, beginnings.pairs)
            guard position <= end else { break }
            let word = UnsafeRawPointer(base + position).loadUnaligned(as: UInt32.self)
            if beginnings.contains(PrefixFilter.hash(word)) {
                walks.look(at: position, text) { take($0, $1, isPlain: $2, text, view, &found) }
            }
            position += 1
        }
    }

    /// The lists of literals that are looked for, and how far each has come.
    private struct Walks {
        private let lists: [LiteralList]
        private var next: [Int]
        let beginnings: PrefixFilter?

        init(_ declared: LiteralList?, _ learned: LearnedSecrets.Snapshot?) {
            lists = (learned?.lists ?? []) + (declared.map { [$0] } ?? [])
            next = Array(repeating: 0, count: lists.count)
            beginnings =
                switch (declared, learned) {
                case (nil, nil): nil
                case (let declared?, nil): declared.beginnings
                case (nil, let learned?): learned.beginnings
                case (let declared?, let learned?): learned.beginnings(with: declared)
                }
        }

        mutating func look(
            at position: Int,
            _ text: UnsafeBufferPointer<UInt8>,
            _ body: (_ range: Range<Int>, DeclaredSecret, _ isPlain: Bool) -> Void
        ) {
            for index in lists.indices where next[index] <= position {
                next[index] = lists[index].walk(from: position, text, body)
            }
        }
    }

    func take(
        _ key: ShapeFinder.Found,
        _ text: UnsafeBufferPointer<UInt8>,
        _ view: TextView?,
        _ found: inout [Finding]
    ) {
        let (range, shape) = (key.range, key.shape)
        let value = Array(text[range])
        let origin = view?.origin(range) ?? range
        guard !shape.kind.isEmpty else {
            if !key.isOpen {
                found.append(Finding(range: origin, kind: "", value: value, form: .text, how: .placeholder))
            }
            return
        }
        var finding = Finding(range: origin, kind: shape.kind, value: value, form: .init(value[...]), how: .shape)
        finding.isChecked = shape.check?.matches(value[...]) ?? false
        finding.isOpen = key.isOpen
        found.append(finding)
    }

    func take(
        _ pair: PairScanner.Found,
        _ text: UnsafeBufferPointer<UInt8>,
        _ view: TextView?,
        _ found: inout [Finding]
    ) {
        let raw = Array(text[pair.range])
        let origin = view?.origin(pair.range) ?? pair.range
        if Placeholder.form(of: raw[...]) != nil {
            let form: Placeholder.Form = pair.isNumber ? .number : .text
            let kind = pair.name.kind
            var finding = Finding(range: origin, kind: kind, value: raw, form: form, how: .placeholder)
            finding.isNamed = true
            finding.apart = pair.name.apart
            return found.append(finding)
        }
        let value = TextView.plain(raw[...])
        let form: Placeholder.Form = pair.isNumber ? .number : .init(value[...])
        var finding = Finding(range: origin, kind: pair.name.kind, value: value, form: form, how: .name)
        finding.spellings = TextView.spellings(raw)
        finding.isNamed = true
        finding.apart = pair.name.apart
        found.append(finding)
    }

    func take(
        _ range: Range<Int>,
        _ secret: DeclaredSecret,
        isPlain: Bool,
        _ text: UnsafeBufferPointer<UInt8>,
        _ view: TextView?,
        _ found: inout [Finding]
    ) {
        var range = range
        if isPlain {
            // A short one may be part of something else.
            if secret.isLearned, secret.value.count < 16, !Self.isWhole(range, text) { return }
        } else {
            range = Self.base64Run(range, text)
        }
        let isNumber = isPlain && Self.isJSONNumber(range, text)
        found.append(
            Finding(
                range: view?.origin(range) ?? range,
                kind: Placeholder.kind(secret.kind),
                value: secret.value,
                form: isNumber ? .number : isPlain ? .init(secret.value[...]) : .base64,
                how: secret.isLearned ? .learned : .declared
            )
        )
    }

    /// Whether there is a number of JSON in a range: digits after a colon, a comma or a bracket.
    private static func isJSONNumber(_ range: Range<Int>, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text[range].allSatisfy({ $0 &- 0x30 < 10 }) else { return false }
        var before = range.lowerBound
        while before > 0, range.lowerBound - before < 8, text[before - 1] <= 0x20 { before -= 1 }
        let end = range.upperBound
        return before > 0 && ":,[".utf8.contains(text[before - 1])
            && (end == text.count || text[end] <= 0x20 || ",]}".utf8.contains(text[end]))
    }

    private static func isWord(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 }

    private static func isWhole(_ range: Range<Int>, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        (range.lowerBound == 0 || !isWord(text[range.lowerBound - 1]) || !isWord(text[range.lowerBound]))
            && (range.upperBound == text.count || !isWord(text[range.upperBound])
                || !isWord(text[range.upperBound - 1]))
    }

    /// The whole of a base64 text that holds a secret, unless it is long: then only what shares bits with it.
    private static func base64Run(_ range: Range<Int>, _ text: UnsafeBufferPointer<UInt8>) -> Range<Int> {
        func isBase64(_ byte: UInt8) -> Bool {
            isWord(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "_")
        }
        var (low, high) = (range.lowerBound, range.upperBound)
        while low > 0, range.lowerBound - low < 1024, isBase64(text[low - 1]) { low -= 1 }
        while high < text.count, high - range.upperBound < 1024, isBase64(text[high]) { high += 1 }
        while high < text.count, text[high] == UInt8(ascii: "="), high - range.upperBound < 1026 { high += 1 }
        return low..<high
    }
}
