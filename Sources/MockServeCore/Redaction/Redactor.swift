package import HTTPMessages

/// Replaces secrets in messages with placeholders.
///
/// What it takes for a secret follows from the rules of a cassette, from declared secrets, and from what the scope has
/// come across (`LearnedSecrets`). It is used in two ways: with numbered placeholders for what is written, and with one
/// word for what is compared, so that all secrets are equal there. Redacting twice gives the same as redacting once.
package final class Redactor: Sendable {
    /// For cassettes of earlier versions.
    private let patterns: PatternRedactor?
    private let search: SecretSearch
    let learned: LearnedSecrets?
    private let book: PlaceholderBook?
    /// In lower case; nil for one that is kept.
    let fields: [String: SecretName?]
    let keptCookies: Set<String>
    /// Kinds of secrets by which requests are told apart.
    private let toldApart: Set<String>

    /// Bytes that a search must see at once to recognise the beginning of every secret.
    var lookahead: Int { max(declaredLookahead, (learned?.snapshot?.longest ?? 0) * 6 + 512) }

    private let declaredLookahead: Int

    /// The default redaction where there are no rules, such as in the journal of a server without a cassette.
    package static let standard = Redactor([.catalog(RedactionCatalog.version)], KnownSecrets(), isCurrent: true)

    /// - Parameter isCurrent: whether new placeholders are used even without the default redaction.
    /// - Returns: nil if there is nothing to redact.
    package static func `for`(_ rules: [RedactionRule], _ secrets: KnownSecrets, isCurrent: Bool) -> Redactor? {
        if rules.isEmpty, secrets.declared.isEmpty { return nil }
        return Redactor(rules, secrets, isCurrent: isCurrent)
    }

    /// Whether two take the same for secrets.
    package static func isSame(_ one: Redactor?, _ other: Redactor?) -> Bool {
        one === other
            || one?.rules == other?.rules && one?.learned === other?.learned && one?.isNew == other?.isNew
                && one?.secrets == other?.secrets
    }

    private let rules: Set<RedactionRule>
    private let secrets: Set<DeclaredSecret>
    private let isNew: Bool

    private init(_ rules: [RedactionRule], _ secrets: KnownSecrets, isCurrent: Bool) {
        self.rules = Set(rules.filter { if case .secret = $0 { false } else { true } })
        self.secrets = Set(secrets.declared)
        let version = rules.compactMap { if case .catalog(let version) = $0 { version } else { nil } }.max() ?? 0
        isNew = isCurrent && version == 0 || version >= RedactionCatalog.firstSearched
        patterns = isNew ? nil : PatternRedactor(rules, secrets: secrets.declared)
        let needsMemory = rules.contains { if case .tellApart = $0 { true } else { false } }
        learned = isNew ? secrets.learned ?? (needsMemory ? LearnedSecrets() : nil) : nil
        book = secrets.book
        var (names, fields, cookies) = (AddedNames(), [String: SecretName?](), Set<String>())
        func add(_ place: RedactionRule.Place, _ name: String, isKept: Bool) {
            switch place {
            case .field:
                let added = SecretName(kind: Placeholder.kind(name), strength: .strong)
                fields.updateValue(isKept ? nil : added, forKey: name.lowercased())
            case .cookie: if isKept { cookies.insert(name) }
            case .query: names.add(name, .query, isKept: isKept)
            case .form: names.add(name, .form, isKept: isKept)
            case .json: names.add(name, .json, isKept: isKept)
            }
        }
        // What is kept comes first.
        for rule in rules { if case .keep(let place, let name) = rule { add(place, name, isKept: true) } }
        var apart: Set<String> = []
        for rule in rules {
            switch rule {
            case .catalog, .secret, .keep: break
            case .tellApart(let place, let name):
                let known = place == .cookie ? SecretName(kind: "cookie", strength: .strong) : SecretName.read(name)
                if known == nil { add(place, name, isKept: false) }
                apart.insert(known?.kind ?? Placeholder.kind(name))
            case .field(let name): add(.field, name, isKept: false)
            case .query(let name): add(.query, name, isKept: false)
            case .form(let name): add(.form, name, isKept: false)
            case .json(let name): add(.json, name, isKept: false)
            }
        }
        (self.fields, keptCookies, toldApart) = (fields, cookies, apart)
        search = SecretSearch(declared: secrets.declared, names: names, redactsByDefault: version > 0)
        declaredLookahead = max(4096, search.longest * 12 + 512)
    }

    /// Makes sure that everything can be searched for. To be called before anything is redacted.
    ///
    /// - Throws: `RuleError` if names and declared secrets are too many for a cassette of an earlier version.
    package func check() throws(RuleError) { try patterns?.check() }

    /// Bytes of the longest spelling of a known secret.
    package var longestKnown: Int { max(LearnedSecrets.sizes.upperBound, search.longest) * 2 }

    /// Whether there is anything that could be found by `knownSecret`.
    package var knowsSecrets: Bool { patterns == nil && (search.declared != nil || learnedVersion > 0) }

    /// The kind of a declared or learned secret in these bytes, plain or in base64; nil if there is none.
    package func knownSecret(in bytes: [UInt8]) -> String? {
        guard patterns == nil else { return nil }
        return bytes.withUnsafeBufferPointer { search.known(in: $0, learned) }
    }

    /// Whether requests are told apart by secrets, in order of their first use.
    package var tellsApart: Bool { !toldApart.isEmpty }

    /// Changes whenever something was learned.
    package var learnedVersion: Int { learned?.version ?? 0 }

    /// The same without what was learned.
    var unlearned: Redactor { Redactor(self) }

    private init(_ other: Redactor) {
        (patterns, search, learned, book, fields) = (other.patterns, other.search, nil, other.book, other.fields)
        (keptCookies, toldApart, declaredLookahead) = (other.keptCookies, other.toldApart, other.declaredLookahead)
        (rules, secrets, isNew) = (other.rules, other.secrets, other.isNew)
    }

    var redactsByDefault: Bool { search.redactsByDefault }

    // MARK: Searching

    func findings(in text: UnsafeBufferPointer<UInt8>, _ source: SecretSearch.Source) -> [SecretSearch.Finding] {
        search.findings(in: text, source, learned)
    }

    /// Appends what stands for a secret.
    ///
    /// - Parameters:
    ///   - raw: as it is in the text.
    ///   - book: numbers the placeholders; nil for what is compared.
    ///   - isExact: whether what we have served is told apart where requests are compared.
    func replace(
        _ finding: SecretSearch.Finding,
        _ raw: [UInt8],
        _ source: SecretSearch.Source,
        _ place: String,
        _ book: PlaceholderBook?,
        _ isExact: Bool,
        _ output: inout [UInt8],
        _ notes: inout RedactionNotes
    ) {
        let isWide = raw.count > 4 && raw.count % 2 == 0 && (raw[0] == 0) != (raw[1] == 0)
        func append(_ bytes: [UInt8]) {
            // Within a text of UTF-16.
            for byte in bytes {
                if isWide { output += raw[0] == 0 ? [0, byte] : [byte, 0] } else { output.append(byte) }
            }
        }
        // What is compared may be compared again, under other rules.
        if book == nil, Placeholder.isCompared(finding.value) { return append(finding.value) }
        let isNumber = if case .number = finding.form { true } else { false }
        if book == nil, source.isRequest, toldApart.contains(finding.kind), let learned {
            // Those of a file are numbered for themselves.
            let space = finding.how == .placeholder ? "file \(finding.kind)" : finding.kind
            let text = Array("redacted.\(learned.ordinal(space, finding.value))".utf8)
            return append(isNumber ? [0x22] + text + [0x22] : text)
        }
        // A number may look like a placeholder by chance.
        let isReal =
            !isNumber || book.map { (Placeholder.form(of: finding.value[...])?.number ?? 0) <= $0.highest } ?? true
        if finding.how == .placeholder, isReal {
            if source.isRequest, let known = Placeholder.form(of: finding.value[...]) { notes.noteServed(known) }
            if book != nil { return output += raw }
            let known = isExact ? Placeholder.form(of: finding.value[...]) : nil
            let text = known.flatMap { $0.isOwn ? nil : Array("redacted.\($0.number)".utf8) } ?? Placeholder.compared
            return append(isNumber ? [0x22] + text + [0x22] : text)
        }
        guard let book else {
            if isExact, let known = self.book?.known(finding.value), !known.isOwn {
                return append(Array("redacted.\(known.number)".utf8))
            }
            return append(isNumber ? [0x22] + Placeholder.compared + [0x22] : Placeholder.compared)
        }
        let placeholder = book.placeholder(finding.kind, finding.value, isOwn: source.isRequest)
        if source.isRequest { notes.noteServed(placeholder) }
        append(placeholder.bytes(finding.form, finding.value[...], book) { knownSecret(in: Array($0.utf8)) != nil })
        notes.add(placeholder, place, finding.reason)
    }

    // MARK: Messages

    /// - Parameter book: numbers the placeholders; nil for what is compared.
    package func redact(_ head: RequestHead, _ book: PlaceholderBook?, _ notes: inout RedactionNotes) -> RequestHead {
        if let patterns { return patterns.redact(head, book, &notes) }
        var head = head
        let method = redact(method: head.method)
        if method != head.method {
            head.method = method
            if book != nil { notes.leaveOut("request method") }
        }
        head.target = redact(target: head.target, book, &notes)
        head.fields = redact(head.fields, "request", book, &notes)
        return head
    }

    package func redact(_ head: ResponseHead, _ book: PlaceholderBook?, _ notes: inout RedactionNotes) -> ResponseHead {
        if let patterns { return patterns.redact(head, book, &notes) }
        var head = head
        let source = SecretSearch.Source(isRequest: false)
        head.reason = head.reason.map { redact(text: $0, source, "response reason", book, &notes) }
        head.fields = redact(head.fields, "response", book, &notes)
        return head
    }

    /// No placeholder could replace a method.
    package func redact(method: [UInt8]) -> [UInt8] {
        let source = SecretSearch.Source(isRequest: true)
        return patterns == nil && method.count > 7 && holdsSecret(method[...], source) ? Array("REDACTED".utf8) : method
    }

    package func redact(target: [UInt8], _ book: PlaceholderBook?, _ notes: inout RedactionNotes) -> [UInt8] {
        if let patterns { return patterns.redact(target: target, book, &notes) }
        return redact(
            text: target,
            SecretSearch.Source(place: .target, isRequest: true),
            "request target",
            book,
            &notes
        )
    }

    /// - Parameter message: `request`, `response`, or the trailers of one.
    package func redact(
        _ fields: Fields,
        _ message: String,
        _ book: PlaceholderBook?,
        isExact: Bool = false,
        _ notes: inout RedactionNotes
    ) -> Fields {
        if let patterns { return patterns.redact(fields, message, book, &notes) }
        let source = SecretSearch.Source(isRequest: message != "response" && message != "response trailer")
        var redacted = Fields()
        for field in fields {
            // No name could replace it, and none is made up.
            if holdsSecret(field.name, source) {
                if book != nil { notes.leaveOut("\(message) field") }
                continue
            }
            let value = FieldRedaction(self, source, "\(message) field", book, isExact).value(of: field, &notes)
            redacted.append(name: field.name, value: value)
        }
        return redacted
    }

    private func holdsSecret(_ text: ArraySlice<UInt8>, _ source: SecretSearch.Source) -> Bool {
        guard text.count >= 8 else { return search.declared != nil && !found(in: text, source).isEmpty }
        return !found(in: text, source).isEmpty
    }

    private func found(in text: ArraySlice<UInt8>, _ source: SecretSearch.Source) -> [SecretSearch.Finding] {
        let all = Array(text).withUnsafeBufferPointer { findings(in: $0, source) }
        return all.filter { $0.how != .placeholder }
    }

    /// Takes note of the secrets of a head, so that they are found in all that follows.
    ///
    /// - Parameter book: numbers them.
    package func learn(from fields: Fields, isRequest: Bool, _ book: PlaceholderBook? = nil) {
        guard learned != nil, redactsByDefault || !self.fields.isEmpty else { return }
        // Most messages have no such field.
        if self.fields.isEmpty {
            let memo = SecretName.memo
            let isTelling = fields.contains { (field: Fields.RawField) in
                switch field.name.count {
                case 6 where field.isNamed("cookie"), 10 where field.isNamed("set-cookie"): true
                default: SecretName.read(field: field.name, memo) != nil
                }
            }
            guard isTelling else { return }
        }
        var notes = RedactionNotes()
        let writing = FieldRedaction(self, SecretSearch.Source(isRequest: isRequest), "", book, false)
        for field in fields where writing.isTelling(field) { _ = writing.value(of: field, &notes) }
    }

    /// Secrets that are recognised anywhere.
    func redact(
        text: [UInt8],
        _ source: SecretSearch.Source,
        _ place: String,
        _ book: PlaceholderBook?,
        isExact: Bool = false,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        let findings = text.withUnsafeBufferPointer { self.findings(in: $0, source) }
        guard !findings.isEmpty else { return text }
        var (output, copied) = ([UInt8](), 0)
        for finding in findings {
            output += text[copied..<finding.range.lowerBound]
            replace(finding, Array(text[finding.range]), source, place, book, isExact, &output, &notes)
            copied = finding.range.upperBound
        }
        return output + text[copied...]
    }

    // MARK: Bodies

    /// For a body with these fields, without its content codings.
    func stream(_ fields: Fields, _ place: String, _ book: PlaceholderBook?) -> RedactionStream {
        if let patterns { return RedactionStream(patterns.stream(fields, place, book)) }
        return RedactionStream(SecretStream(self, source(fields, place), place, book))
    }

    /// A whole body without its content codings.
    package func redact(
        body: [UInt8],
        _ fields: Fields,
        _ book: PlaceholderBook?,
        isRequest: Bool = true,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        var stream = stream(fields, isRequest ? "body" : "response body", book)
        var output: [UInt8] = []
        stream.push(body, isLast: true, into: &output, &notes)
        return output
    }

    private func source(_ fields: Fields, _ place: String) -> SecretSearch.Source {
        var source = SecretSearch.Source(isRequest: place != "response body")
        guard let type = fields.first("content-type").map({ MediaType($0) }) else { return source }
        if type.essence == "application/x-www-form-urlencoded" { source.place = .form }
        let kinds = ["image/", "audio/", "video/", "font/"]
        source.isBinary = kinds.contains { type.essence.hasPrefix($0) } && !type.essence.hasSuffix("+xml")
        return source
    }
}
