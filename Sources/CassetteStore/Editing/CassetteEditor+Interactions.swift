import GRDB
import HTTPMessages
package import MockServeCore

extension CassetteEditor {
    /// Writes interactions that were edited. Secrets in them are replaced by the rules of the cassette, and their match keys
    /// are computed anew.
    ///
    /// - Parameter edits: by number, with what the interaction was when it was edited.
    /// - Returns: what was redacted, and what now answers the same requests, or no longer does.
    /// - Throws: `CassetteError`; then nothing was changed.
    package static func replace(
        _ edits: [(number: Int64, before: InteractionFingerprint, edit: InteractionEdit)],
        in path: String
    ) throws -> (redactions: [String: Int], keys: KeyChanges) {
        try change(path) { db in
            try EpisodeSQL.refuseWhileOpen(db, path: path)
            let rules = try RuleSQL.all(db, path: path, secrets: KnownSecrets([], learned: LearnedSecrets()))
            var bodies = BodyWriter()
            for (number, before, edit) in edits {
                try before.check(number, db, path: path)
                try EditSQL.write(number, edit, &bodies, db, path: path)
            }
            var counts: [String: Int] = [:]
            if let redactor = rules.redactor {
                let book = PlaceholderBook(try PlaceholderSQL.last(db))
                for (number, _, _) in edits {
                    let changes = try RedactionSQL.redact(redactor, rules, in: number...number, db, path: path, book)
                    counts.merge(changes.counts, uniquingKeysWith: +)
                    if let (_, reason) = changes.unread.first {
                        throw CassetteError(
                            .unwritable,
                            path: path,
                            "was not changed: interaction \(number): \(reason)."
                        )
                    }
                }
            }
            try EpisodeSQL.removeUnused(db)
            return (counts, try RuleSQL.recomputeKeys(db, path: path))
        }
    }
}

/// What an interaction was at a moment, to see whether somebody has changed it since.
package struct InteractionFingerprint: Sendable, Equatable {
    fileprivate let content: [UInt8]

    fileprivate init?(_ number: Int64, _ db: Database) throws {
        guard let content = try MergeEntries.content(of: number, db) else { return nil }
        self.content = content
    }

    /// - Throws: `CassetteError` if it is not that any more.
    func check(_ number: Int64, _ db: Database, path: String) throws {
        guard try InteractionFingerprint(number, db) == self else {
            throw CassetteError(
                .unwritable,
                path: path,
                "was not changed: somebody else has changed interaction \(number) meanwhile. Do it again."
            )
        }
    }
}

extension CassetteReader {
    package func fingerprint(of number: Int64) throws -> InteractionFingerprint {
        guard let found = try read({ try InteractionFingerprint(number, $0) }) else {
            throw CassetteError(.unreadable, path: path, "has no interaction \(number).")
        }
        return found
    }
}

/// Writes what was edited.
enum EditSQL {
    static func write(
        _ number: Int64,
        _ edit: InteractionEdit,
        _ bodies: inout BodyWriter,
        _ db: Database,
        path: String
    ) throws {
        let content = edit.content
        try db.query(
            """
            UPDATE interaction SET origin = ?2, method = ?3, target = ?4, request_version = ?5, request_fields = ?6, \
            request_trailers = ?7, informational = ?8, response_version = ?9, status = ?10, reason = ?11, \
            response_fields = ?12, response_trailers = ?13, chunks = ?14 WHERE id = ?1
            """,
            [
                .integer(number),
                .text(content.origin),
                .text(Latin1.string(content.request.method)),
                .text(Latin1.string(content.request.target)),
                .text(content.request.version.rawValue),
                .text(FieldsJSON.encode(content.request.fields)),
                content.requestTrailers.isEmpty ? .null : .text(FieldsJSON.encode(content.requestTrailers)),
                content.informational.isEmpty ? .null : .text(InformationalJSON.encode(content.informational)),
                .text(content.response.version.rawValue),
                .integer(Int64(content.response.status)),
                content.response.reason.map { .text(Latin1.string($0)) } ?? .null,
                .text(FieldsJSON.encode(content.response.fields)),
                content.responseTrailers.isEmpty ? .null : .text(FieldsJSON.encode(content.responseTrailers)),
                ChunksJSON.encode(content.chunks, content.cut).map { .text($0) } ?? .null,
            ]
        )
        guard db.changesCount == 1 else {
            throw CassetteError(.unreadable, path: path, "has no interaction \(number); nothing was changed.")
        }
        for (column, body) in [("request_body_id", edit.requestBody), ("response_body_id", edit.responseBody)] {
            guard case .bytes(let bytes) = body else { continue }
            let id = try bodies.write(bytes, db)
            let sql = "UPDATE interaction SET \(column) = ?2 WHERE id = ?1"
            try db.query(sql, [.integer(number), id.map { .integer($0) } ?? .null])
        }
    }
}
