/// A replaced part: where it was in the original text, and its length before and after.
package struct RedactionEdit: Sendable, Equatable {
    package let offset: Int
    package let count: Int
    package let newCount: Int
}

/// Redacts a text that arrives in pieces.
package struct RedactionStream {
    private enum Way {
        case patterns(PatternStream)
        case search(SecretStream)
        case messages(MessageStream)
    }

    private var way: Way

    init(_ stream: PatternStream) { way = .patterns(stream) }

    init(_ stream: SecretStream) { way = .search(stream) }

    init(_ stream: MessageStream) { way = .messages(stream) }

    /// - Parameter isLast: whether this is the end of the text.
    mutating func push(
        _ bytes: some Collection<UInt8>,
        isLast: Bool,
        into output: inout [UInt8],
        _ notes: inout RedactionNotes
    ) {
        switch way {
        case .patterns(var stream):
            // So that it is not copied when it is changed.
            way = .search(.none)
            stream.push(bytes, isLast: isLast, into: &output, &notes)
            way = .patterns(stream)
        case .search(var stream):
            way = .search(.none)
            stream.push(bytes, isLast: isLast, into: &output, &notes)
            way = .search(stream)
        case .messages(var stream):
            way = .search(.none)
            stream.push(bytes, isLast: isLast, into: &output, &notes)
            way = .messages(stream)
        }
    }

    /// Takes a whole text, piece by piece, so that the memory for searching it stays small.
    mutating func push(all text: [UInt8], into output: inout [UInt8], _ notes: inout RedactionNotes) {
        guard text.count > Self.piece else { return push(text, isLast: true, into: &output, &notes) }
        for start in stride(from: 0, to: text.count, by: Self.piece) {
            push(text[start..<min(start + Self.piece, text.count)], isLast: false, into: &output, &notes)
        }
        push([], isLast: true, into: &output, &notes)
    }

    private static let piece = 256 << 10

    /// Whether the end of a secret was not replaced, because the secret is too long.
    var hasCutSecret: Bool {
        switch way {
        case .patterns(let stream): stream.hasCutSecret
        case .search(let stream): stream.hasCutSecret
        case .messages: false
        }
    }

    /// Why the text was not searched; nil if it was.
    var refusal: String? { if case .messages(let stream) = way { stream.refusal } else { nil } }

    /// The first edits.
    package var edits: [RedactionEdit] {
        switch way {
        case .patterns(let stream): stream.edits
        case .search(let stream): stream.edits
        case .messages(let stream): stream.edits
        }
    }

    var hasAllEdits: Bool {
        switch way {
        case .patterns(let stream): stream.hasAllEdits
        case .search(let stream): stream.hasAllEdits
        case .messages: true
        }
    }
}

/// Holds back as much of a text as the beginning of a secret may need.
struct SecretStream {
    /// Bytes of one secret that are held until its end is seen.
    private static let secretLimit = 1 << 20
    /// Bytes that are gathered before they are searched, in addition to what is held back.
    private static let batch = 64 << 10
    /// Bytes before, which are kept for names.
    private static let contextLimit = 2048
    private static let editLimit = 100_000

    private let redactor: Redactor?
    private var source: SecretSearch.Source
    /// Nothing in JSON is taken for a form, whatever the label says.
    private var isDecided = false
    private let place: String
    private let book: PlaceholderBook?
    private var lookahead: Int
    private var pending: [UInt8] = []
    /// How many of the pending bytes were returned already.
    private var context = 0
    private var threshold: Int
    /// Offset of the first pending byte after the context.
    private var offset = 0
    private(set) var edits: [RedactionEdit] = []
    private(set) var hasAllEdits = true
    private(set) var hasCutSecret = false

    static let none = SecretStream(nil, SecretSearch.Source(isRequest: false), "", nil)

    init(
        _ redactor: Redactor?,
        _ source: SecretSearch.Source,
        _ place: String,
        _ book: PlaceholderBook?
    ) {
        self.redactor = redactor
        self.source = source
        self.place = place
        self.book = book
        lookahead = redactor?.lookahead ?? 0
        threshold = lookahead + Self.batch
    }

    mutating func push(
        _ bytes: some Collection<UInt8>,
        isLast: Bool,
        into output: inout [UInt8],
        _ notes: inout RedactionNotes
    ) {
        pending.append(contentsOf: bytes)
        guard isLast || pending.count >= threshold, let redactor else { return }
        if !isDecided {
            isDecided = true
            source.wide = pending.withUnsafeBufferPointer { TextView.Wide($0) }
            // Of a long body, so many bytes are there at first, however it comes. Of a short one, all is cheap.
            if pending.count >= Self.batch, source.wide == nil {
                source.isOpaque = SecretSearch.isOpaque(pending.prefix(Self.contextLimit))
            }
            if source.place == .form, ContentStart(pending) == .json { source.place = .text }
        }
        source.isOpen = !isLast
        source.isContinued = offset > context
        source.wide?.start = (offset - context) & 1
        lookahead = redactor.lookahead
        let findings = pending.withUnsafeBufferPointer { redactor.findings(in: $0, source) }
        let safe = isLast ? pending.count : max(context, pending.count - lookahead)
        var (copied, end, isOpen) = (context, max(safe, context), false)
        for finding in findings where finding.range.upperBound > context {
            let range = max(finding.range.lowerBound, context)..<finding.range.upperBound
            if !isLast {
                if range.lowerBound >= safe { break }
                // It may go on in the next piece.
                if range.upperBound == pending.count {
                    if range.count < Self.secretLimit {
                        end = range.lowerBound
                        isOpen = true
                        break
                    }
                    hasCutSecret = true
                }
            }
            output += pending[copied..<range.lowerBound]
            let start = output.count
            redactor.replace(finding, Array(pending[range]), source, place, book, false, &output, &notes)
            if finding.how != .placeholder { note(range, newCount: output.count - start) }
            copied = range.upperBound
            end = max(end, copied)
        }
        output += pending[copied..<end]
        for finding in findings where finding.range.upperBound <= end {
            // It must not be found again, nor anything in it.
            for index in finding.range { pending[index] = UInt8(ascii: "-") }
        }
        offset += end - context
        context = min(Self.contextLimit, end)
        pending.removeFirst(end - context)
        // A secret that goes on for long is searched ever less often, so that the time stays linear.
        threshold = pending.count + (isOpen ? max(pending.count, Self.batch) : Self.batch)
    }

    private mutating func note(_ secret: Range<Int>, newCount: Int) {
        guard edits.count < Self.editLimit else {
            hasAllEdits = false
            return
        }
        let start = offset + secret.lowerBound - context
        edits.append(RedactionEdit(offset: start, count: secret.count, newCount: newCount))
    }
}
