import GRDB
package import MockServeCore

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
        try checkLength(of: body, path: path)
        var known: Redactor?
        let result = try change(path, creates: true) { db in
            if try RuleSQL.add(rules, db, path: path) {
                try EpisodeSQL.refuseWhileOpen(db, path: path)
                _ = try RuleSQL.recomputeKeys(db, path: path)
            }
            let all = try RuleSQL.all(db, path: path, secrets: KnownSecrets(secrets, learned: LearnedSecrets()))
            var (stub, body) = (stub, body)
            var counts: [String: Int] = [:]
            if let redactor = all.redactor {
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
                        was not changed: there is a secret in what the stub asks for (\(note.place)), and secrets are not \
                        kept. Leave that out.
                        """
                    )
                }
                try PlaceholderSQL.raise(notes.highest, db)
                counts = notes.counts
                known = redactor
            }
            // Placeholders may be longer than what they stand for.
            try checkLength(of: body, path: path)
            try checkRoom(for: stub, body, db, path: path)
            var bodies = BodyWriter()
            let number = try StubSQL.insert(stub, body: try bodies.write(body, db), db)
            return (number, counts)
        }
        if let known { try mend(path, known) }
        return result
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

    /// All of them are kept in memory when the cassette is replayed.
    private static func checkRoom(for stub: StubDefinition, _ body: [UInt8], _ db: Database, path: String) throws {
        let hint = "Remove some: mockserve cassette stub list, mockserve cassette stub remove."
        guard try StubSQL.count(db) < StubSQL.limit else {
            throw CassetteError(
                .unwritable,
                path: path,
                "has \(StubSQL.limit) stubs already, which is the limit. \(hint)"
            )
        }
        let sql = "SELECT sum(size) FROM body WHERE id IN (SELECT response_body_id FROM stub)"
        var size = try Int(db.firstInteger(sql) ?? 0) + body.count + StubSQL.memory(of: stub)
        try StubSQL.forEach(db, path: path) { size += StubSQL.memory(of: $0.stub) }
        guard size <= StubSQL.memoryLimit else {
            let limit = "\(StubSQL.memoryLimit >> 20) MiB"
            throw CassetteError(
                .unwritable,
                path: path,
                "has no room for that: stubs may take \(limit) together. \(hint)"
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
