import HTTPMessages

/// How the fields of one message are redacted.
struct FieldRedaction {
    let redactor: Redactor
    let source: SecretSearch.Source
    let message: String
    let book: PlaceholderBook?
    let isExact: Bool

    init(
        _ redactor: Redactor,
        _ source: SecretSearch.Source,
        _ message: String,
        _ book: PlaceholderBook?,
        _ isExact: Bool
    ) {
        (self.redactor, self.source, self.message) = (redactor, source, message)
        (self.book, self.isExact) = (book, isExact)
    }

    private static func isCookie(_ name: ArraySlice<UInt8>) -> Bool {
        equalsIgnoringCase(name, "cookie".utf8) || equalsIgnoringCase(name, "set-cookie".utf8)
    }

    /// Whether its name says that there is a secret in it.
    func isTelling(_ field: Fields.Field) -> Bool {
        Self.isCookie(field.name) || name(field) != nil
    }

    private func name(_ field: Fields.Field) -> SecretName? { rule(for: field) ?? Self.known(redactor, field) }

    private static func known(_ redactor: Redactor, _ field: Fields.Field) -> SecretName? {
        redactor.redactsByDefault ? SecretName.read(field: field.name) : nil
    }

    /// What rules say of a field: nothing, or that it is kept (nil), or its name.
    private func rule(for field: Fields.Field) -> SecretName?? {
        redactor.names.fields.isEmpty
            ? nil : redactor.names.fields[Latin1.string(field.name.map(HTTPMessages.lowercased))]
    }

    func value(of field: Fields.Field, _ notes: inout RedactionNotes) -> [UInt8] {
        let place = book == nil ? "" : "\(message) \(Latin1.string(field.name))"
        let value = Array(field.value)
        let rule = rule(for: field)
        if case .some(nil) = rule { return anywhere(value, place, &notes) }
        if Self.isCookie(field.name), redactor.redactsByDefault || !redactor.names.cookiesApart.isEmpty {
            return cookies(value, isList: field.name.count == 6, place, &notes)
        }
        guard let name = rule ?? Self.known(redactor, field), !value.isEmpty else {
            return binary(field, place, &notes) ?? anywhere(value, place, &notes)
        }
        return credentials(value, name, place, &notes)
    }

    private func anywhere(_ value: [UInt8], _ place: String, _ notes: inout RedactionNotes) -> [UInt8] {
        redactor.redact(text: value, source, place, book, isExact: isExact, &notes)
    }

    /// What gRPC sends in Base64 is often a message, such as `grpc-status-details-bin`, whose lengths are put right. Only of
    /// answers, as clients decode it.
    ///
    /// - Returns: nil if there is nothing to replace within.
    private func binary(_ field: Fields.Field, _ place: String, _ notes: inout RedactionNotes) -> [UInt8]? {
        guard !source.isRequest, field.name.count > 4, equalsIgnoringCase(field.name.suffix(4), "-bin".utf8),
            let decoded = Base64.decode(field.value), let message = WireMessage(decoded[...])
        else { return nil }
        let redacted = message.mapped { anywhere(Array($0), place, &notes) }
        return redacted == decoded ? nil : Base64.encode(redacted, isURLSafe: false)
    }

    /// `scheme value` (RFC 9110 §11.4), where the scheme stays, or only a value.
    private func credentials(
        _ value: [UInt8],
        _ name: SecretName,
        _ place: String,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        guard let space = value.firstIndex(where: { $0 == 0x20 || $0 == 0x09 }),
            RedactionCatalog.schemes.contains(Latin1.string(value[..<space].map(HTTPMessages.lowercased)))
        else { return replaced(value[...], name, place, &notes) }
        let rest = trimmingSpace(value[space...])
        guard !rest.isEmpty else { return value }
        if Latin1.string(value[..<space]).lowercased() == "basic", let known = basic(rest, place, &notes),
            name.apart == nil
        {
            return Array(value[...space]) + known
        }
        return Array(value[...space]) + replaced(rest, name, place, &notes)
    }

    /// `user:password` in base64 (RFC 7617 §2).
    ///
    /// - Returns: what stands for it if the password is known already, perhaps because we have served it; nil if not, and
    ///   then all of it is to be replaced.
    private func basic(_ value: ArraySlice<UInt8>, _ place: String, _ notes: inout RedactionNotes) -> [UInt8]? {
        guard Placeholder.form(of: value) == nil, let decoded = Base64.decode(value),
            let colon = decoded.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        let password = colon + 1..<decoded.count
        let findings = decoded.withUnsafeBufferPointer { redactor.findings(in: $0, source) }
        // Of a part of it, nothing may stay.
        let isKnown = findings.contains {
            $0.range.lowerBound <= password.lowerBound && $0.range.upperBound == decoded.count
        }
        guard isKnown || password.isEmpty && !findings.isEmpty else {
            // Many services take a key as the user, with no password or any.
            let secret = password.count < 4 ? 0..<colon : password
            redactor.learned?.learn("password", Array(decoded[secret]))
            return nil
        }
        guard book != nil || isExact else { return Placeholder.compared }
        return Base64.encode(anywhere(decoded, place, &notes), isURLSafe: false)
    }

    /// `name=value; name=value` (RFC 6265 §4.2.1), or `name=value; attributes` (§4.1.1).
    private func cookies(
        _ value: [UInt8],
        isList: Bool,
        _ place: String,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        let pairs = value.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        var output: [UInt8] = []
        for (index, pair) in pairs.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ";")) }
            output += isList || index == 0 ? cookie(pair, place, &notes) : Array(pair)
        }
        // Names and attributes may hold anything.
        return anywhere(output, place, &notes)
    }

    private func cookie(_ cookie: ArraySlice<UInt8>, _ place: String, _ notes: inout RedactionNotes) -> [UInt8] {
        let equals = cookie.firstIndex(of: UInt8(ascii: "="))
        let name = equals.map { trimmingSpace(cookie[..<$0]) } ?? []
        var value = trimmingSpace(cookie[(equals.map { $0 + 1 } ?? cookie.startIndex)...])
        if value.count > 2, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") {
            value = value.dropFirst().dropLast()
        }
        let text = Latin1.string(name)
        let apart = redactor.names.cookiesApart[text]
        guard !value.isEmpty, redactor.redactsByDefault || apart != nil, !redactor.names.keptCookies.contains(text)
        else { return Array(cookie) }
        let secret = SecretName(kind: "cookie", strength: .strong, apart: apart)
        // Many cookies hold what is in paths and texts too: an article, a language, a version.
        let isSecret = value.count >= 20 || SecretName.read(text) != nil
        return Array(cookie[..<value.startIndex]) + replaced(value, secret, place, isLearned: isSecret, &notes)
            + cookie[value.endIndex...]
    }

    private func replaced(
        _ value: ArraySlice<UInt8>,
        _ name: SecretName,
        _ place: String,
        isLearned: Bool = true,
        _ notes: inout RedactionNotes
    ) -> [UInt8] {
        let plain = TextView.plain(value)
        let isKnown = Placeholder.form(of: plain[...]) != nil
        var finding = SecretSearch.Finding(
            range: 0..<0,
            kind: name.kind,
            value: plain,
            form: .init(plain[...]),
            how: isKnown ? .placeholder : .name
        )
        finding.apart = name.apart
        if !isKnown, isLearned { redactor.learned?.learn(name.kind, plain, TextView.spellings(Array(value))) }
        var output: [UInt8] = []
        redactor.replace(finding, Array(value), source, place, book, isExact, &output, &notes)
        return output
    }
}
