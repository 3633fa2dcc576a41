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
                var changes = RedactionChanges()
                let version = redactor.learnedVersion
                for (number, _, _) in edits {
                    changes.add(try RedactionSQL.redact(redactor, rules, in: number...number, db, path: path, book))
                }
                try changes.refuse(path: path)
                // What an edit shows to be secret may be elsewhere.
                if redactor.learnedVersion != version {
                    let others = try RedactionSQL.redactAll(redactor, rules, db, path: path, book)
                    try others.refuse(path: path)
                    changes.add(others)
                }
                counts = changes.counts
            }
            try EpisodeSQL.removeUnused(db)
            return (counts, try RuleSQL.recomputeKeys(db, path: path))
        }
    }
}
