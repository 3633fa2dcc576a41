import HTTPMessages

/// Redaction as it was up to version 3 of the catalog, for cassettes that were recorded with it: their match keys depend
/// on every detail of it. Do not improve it; `cassette redact` moves a cassette to the current version.
///
/// It is used in two ways: with numbered placeholders for what is written, and with unnumbered ones for what is
/// compared, so that all secrets of a kind are equal there.
final class PatternRedactor: Sendable {
    /// How a body is searched for names of secrets.
    private enum BodyKind: CaseIterable {
        case plain
        case json
        case form
        case multipart
        /// A body that may be anything: JSON, and what looks like a pair of a form within a text, from version 3 of the
        /// catalog on.
        case anything
        /// Multipart with JSON in its parts, from version 3 on.
        case parts
    }

    private let fields: [String: String]
    /// For each length of a name in `fields`: the letters with which such names begin, a bit each. This rules out
    /// nearly all other names.
    private let fieldStarts: [UInt32]
    private let queryNames: [String: String]
    private let formNames: [String: String]
    private let jsonNames: [String: String]
    private let redactsCookies: Bool
    /// Of the catalog; 0 for none.
    private let version: Int
    private let shapes: [PatternFinder.Pattern]
    private let finders: [BodyKind: (numbered: PatternFinder, unnumbered: PatternFinder)]
    private let declaredBytes: Int
    /// Bytes that a search must see at once to recognise the beginning of every secret.
    let lookahead: Int

    init(_ rules: [RedactionRule], secrets: [DeclaredSecret]) {
        let version = rules.compactMap { if case .catalog(let version) = $0 { version } else { nil } }.max() ?? 0
        var (fields, query, form, json) = (
            [String: String](), [String: String](), [String: String](), [String: String]()
        )
        for field in RedactionCatalog.fields where version > 0 {
            fields[field.name.lowercased()] = field.kind
        }
        for name in RedactionCatalog.names where version > 0 {
            let key = RedactionCatalog.comparable(name.name.utf8)
            (query[key], form[key], json[key]) = (name.name, name.name, name.name)
        }
        for name in RedactionCatalog.queryNames where version > 0 {
            query[RedactionCatalog.comparable(name.name.utf8)] = EarlyPlaceholder.kind(name.name)
        }
        for rule in rules {
            switch rule {
            case .catalog, .secret, .keep, .tellApart: break
            case .field(let name): fields[name.lowercased()] = EarlyPlaceholder.kind(name)
            case .query(let name): query[RedactionCatalog.comparable(name.utf8)] = EarlyPlaceholder.kind(name)
            case .form(let name): form[RedactionCatalog.comparable(name.utf8)] = EarlyPlaceholder.kind(name)
            case .json(let name): json[RedactionCatalog.comparable(name.utf8)] = EarlyPlaceholder.kind(name)
            }
        }
        (self.fields, queryNames, formNames, jsonNames) = (fields, query, form, json)
        var starts: [UInt32] = Array(repeating: 0, count: (fields.keys.map(\.utf8.count).max() ?? 0) + 1)
        for name in fields.keys { starts[name.utf8.count] |= 1 << UInt32((name.utf8.first ?? 0) & 31) }
        fieldStarts = starts
        redactsCookies = version > 0
        self.version = version
        shapes =
            secrets.flatMap(\.patterns)
            + (version > 0 ? RedactionCatalog.shapes : []).map {
                PatternFinder.Pattern(kind: $0.kind, expression: $0.pattern)
            }
        declaredBytes = secrets.reduce(0) { $0 + $1.value.count }
        lookahead = max(4096, (secrets.map(\.value.count).max() ?? 0) * DeclaredSecret.longestSpelling + 256)
        var finders: [BodyKind: (PatternFinder, PatternFinder)] = [:]
        // Only those of the version in force are made, because each takes milliseconds.
        let kinds: [BodyKind] = [.plain, .json, .form] + (version < 3 ? [.multipart] : [.anything, .parts])
        for kind in kinds {
            let patterns = shapes + Self.patterns(kind, version, json: json, form: form)
            finders[kind] = (PatternFinder(patterns), PatternFinder(patterns + [Self.number]))
        }
        self.finders = finders
    }

    /// Makes sure that everything can be searched for. To be called before anything is redacted.
    ///
    /// - Throws: `RuleError` if names and declared secrets are too many or too long.
    func check() throws(RuleError) {
        let canSearch = finders.values.allSatisfy { $0.numbered.canSearch && $0.unnumbered.canSearch }
        guard canSearch else {
            throw RuleError(
                "it is too much to redact: the names and the declared secrets, of "
                    + "\(Counted.text(declaredBytes, "byte")) together, cannot be searched for at once. Declare fewer or shorter ones"
            )
        }
    }

    // MARK: Patterns

    /// The number of a placeholder, which does not count where requests are compared.
    private static let number = PatternFinder.Pattern(kind: "", expression: #"\[redacted:[a-z0-9_.-]+(:[0-9]+)\]"#)

    private static func patterns(
        _ kind: BodyKind,
        _ version: Int,
        json: [String: String],
        form: [String: String]
    ) -> [PatternFinder.Pattern] {
        switch kind {
        case .plain: []
        case .json: json.sorted { $0.key < $1.key }.flatMap { jsonPatterns($0.key, $0.value, version) }
        case .form:
            form.sorted { $0.key < $1.key }.map { name, kind in
                let pair = version < 3 ? "(?:^|&)" + spelled(name) : "(?:^|[&\\n])" + bracketed(name)
                return PatternFinder.Pattern(kind: kind, expression: pair + "=([^&\\r\\n]+)")
            }
        case .multipart:
            form.sorted { $0.key < $1.key }.map { name, kind in
                let start = version < 3 ? #"(?i:\bname="?)"# : #"(?i:\bname="?)(?:[^"\r\n]*\[)?"#
                let end = version < 3 ? "" : #"\]?"#
                let head = start + spelled(name) + end + #""?[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n"#
                return PatternFinder.Pattern(kind: kind, expression: head + #"((?:[^\r]|\r[^\n]|\r\n[^-]|\r\n-[^-])+)"#)
            }
        case .anything:
            // In a text that is not a form, more characters end a value.
            patterns(.json, version, json: json, form: form)
                + form.sorted { $0.key < $1.key }.map { name, kind in
                    let value = #"=([^&\s"'<>{}\[\]\\]+)"#
                    return PatternFinder.Pattern(kind: kind, expression: #"(?:^|[&\n])"# + bracketed(name) + value)
                }
        case .parts:
            patterns(.multipart, version, json: json, form: form)
                + patterns(.json, version, json: json, form: form)
        }
    }

    /// A member of this name with a string or a number, in JSON and in a JSON string that holds JSON. The expressions
    /// do not ask for the end of the value, which may arrive much later.
    private static func jsonPatterns(_ name: String, _ kind: String, _ version: Int) -> [PatternFinder.Pattern] {
        let name = spelled(name)
        let array = version < 3 ? "" : #"(?:\[\s*)?"#
        return [
            PatternFinder.Pattern(kind: kind, expression: #""\#(name)"\s*:\s*\#(array)"((?:[^"\\]|\\.)+)"#),
            PatternFinder.Pattern(kind: kind, expression: #"\\"\#(name)\\"\s*:\s*\\"([^"\\]+)"#),
            PatternFinder.Pattern(kind: kind, expression: #""\#(name)"\s*:\s*(-?[0-9][0-9.eE+-]*)"#, isQuoted: true),
        ]
    }

    /// A name itself, or one of several in brackets: `user[NAME]`, `NAME[]`.
    private static func bracketed(_ name: String) -> String {
        #"(?:[^=&\s]*(?:\[|%5[Bb]))?"# + spelled(name) + #"(?:\]|%5[Dd])?(?:(?:\[|%5[Bb])[^=&\s]*)?"#
    }

    /// An expression for a comparable name in any case, with `-` or `_` anywhere in it.
    private static func spelled(_ name: String) -> String {
        let characters = name.utf8.map { byte in
            let hex = String(byte, radix: 16)
            let isPlain = byte &- 0x30 < 10 || byte &- 0x61 < 26
            return isPlain ? String(UnicodeScalar(byte)) : "\\x\(hex.count == 1 ? "0" : "")\(hex)"
        }
        return "(?i:[_-]?" + characters.joined(separator: "(?:[_-]|%2[Dd]|%5[Ff])?") + "[_-]?)"
    }

    private func finder(_ kind: BodyKind, isNumbered: Bool) -> PatternFinder? {
        finders[kind].map { isNumbered ? $0.numbered : $0.unnumbered }
    }

    // MARK: Messages

    /// - Parameter book: numbers the placeholders; nil for what is compared.
    func redact(_ head: RequestHead, _ book: PlaceholderBook?, _ notes: inout RedactionNotes) -> RequestHead {
        var head = head
        if version > 2, finder(.plain, isNumbered: true)?.first(in: head.method, from: 0) != nil {
            head.method = Array("REDACTED".utf8)
            if book != nil { notes.leaveOut("request method") }
        }
        head.target = redact(target: head.target, book, &notes)
        head.fields = redact(head.fields, "request", book, &notes)
        return head
    }

    func redact(_ head: ResponseHead, _ book: PlaceholderBook?, _ notes: inout RedactionNotes) -> ResponseHead {
        var head = head
        head.reason = head.reason.map { redact(text: $0, "response reason", book, &notes) }
        head.fields = redact(head.fields, "response", book, &notes)
        return head
    }

    func redact(target: [UInt8], _ book: PlaceholderBook?, _ notes: inout RedactionNotes) -> [UInt8] {
        let place = "request target"
        return redact(text: redact(query: target, endingAt: "&#", place, book, &notes), place, book, &notes)
    }

    /// - Parameter message: `request`, `response`, or the trailers of one.
    func redact(
        _ fields: Fields,
        _ message: String,
        _ book: PlaceholderBook?,
        _ notes: inout RedactionNotes
    ) -> Fields {
        guard mayHoldSecrets(fields, isNumbered: book != nil) else { return fields }
        var redacted = Fields()
        for field in fields {
            // No name could replace it, and none is made up.
            if version > 2, finder(.plain, isNumbered: true)?.first(in: Array(field.name), from: 0) != nil {
                if book != nil { notes.leaveOut("\(message) field") }
                continue
            }
            redacted.append(name: field.name, value: value(of: field, "\(message) field", book, &notes))
        }
        return redacted
    }

    /// Searches all fields at once, which is much faster than one after another.
    private func mayHoldSecrets(_ fields: Fields, isNumbered: Bool) -> Bool {
        var values: [UInt8] = []
        values.reserveCapacity(fields.byteCount)
        for field in fields {
            if redactsCookies, field.isNamed("cookie") || field.isNamed("set-cookie") { return true }
            if mayBeSecret(field.name), self.fields[Latin1.string(field.name.map(lowercased))] != nil { return true }
            if field.value.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) { return true }
            values.append(contentsOf: field.name)
            values.append(0x0A)
            values.append(contentsOf: field.value)
            // Not part of a word, like the beginning and the end of a value.
            values.append(0x0A)
        }
        return finder(.plain, isNumbered: isNumbered)?.first(in: values, from: 0) != nil
    }

    private func mayBeSecret(_ name: ArraySlice<UInt8>) -> Bool {
        guard let first = name.first, name.count < fieldStarts.count else { return false }
        return fieldStarts[name.count] & (1 << UInt32(first & 31)) != 0
    }

    private func value(
        of field: Fields.Field,
        _ message: String,
        _ book: PlaceholderBook?,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        let name = Latin1.string(field.name)
        let place = "\(message) \(name)"
        let value = Array(field.value)
        let lowercased = name.lowercased()
        if redactsCookies, lowercased == "cookie" { return redact(cookies: value, place, book, &notes) }
        if redactsCookies, lowercased == "set-cookie" { return redact(setCookie: value, place, book, &notes) }
        if let kind = fields[lowercased] { return redact(credentials: value, kind, place, book, &notes) }
        var output = value
        if value.contains(UInt8(ascii: "?")) || value.contains(UInt8(ascii: "#")) {
            output = redact(query: value, endingAt: "&#;,> \"", place, book, &notes)
        }
        return redact(text: output, place, book, &notes)
    }

    /// `scheme value` (RFC 9110 §11.4), where the scheme stays, or only a value.
    private func redact(
        credentials: [UInt8],
        _ kind: String,
        _ place: String,
        _ book: PlaceholderBook?,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        guard !credentials.isEmpty else { return credentials }
        guard kind.hasSuffix("authorization"),
            let space = credentials.firstIndex(where: { $0 == 0x20 || version > 2 && $0 == 0x09 }),
            isScheme(credentials[..<space])
        else { return placeholder(kind, credentials[...], place, book, &notes) }
        let value = trimmingSpace(credentials[space...])
        guard !value.isEmpty else { return credentials }
        return Array(credentials[...space]) + placeholder(kind, value, place, book, &notes)
    }

    private func isScheme(_ word: ArraySlice<UInt8>) -> Bool {
        guard version > 2 else { return isToken(word) }
        return RedactionCatalog.schemes.contains(Latin1.string(word.map(lowercased)))
    }

    /// `name=value; name=value` (RFC 6265 §4.2.1).
    private func redact(
        cookies: [UInt8],
        _ place: String,
        _ book: PlaceholderBook?,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        let pairs = cookies.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        var output: [UInt8] = []
        for (index, pair) in pairs.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ";")) }
            output += redact(cookie: pair, place, book, &notes)
        }
        return output
    }

    /// `name=value; attributes` (RFC 6265 §4.1.1).
    private func redact(
        setCookie: [UInt8],
        _ place: String,
        _ book: PlaceholderBook?,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        let end = setCookie.firstIndex(of: UInt8(ascii: ";")) ?? setCookie.endIndex
        return redact(cookie: setCookie[..<end], place, book, &notes) + setCookie[end...]
    }

    private func redact(
        cookie: ArraySlice<UInt8>,
        _ place: String,
        _ book: PlaceholderBook?,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        let start = (cookie.firstIndex(of: UInt8(ascii: "="))).map { $0 + 1 } ?? cookie.startIndex
        let value = trimmingSpace(cookie[start...])
        guard !value.isEmpty else { return Array(cookie) }
        return Array(cookie[..<value.startIndex]) + placeholder("cookie", value, place, book, &notes)
            + cookie[value.endIndex...]
    }

    /// The values of secret names in the query, and in the fragment, of a target or of URLs in a field.
    ///
    /// - Parameter ends: what ends a value.
    private func redact(
        query text: [UInt8],
        endingAt ends: StaticString,
        _ place: String,
        _ book: PlaceholderBook?,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        guard !queryNames.isEmpty,
            let mark = text.firstIndex(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") })
        else { return text }
        let ends = UnsafeBufferPointer(start: ends.utf8Start, count: ends.utf8CodeUnitCount)
        var output = Array(text[...mark])
        var rest = text[(mark + 1)...]
        while let end = rest.firstIndex(where: { "=&?#;,> \"".utf8.contains($0) }) {
            let name = rest[..<end]
            output += rest[...end]
            rest = rest[(end + 1)...]
            guard text[end] == UInt8(ascii: "="), let kind = queryKind(formDecoded(name)) else { continue }
            let value = rest.prefix { !ends.contains($0) }
            if !value.isEmpty { output += placeholder(kind, value, place, book, &notes) }
            rest = rest[value.endIndex...]
        }
        return output + rest
    }

    private func queryKind(_ name: [UInt8]) -> String? {
        if let kind = queryNames[RedactionCatalog.comparable(name)] { return kind }
        guard version > 2, name.last == UInt8(ascii: "]") else { return nil }
        let names = name.split { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]") }
        return names.lazy.compactMap { self.queryNames[RedactionCatalog.comparable($0)] }.first
    }

    /// Secrets that are recognised anywhere.
    func redact(
        text: [UInt8],
        _ place: String,
        _ book: PlaceholderBook?,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        let finder = finder(.plain, isNumbered: book != nil)
        // Most texts hold none.
        guard finder?.first(in: text, from: 0) != nil else { return text }
        var stream = PatternStream(self, finder: finder, place, book)
        var output: [UInt8] = []
        stream.push(text, isLast: true, into: &output, &notes)
        return output
    }

    private func placeholder(
        _ kind: String,
        _ value: ArraySlice<UInt8>,
        _ place: String,
        _ book: PlaceholderBook?,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        if let unnumbered = EarlyPlaceholder.unnumbered(value) { return book == nil ? unnumbered : Array(value) }
        guard let book else { return Array(EarlyPlaceholder.text(kind).utf8) }
        return notes.add(kind, book.number(kind, Array(value)), place)
    }

    // MARK: Bodies

    /// For a body with these fields, without its content codings.
    func stream(_ fields: Fields, _ place: String, _ book: PlaceholderBook?) -> PatternStream {
        let kind = bodyKind(fields)
        // Labels can be wrong. In JSON, nothing is taken for a form.
        let ifJSON = version > 2 && kind != .json && kind != .parts ? finder(.json, isNumbered: book != nil) : nil
        return PatternStream(self, finder: finder(kind, isNumbered: book != nil), ifJSON: ifJSON, place, book)
    }

    /// A whole body without its content codings.
    func redact(
        body: [UInt8],
        _ fields: Fields,
        _ book: PlaceholderBook?,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        var stream = stream(fields, "body", book)
        var output: [UInt8] = []
        stream.push(body, isLast: true, into: &output, &notes)
        return output
    }

    /// By the label. Pages, scripts and pictures are not searched for names: they are full of words such as
    /// `"password":"Password"` that are not secrets.
    private func bodyKind(_ fields: Fields) -> BodyKind {
        let anything = version > 2 ? BodyKind.anything : .json
        guard let type = fields.first("content-type").map({ MediaType($0) }) else { return anything }
        if type.isJSON { return .json }
        if type.essence == "application/x-www-form-urlencoded" { return .form }
        if type.essence.hasPrefix("multipart/") { return version > 2 ? .parts : .multipart }
        let lines = ["text/event-stream", "application/x-ndjson", "application/jsonl", "application/json-seq"]
        if lines.contains(type.essence) { return .json }
        return type.essence == "text/plain" || version > 1 && MediaType.mayBeAnything(type) ? anything : .plain
    }
}
