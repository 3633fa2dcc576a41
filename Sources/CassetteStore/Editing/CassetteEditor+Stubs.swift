import GRDB
package import MockServeCore

/// What became of stubs that were added.
package struct AddedStubs {
    package var numbers: [Int64] = []
    /// What was replaced, by kind.
    package var redactions: [String: Int] = [:]
    /// Stubs that accept any value where they asked for a secret.
    package var relaxed = 0
    /// Stubs that ask for a secret in a way that cannot be relaxed.
    package var leftOut = 0
}

extension CassetteEditor {
    /// Adds a stub; a cassette that is not there is made. Secrets in the answer are replaced by the rules of the cassette.
    ///
    /// - Parameters:
    ///   - body: of the answer.
    ///   - rules: are added to those of the cassette.
    /// - Returns: the number of the stub, and what was replaced.
    /// - Throws: `CassetteError`, also if a condition has a secret in it, or the body is too long; then nothing was changed.
    package static func add(
        _ stub: StubDefinition,
        body: [UInt8],
        rules: [Rule],
        secrets: [DeclaredSecret],
        to path: String
    ) throws -> (number: Int64, redactions: [String: Int]) {
        let added = try add([(stub, body)], rules: rules, secrets: secrets, to: path)
        guard let number = added.numbers.first else { throw CassetteError(.unwritable, path: path, "was not changed.") }
        return (number, added.redactions)
    }

    /// Adds several stubs, all or none of them.
    ///
    /// - Parameters:
    ///   - upstreams: are added to those that the cassette knows.
    ///   - relaxesSecrets: whether a stub that asks for a secret accepts any value there; if it cannot, it is left out.
    package static func add(
        _ stubs: [(definition: StubDefinition, body: [UInt8])],
        upstreams: [Upstream] = [],
        rules: [Rule],
        secrets: [DeclaredSecret],
        relaxesSecrets: Bool = false,
        to path: String
    ) throws -> AddedStubs {
        for stub in stubs { try checkLength(of: stub.body, path: path) }
        var known: Redactor?
        let result = try change(path, creates: true) { db in
            try EpisodeSQL.register(upstreams, db, path: path)
            if try RuleSQL.add(rules, db, path: path) {
                try EpisodeSQL.refuseWhileOpen(db, path: path)
                _ = try RuleSQL.recomputeKeys(db, path: path)
            }
            let all = try RuleSQL.all(db, path: path, secrets: KnownSecrets(secrets, learned: LearnedSecrets()))
            known = all.redactor
            var room = try StubRoom(db, path: path)
            var bodies = BodyWriter()
            var added = AddedStubs()
            for (stub, body) in stubs {
                var (stub, body) = (stub, body)
                if let redactor = all.redactor {
                    if relaxesSecrets, try stub.asksForSecret(redactor, PlaceholderBook()) {
                        guard let relaxed = try stub.acceptingAnySecret(redactor, PlaceholderBook()) else {
                            added.leftOut += 1
                            continue
                        }
                        stub = relaxed
                        added.relaxed += 1
                    }
                    added.redactions.merge(try redact(&stub, &body, redactor, db, path: path), uniquingKeysWith: +)
                }
                // Placeholders may be longer than what they stand for.
                try checkLength(of: body, path: path)
                try room.take(stub, body)
                added.numbers.append(try StubSQL.insert(stub, body: try bodies.write(body, db), db))
            }
            return added
        }
        if let known, !stubs.isEmpty { try mend(path, known) }
        return result
    }

    /// - Returns: what was replaced.
    private static func redact(
        _ stub: inout StubDefinition,
        _ body: inout [UInt8],
        _ redactor: Redactor,
        _ db: Database,
        path: String
    ) throws -> [String: Int] {
        let numbers = try PlaceholderSQL.reserve(db, hasOthers: EpisodeSQL.hasRunsOfOthers(db))
        let book = PlaceholderBook.shared(for: path)
        book.raise(numbers.last, floor: numbers.floor)
        let notes: RedactionNotes
        do {
            notes = try stub.redact(redactor, &body, book)
        } catch let refusal as BodyRedaction.Refusal {
            throw CassetteError(.unwritable, path: path, "was not changed: \(refusal).")
        }
        if let note = notes.notes.first(where: \.isOfRequest) {
            throw CassetteError(
                .unwritable,
                path: path,
                """
                was not changed: there is a secret in what the stub \(stub.pattern) asks for (\(note.place)), and secrets are \
                not kept. Leave that out.
                """
            )
        }
        try PlaceholderSQL.raise(notes.highest, db)
        return notes.counts
    }

    /// Replaces what the answer has shown to be secret in everything that was there before.
    private static func mend(_ path: String, _ redactor: Redactor) throws {
        guard redactor.knowsSecrets, try SecretProof(redactor: redactor, path: path).find() != nil else { return }
        let changes = try change(path, rewritesIf: { _ in true }) { db in
            let book = PlaceholderBook.shared(for: path)
            let rules = try RuleSQL.all(db, path: path)
            let changes = try RedactionSQL.redactAll(redactor, rules, db, path: path, book)
            try EpisodeSQL.removeUnused(db)
            return changes
        }
        guard let (subject, reason) = changes.left.first else { return }
        throw CassetteError(
            .unwritable,
            path: path,
            "\(subject) holds a secret that the new stub has shown to be one: \(reason). Do not share the file."
        )
    }

    private static func checkLength(of body: [UInt8], path: String) throws {
        guard body.count <= StubSQL.bodyLimit else {
            throw CassetteError(
                .unwritable,
                path: path,
                "takes stubs with bodies of up to \(StubSQL.bodyLimit >> 20) MiB, not \(body.count) bytes."
            )
        }
    }

    /// Removes stubs by their numbers, and bodies that nothing refers to any more.
    ///
    /// - Returns: how many stubs were removed.
    /// - Throws: `CassetteError`, also if there is no stub at an end of a range; then nothing was removed.
    @discardableResult
    package static func removeStubs(
        _ ranges: [ClosedRange<Int64>],
        isDryRun: Bool = false,
        from path: String
    ) throws -> Int {
        try change(path, isDryRun: isDryRun) { db in try remove(ranges, of: "stub", db, path: path) }
    }
}

/// What is left for stubs: all of them are kept in memory when the cassette is replayed.
private struct StubRoom {
    private static let hint = "Remove some: mockserve cassette stub list, mockserve cassette stub remove."

    private let path: String
    private var count: Int
    private var size: Int

    init(_ db: Database, path: String) throws {
        self.path = path
        count = try StubSQL.count(db)
        let sql = "SELECT sum(size) FROM body WHERE id IN (SELECT response_body_id FROM stub)"
        var size = Int(try db.firstInteger(sql) ?? 0)
        try StubSQL.forEach(db, path: path) { size += StubSQL.memory(of: $0.stub) }
        self.size = size
    }

    mutating func take(_ stub: StubDefinition, _ body: [UInt8]) throws {
        count += 1
        size += body.count + StubSQL.memory(of: stub)
        guard count <= StubDefinition.countLimit else {
            throw CassetteError(
                .unwritable,
                path: path,
                "has room for \(StubDefinition.countLimit) stubs, and no more. \(Self.hint)"
            )
        }
        guard size <= StubSQL.memoryLimit else {
            let limit = "\(StubSQL.memoryLimit >> 20) MiB"
            throw CassetteError(
                .unwritable,
                path: path,
                "has no room for that: stubs may take \(limit) together. \(Self.hint)"
            )
        }
    }
}
