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
