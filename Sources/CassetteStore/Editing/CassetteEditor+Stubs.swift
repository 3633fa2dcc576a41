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
        _ stub: WrittenStub,
        body: [UInt8],
        rules: [Rule],
        secrets: [DeclaredSecret],
        to path: String
    ) throws -> (number: Int64, redactions: [String: Int]) {
        guard body.count <= StubSQL.bodyLimit else {
            throw CassetteError(
                .unwritable,
                path: path,
                "takes stubs with bodies of up to \(StubSQL.bodyLimit >> 20) MiB, not \(body.count) bytes."
            )
        }
        return try change(path, creates: true) { db in
            try EpisodeSQL.refuseWhileOpen(db, path: path)
            if try RuleSQL.add(rules, db, path: path) { _ = try RuleSQL.recomputeKeys(db, path: path) }
            let all = try RuleSQL.all(db, path: path, secrets: KnownSecrets(secrets, learned: LearnedSecrets()))
            var (stub, body) = (stub, body)
            var counts: [String: Int] = [:]
            if let redactor = all.redactor {
                let book = PlaceholderBook(try PlaceholderSQL.last(db))
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
                        was not changed: the stub asks for a secret (\(note.place)), and secrets are not kept. Leave that \
                        condition out.
                        """
                    )
                }
                try PlaceholderSQL.raise(notes.highest, db)
                counts = notes.counts
            }
            guard try StubSQL.count(db) < StubSQL.limit else {
                throw CassetteError(.unwritable, path: path, "has \(StubSQL.limit) stubs already.")
            }
            var bodies = BodyWriter()
            let number = try StubSQL.insert(stub, body: try bodies.write(body, db), db)
            return (number, counts)
        }
    }

    /// Removes stubs by their numbers, and bodies that nothing refers to any more.
    ///
    /// - Throws: `CassetteError`, also if there is no stub with a number; then nothing was removed.
    package static func removeStubs(_ numbers: [Int64], from path: String) throws {
        try change(path) { db in
            for number in Set(numbers).sorted() {
                try db.query("DELETE FROM stub WHERE id = ?1", [.integer(number)])
                guard db.changesCount == 1 else {
                    throw CassetteError(.unreadable, path: path, "has no stub \(number); nothing was removed.")
                }
            }
            try EpisodeSQL.removeUnused(db)
        }
    }
}
