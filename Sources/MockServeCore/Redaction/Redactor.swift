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
    let names: RedactedNames
    private let scoped: ScopedRedactions?

    /// Bytes that a search must see at once to recognise the beginning of every secret.
    var lookahead: Int {
        // What is learned was found, so it is as long as it gets in base64 or so.
        let learned = (learned?.snapshot?.longest ?? 0) * DeclaredSecret.longestSpelling / 2
        return max(4096, max(search.longest * DeclaredSecret.longestSpelling, learned) + 512)
    }

    /// The default redaction where there are no rules, such as in the journal of a server without a cassette.
    package static let standard = Redactor([.catalog(RedactionCatalog.version)], [], KnownSecrets(), isCurrent: true)

    /// - Parameters:
    ///   - scoped: rules that are for some requests only.
    ///   - isCurrent: whether new placeholders are used even without the default redaction.
    /// - Returns: nil if there is nothing to redact.
    package static func `for`(
        _ rules: [RedactionRule],
        scoped: [(scope: RequestPattern, rule: RedactionRule)] = [],
        _ secrets: KnownSecrets,
        isCurrent: Bool
    ) -> Redactor? {
        if rules.isEmpty, scoped.isEmpty, secrets.declared.isEmpty { return nil }
        return Redactor(rules, scoped, secrets, isCurrent: isCurrent)
    }

    /// Whether two take the same for secrets.
    package static func isSame(_ one: Redactor?, _ other: Redactor?) -> Bool {
        one === other
            || one.map { Set($0.rules) } == other.map { Set($0.rules) } && one?.learned === other?.learned
                && one?.isNew == other?.isNew
                && one?.declaredKinds == other?.declaredKinds && one?.scoped?.rules == other?.scoped?.rules
                && one?.scoped?.scopes == other?.scoped?.scopes
    }

    private let rules: [RedactionRule]
    private let secrets: KnownSecrets
    /// The kinds of declared secrets, by their values.
    private let declaredKinds: [[UInt8]: String]
    private let isNew: Bool

    private init(
        _ rules: [RedactionRule],
        _ scoped: [(scope: RequestPattern, rule: RedactionRule)],
        _ secrets: KnownSecrets,
        isCurrent: Bool
    ) {
        self.rules = rules.filter { if case .secret = $0 { false } else { true } }
        let version = rules.compactMap { if case .catalog(let version) = $0 { version } else { nil } }.max() ?? 0
        isNew = isCurrent && version == 0 || version >= RedactionCatalog.firstSearched
        patterns = isNew ? nil : PatternRedactor(rules, secrets: secrets.declared)
        names = RedactedNames(rules)
        let tellsApart = names.tellsApart || scoped.contains { $0.rule.tellsApart }
        var secrets = secrets
        secrets.learned = isNew ? secrets.learned ?? (tellsApart ? LearnedSecrets() : nil) : nil
        (self.secrets, self.tellsApart) = (secrets, tellsApart)
        declaredKinds = Dictionary(
            secrets.declared.map { ($0.value, Placeholder.kind($0.kind)) },
            uniquingKeysWith: { one, _ in one }
        )
        search = SecretSearch(declared: secrets.declared, names: names.added, redactsByDefault: version > 0)
        self.scoped = scoped.isEmpty ? nil : ScopedRedactions(scoped)
    }

    /// What was learned, if anything is learned at all.
    var learned: LearnedSecrets? { secrets.learned }

    private var book: PlaceholderBook? { secrets.book }

    /// A variant of another one: without what was learned, or with the rules for one request.
    private init(_ other: Redactor, adding more: [RedactionRule], learned: LearnedSecrets?) {
        rules = other.rules + more
        (secrets, declaredKinds, isNew) = (other.secrets.with(learned), other.declaredKinds, other.isNew)
        tellsApart = other.tellsApart
        scoped = more.isEmpty ? other.scoped.map { ScopedRedactions(Array(zip($0.scopes, $0.rules))) } : nil
        guard !more.isEmpty else {
            (patterns, search, names) = (other.patterns, other.search, other.names)
            return
        }
        names = RedactedNames(rules)
        search = SecretSearch(other.search, names: names.added)
        patterns = other.patterns == nil ? nil : PatternRedactor(rules, secrets: other.secrets.declared)
    }

    /// The one whose rules are for this request; the same if none is for some requests only.
    package func applying(toMethod method: [UInt8], target: [UInt8]) -> Redactor {
        guard let scoped else { return self }
        let path = Target(Target.originForm(target)).normalPath
        return scoped.redactor(toMethod: method, normalPath: path) { rules in
            rules.isEmpty ? self : Redactor(self, adding: rules, learned: learned)
        }
    }

    package func applying(to request: RequestHead) -> Redactor {
        applying(toMethod: request.method, target: request.target)
    }

    /// Makes sure that everything can be searched for. To be called before anything is redacted.
    ///
    /// - Throws: `RuleError` if names and declared secrets are too many for a cassette of an earlier version.
    package func check() throws(RuleError) { try patterns?.check() }

    /// Bytes of the longest known secret in base64, and more.
    package var longestKnown: Int { max(LearnedSecrets.sizes.upperBound, search.longest) * 2 }

    /// Whether there is anything that could be found by `knownSecret`.
    package var knowsSecrets: Bool { patterns == nil && (search.declared != nil || learnedVersion > 0) }

    /// The kind of a declared or learned secret in these bytes, plain or in base64; nil if there is none.
    package func knownSecret(in bytes: [UInt8]) -> String? {
        guard patterns == nil else { return nil }
        return bytes.withUnsafeBufferPointer { search.known(in: $0, learned) }
    }

    /// Whether any requests are told apart by secrets.
    package let tellsApart: Bool

    /// Names that are near to those of secrets, but whose values were left alone.
    package var sparedNames: [String] { learned?.spared ?? [] }

    /// Changes whenever something was learned.
    package var learnedVersion: Int { learned?.version ?? 0 }

    /// The same without what was learned.
    var unlearned: Redactor { Redactor(self, adding: [], learned: nil) }

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
        let known = Placeholder.form(of: finding.value[...])
        // A number may look like a placeholder by chance.
        let isReal = finding.how == .placeholder && (book.map { known?.wasGiven(by: $0) ?? true } ?? true)
        if isReal, source.isRequest, let known { notes.noteServed(known) }
        func appendCompared(_ number: Int?) {
            let text = number.map { Array("redacted.\($0)".utf8) } ?? Placeholder.compared
            append(isNumber ? [0x22] + text + [0x22] : text)
        }
        guard let book else {
            if source.isRequest, let apart = finding.apart {
                return appendCompared(number(finding, isReal ? known : nil, apart))
            }
            let served = isExact ? (isReal ? known : self.book?.known(finding.value)) : nil
            return appendCompared(served.flatMap { $0.isOwn ? nil : $0.number })
        }
        if isReal { return output += raw }
        let declared = declaredKinds[finding.value]
        // A name may hold a secret too.
        let found = knownSecret(in: Array(finding.kind.utf8)) == nil ? finding.kind : "secret"
        let digest = source.isRequest ? finding.apart?.salt.map { ToldApart.digest(finding.value, $0) } : nil
        let placeholder = book.placeholder(
            declared ?? found,
            finding.value,
            isOwn: source.isRequest,
            digest: digest
        )
        if source.isRequest {
            notes.noteServed(placeholder)
            // What was recorded is compared too, in the same scope.
            if let apart = finding.apart, apart.salt == nil, placeholder.isOwn {
                learned?.ordinal(apart.place, [Self.identity(finding.value), Self.identity(placeholder)])
            }
        }
        // What is declared can be given back, so it says which one it is.
        let form = declared != nil && finding.form.isOf(raw) ? .text : finding.form
        append(placeholder.bytes(form, finding.value[...], book) { knownSecret(in: Array($0.utf8)) != nil })
        notes.add(placeholder, place, finding.reason)
    }

    /// By what a secret is told apart from others in its place.
    ///
    /// - Parameter placeholder: what the request holds instead of the secret.
    private func number(_ finding: SecretSearch.Finding, _ placeholder: Placeholder?, _ apart: ToldApart) -> Int? {
        let served = placeholder ?? book?.known(finding.value).flatMap { $0.isOwn ? nil : $0 }
        if let salt = apart.salt {
            return served?.number ?? ToldApart.digest(finding.value, salt)
        }
        return learned?.ordinal(apart.place, [served.map(Self.identity) ?? Self.identity(finding.value)])
    }

    private static func identity(_ placeholder: Placeholder) -> [UInt8] {
        Array("\(placeholder.isOwn ? "c" : "")\(placeholder.number)".utf8)
    }

    private static func identity(_ value: [UInt8]) -> [UInt8] { [0] + value }

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
        (text.count >= 8 || search.declared != nil) && !found(in: text, source).isEmpty
    }

    private func found(in text: ArraySlice<UInt8>, _ source: SecretSearch.Source) -> [SecretSearch.Finding] {
        let all = Array(text).withUnsafeBufferPointer { findings(in: $0, source) }
        return all.filter { $0.how != .placeholder }
    }

    /// Takes note of the secrets of a head, so that they are found in all that follows.
    ///
    /// - Parameter book: numbers them.
    package func learn(from fields: Fields, isRequest: Bool, _ book: PlaceholderBook? = nil) {
        guard learned != nil, redactsByDefault || !names.fields.isEmpty else { return }
        // Most messages have no such field.
        if names.fields.isEmpty {
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
        if let form = fields.formOfGRPC { return RedactionStream(MessageStream(self, form, fields, place, book)) }
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
        stream.push(all: body, into: &output, &notes)
        return output
    }

    /// A whole text that is part of a body.
    func redact(
        text: [UInt8],
        _ fields: Fields,
        _ place: String,
        _ book: PlaceholderBook?,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        var stream = stream(fields, place, book)
        var output: [UInt8] = []
        stream.push(all: text, into: &output, &notes)
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
