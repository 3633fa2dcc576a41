import Foundation
import GRDB
import MockServeCore
import Synchronization

/// What is looked at before a recording ends.
extension CassetteWriter {
    /// Makes sure that no secret that is known now is in the file. What an earlier exchange brought before it was known
    /// is redacted first.
    ///
    /// - Parameter isMoved: whether what was recorded has other numbers now.
    /// - Returns: whether anything was redacted.
    /// - Throws: `CassetteError` that names the interaction which holds one.
    func prove(_ secrets: SecretProof, isMoved: Bool, _ db: Database) throws -> Bool {
        guard secrets.redactor.knowsSecrets else { return false }
        let stale = searched.withLock { $0.lastBefore(secrets.redactor.learnedVersion) }
        var hasChanged = false
        if stale > newestBefore {
            let numbers = isMoved ? 1...Int64.max : newestBefore + 1...stale
            hasChanged = try redact(secrets.redactor, numbers, db)
        }
        guard try secrets.find() != nil else { return hasChanged }
        _ = try redact(secrets.redactor, 1...Int64.max, db)
        // Earlier versions may have left copies between the rows of a page.
        if try secrets.find() != nil { try EpisodeSQL.rewrite(db, path: path) }
        guard let kind = try secrets.find() else { return true }
        let found = try secrets.locate(db)
        let stub = try secrets.locateStub(db).map { "stub \($0.id) holds the secret \($0.kind)" }
        let place = stub ?? found.map { "interaction \($0.id) (\($0.place)) holds the secret \($0.kind)" }
        throw CassetteError(
            .unwritable,
            path: path,
            (place ?? "it holds the secret \(kind), though in no interaction")
                + ", which became known only later. Do not share the file: remove the interaction, or record anew."
        )
    }

    /// - Returns: whether anything was replaced.
    private func redact(_ redactor: Redactor, _ numbers: ClosedRange<Int64>, _ db: Database) throws -> Bool {
        var version: Int64?
        var hasChanged = false
        try db.inTransaction(.immediate) {
            var changes = try RedactionSQL.redact(redactor, rules, in: numbers, db, path: path, placeholders)
            changes.add(try RedactionSQL.redactStubs(redactor, db, path: path, placeholders))
            if let (stub, reason) = changes.keptInStubs.first {
                throw CassetteError(
                    .unwritable,
                    path: path,
                    "stub \(stub) holds a secret that became known later: \(reason). Do not share the file."
                )
            }
            if let (interaction, reason) = changes.unread.first {
                throw CassetteError(
                    .unwritable,
                    path: path,
                    "interaction \(interaction) cannot be searched for the secrets that became known later: \(reason). Do not share the file: remove the interaction, or record anew."
                )
            }
            guard !changes.counts.isEmpty else { return .commit }
            hasChanged = true
            try EpisodeSQL.removeUnused(db)
            version = try EpisodeSQL.lastVersion(db)
            return .commit
        }
        if version != nil { try EpisodeSQL.leaveWAL(db, version) }
        return hasChanged
    }

    /// Removes the file if this run created it for nothing. It stays if another run has begun meanwhile.
    ///
    /// - Returns: whether it was removed.
    func removeIfEmpty(_ db: Database) throws -> Bool {
        let turn = try FolderTurn(of: path)
        defer { turn.end() }
        guard try ["episode", "stub"].allSatisfy({ try db.firstInteger("SELECT 1 FROM \($0) LIMIT 1") == nil }) else {
            return false
        }
        try FileManager.default.removeItem(atPath: path)
        return true
    }
}
