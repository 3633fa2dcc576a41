/// Redacts, as `PatternRedactor` does, a text that arrives in pieces. Holds back as much as the beginning of a secret may need.
struct PatternStream {
    /// Bytes of one secret that are held until its end is seen; the rest of a longer one is not replaced.
    private static let secretLimit = 1 << 20
    /// Bytes that are gathered before they are searched, in addition to what is held back.
    private static let batch = 16 << 10
    /// Whether the end of a secret was not replaced, because the secret is longer than `secretLimit`.
    private(set) var hasCutSecret = false

    private static let editLimit = 100_000

    private let lookahead: Int
    private var finder: PatternFinder?
    /// Used instead if the text begins as JSON. Nil once that has been decided.
    private var finderIfJSON: PatternFinder?
    private let place: String
    private let book: PlaceholderBook?
    private var pending: [UInt8] = []
    /// How many of the pending bytes were returned already; they are kept for expressions that look back.
    private var context = 0
    /// How many bytes must be pending before they are searched.
    private var threshold: Int
    /// Offset of the first pending byte after the context.
    private var offset = 0
    /// The first `editLimit` edits.
    private(set) var edits: [RedactionEdit] = []
    private(set) var hasAllEdits = true

    init(
        _ redactor: PatternRedactor,
        finder: PatternFinder?,
        ifJSON: PatternFinder? = nil,
        _ place: String,
        _ book: PlaceholderBook?
    ) {
        lookahead = redactor.lookahead
        self.finder = finder
        finderIfJSON = ifJSON
        self.place = place
        self.book = book
        threshold = lookahead + Self.batch
    }

    /// - Parameter isLast: whether this is the end of the text.
    mutating func push(
        _ bytes: some Collection<UInt8>,
        isLast: Bool,
        into output: inout [UInt8],
        _ notes: inout RedactionNotes
    ) {
        pending.append(contentsOf: bytes)
        guard isLast || pending.count >= threshold else { return }
        if let finderIfJSON {
            if ContentStart(pending) == .json { finder = finderIfJSON }
            self.finderIfJSON = nil
        }
        guard let finder else {
            output += pending[context...]
            pending = []
            context = 0
            return
        }
        let safe = isLast ? pending.count : pending.count - lookahead
        var copied = context
        var position = context
        var kept = max(safe, context)
        var isOpen = false
        while let found = finder.first(in: pending, from: position) {
            if !isLast {
                if found.match.lowerBound >= safe { break }
                // It may continue in the next piece.
                if found.match.upperBound == pending.count, found.match.count < Self.secretLimit {
                    kept = found.match.lowerBound
                    isOpen = true
                    break
                }
                if found.match.upperBound == pending.count, !found.secret.isEmpty { hasCutSecret = true }
            }
            if !found.secret.isEmpty {
                output += pending[copied..<found.secret.lowerBound]
                let start = output.count
                appendPlaceholder(found, into: &output, &notes)
                note(found.secret, newCount: output.count - start)
                copied = found.secret.upperBound
                // What follows must be searched as it would be when redacting again: after a placeholder.
                pending[copied - 1] = UInt8(ascii: "]")
            }
            position = max(found.match.upperBound, position + 1)
            kept = max(kept, copied)
        }
        let end = min(max(kept, copied), pending.count)
        output += pending[copied..<end]
        offset += end - context
        let keptContext = min(1, end)
        pending.removeFirst(end - keptContext)
        context = keptContext
        // A secret that goes on for long is searched ever less often, so that the time stays linear.
        threshold = pending.count + (isOpen ? max(pending.count, Self.batch) : Self.batch)
    }

    private mutating func note(_ secret: Range<Int>, newCount: Int) {
        guard edits.count < Self.editLimit else {
            hasAllEdits = false
            return
        }
        edits.append(
            RedactionEdit(offset: offset + secret.lowerBound - context, count: secret.count, newCount: newCount)
        )
    }

    private func appendPlaceholder(
        _ found: PatternFinder.Found,
        into output: inout [UInt8],
        _ notes: inout RedactionNotes
    ) {
        let value = pending[found.secret]
        // The number of a placeholder, where only kinds count.
        if found.pattern.kind.isEmpty { return }
        if let unnumbered = EarlyPlaceholder.unnumbered(value) {
            output += book == nil ? unnumbered : Array(value)
            return
        }
        if found.pattern.isQuoted { output.append(UInt8(ascii: "\"")) }
        if let book {
            let number = book.number(found.pattern.kind, found.pattern.value ?? Array(value))
            output += notes.add(found.pattern.kind, number, place)
        } else {
            output += EarlyPlaceholder.text(found.pattern.kind).utf8
        }
        if found.pattern.isQuoted { output.append(UInt8(ascii: "\"")) }
    }
}
