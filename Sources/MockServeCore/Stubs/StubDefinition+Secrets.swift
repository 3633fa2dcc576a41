import HTTPMessages

/// Stubs of other tools that ask for secrets.
extension StubDefinition {
    /// The stub with conditions on path and query instead of one on both together; nil if it has no such condition that is
    /// equality. It answers requests with more parameters, too.
    package var splittingTarget: StubDefinition? {
        guard case .equals(let url, false)? = conditions.target else { return nil }
        var copy = self
        copy.conditions.target = nil
        let target = Target(Array(url.utf8))
        let path = String(decoding: target.path, as: UTF8.self)
        if self.path.text != path, copy.conditions.path == nil { copy.conditions.path = .equals(path) }
        for pair in target.pairs {
            let name = String(decoding: pair.name, as: UTF8.self)
            copy.conditions.addQuery(name, .equals(String(decoding: pair.value, as: UTF8.self)))
        }
        return copy
    }

    /// Whether there is a secret in what it asks for, which no cassette may keep.
    ///
    /// - Throws: `BodyRedaction.Refusal` if that cannot be found out.
    package func asksForSecret(_ redactor: Redactor, _ book: PlaceholderBook) throws -> Bool {
        var probe = self
        (probe.response, probe.trailers) = (ResponseHead(status: 200), Fields())
        var body: [UInt8] = []
        return try probe.redact(redactor, &body, book).notes.contains(where: \.isOfRequest)
    }

    /// The stub with any value, where it asks for a secret in a field, a cookie or a parameter of the query; nil if there is one
    /// elsewhere.
    package func acceptingAnySecret(_ redactor: Redactor, _ book: PlaceholderBook) throws -> StubDefinition? {
        var relaxed = splittingTarget ?? self
        let places: [WritableKeyPath<StubConditions, [String: TextCondition]>] = [\.query, \.fields, \.cookies]
        for place in places {
            for (name, condition) in relaxed.conditions[keyPath: place] {
                var probe = self
                probe.conditions = StubConditions()
                probe.conditions[keyPath: place] = [name: condition]
                if try probe.asksForSecret(redactor, book) { relaxed.conditions[keyPath: place][name] = .present }
            }
        }
        return try relaxed.asksForSecret(redactor, book) ? nil : relaxed
    }
}
