import Foundation
import GRDB
package import MockServeCore

/// Changes to an existing cassette.
package enum CassetteEditor {
    /// Removes interactions, and bodies that nothing refers to any more; freed pages are overwritten.
    ///
    /// - Returns: how many interactions were removed.
    /// - Throws: `CassetteError`, also if there is no interaction at an end of a range; then nothing was removed.
    package static func remove(
        _ ranges: [ClosedRange<Int64>],
        isDryRun: Bool = false,
        from path: String
    ) throws -> Int {
        try change(path, isDryRun: isDryRun) { try remove(ranges, of: "interaction", $0, path: path) }
    }

    /// - Parameter table: which is called as what is in it.
    static func remove(
        _ ranges: [ClosedRange<Int64>],
        of table: String,
        _ db: Database,
        path: String
    ) throws -> Int {
        for range in ranges {
            for end in [range.lowerBound, range.upperBound] {
                guard try db.firstInteger("SELECT 1 FROM \(table) WHERE id = ?1", [.integer(end)]) == nil else {
                    continue
                }
                let whole = range.count == 1 ? "" : ", the end of \(range.lowerBound)-\(range.upperBound)"
                throw CassetteError(.unreadable, path: path, "has no \(table) \(end)\(whole); nothing was removed.")
            }
        }
        var removed = 0
        for range in ranges {
            let bounds = [Binding.integer(range.lowerBound), .integer(range.upperBound)]
            try db.query("DELETE FROM \(table) WHERE id BETWEEN ?1 AND ?2", bounds)
            removed += db.changesCount
        }
        try EpisodeSQL.removeUnused(db)
        return removed
    }

    /// Adds rules and computes the match keys anew.
    package static func add(_ rules: [Rule], to path: String) throws -> KeyChanges {
        try change(path) { db in
            guard try RuleSQL.add(rules, db, path: path) else { return KeyChanges() }
            try EpisodeSQL.refuseWhileOpen(db, path: path)
            return try RuleSQL.recomputeKeys(db, path: path)
        }
    }

    /// Replaces secrets in what was recorded, and adds the rules for what will be recorded; freed pages are
    /// overwritten.
    ///
    /// - Parameters:
    ///   - rules: of the action `redact`.
    ///   - isDryRun: whether nothing is changed after all.
    ///   - each: called with what is replaced in an interaction.
    ///   - eachOfStub: the same for stubs.
    /// - Returns: what was replaced, and what could not be read and stays.
    /// - Throws: `CassetteError`; then nothing was changed.
    @discardableResult
    package static func redact(
        _ rules: [Rule],
        secrets: [DeclaredSecret],
        isDryRun: Bool = false,
        in path: String,
        _ each: (Int64, RedactionNotes.Note) -> Void = { _, _ in },
        ofStub eachOfStub: (Int64, RedactionNotes.Note) -> Void = { _, _ in }
    ) throws -> RedactionChanges {
        let changes = try change(path, allowsConflicts: true, isDryRun: isDryRun, rewritesIf: { !$0.counts.isEmpty }) {
            db in
            try EpisodeSQL.refuseWhileOpen(db, path: path)
            _ = try RuleSQL.add(rules, db, path: path)
            let all = try RuleSQL.all(db, path: path, secrets: KnownSecrets(secrets, learned: LearnedSecrets()))
            guard let redactor = all.redactor else { return RedactionChanges() }
            let book = PlaceholderBook(try PlaceholderSQL.last(db))
            let changes = try RedactionSQL.redactAll(redactor, all, db, path: path, book, each, ofStub: eachOfStub)
            try EpisodeSQL.removeUnused(db)
            _ = try RuleSQL.recomputeKeys(db, path: path)
            return changes
        }
        return changes
    }

    /// Removes rules by their numbers and computes the match keys anew.
    ///
    /// - Throws: `CassetteError`, also if there is no rule with a number; then nothing was removed.
    package static func removeRules(
        _ numbers: [Int64],
        isDryRun: Bool = false,
        from path: String
    ) throws -> KeyChanges {
        try change(path, isDryRun: isDryRun) { db in
            try EpisodeSQL.refuseWhileOpen(db, path: path)
            for number in numbers {
                try db.query("DELETE FROM rule WHERE id = ?1", [.integer(number)])
                guard db.changesCount == 1 else {
                    throw CassetteError(.unreadable, path: path, "has no rule \(number); nothing was removed.")
                }
            }
            return try RuleSQL.recomputeKeys(db, path: path)
        }
    }

    private static func opened(_ path: String) throws -> (queue: DatabaseQueue, wasCreated: Bool) {
        let turn = try FolderTurn(of: path)
        defer { turn.end() }
        return try CassetteFile.openForWriting(path)
    }

    /// Takes a new cassette away again, if nothing is in it. Must be called during a `FolderTurn`.
    private static func takeBack(_ queue: DatabaseQueue, _ path: String) {
        let isEmpty = try? queue.inDatabase { db in
            try ["episode", "stub", "rule"].allSatisfy { try db.firstInteger("SELECT 1 FROM \($0) LIMIT 1") == nil }
        }
        try? queue.close()
        if isEmpty == true { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Runs `body` in one transaction, and leaves one file if nobody else has it open.
    ///
    /// - Parameters:
    ///   - creates: whether a cassette that is not there is made.
    ///   - allowsConflicts: whether it may have conflicts of a merge: only what does not depend on which side is right may.
    ///   - isDryRun: whether everything is undone.
    ///   - rewritesIf: whether the file is to be written anew then: earlier programs have left copies of what they moved
    ///     between the rows of a page.
    static func change<Result>(
        _ path: String,
        creates: Bool = false,
        allowsConflicts: Bool = false,
        isDryRun: Bool = false,
        rewritesIf: (Result) -> Bool = { _ in false },
        _ body: (Database) throws -> Result
    ) throws -> Result {
        try CassetteFile.checkKind(path, mayBeNew: creates)
        // Who may have to take a new cassette away again lets nobody else open it meanwhile.
        let turn = try creates ? FolderTurn(of: path) : nil
        defer { turn?.end() }
        let isThere = FileManager.default.fileExists(atPath: path)
        let (queue, isNew) = try turn == nil ? opened(path) : CassetteFile.openForWriting(path)
        let wasCreated = isNew && !isThere
        do {
            let result = try queue.inDatabase { db in
                var result: Result?
                var version: Int64?
                let noneIsAlive = try EpisodeSQL.provesOthersDead(db)
                try db.inTransaction(.immediate) {
                    try EpisodeSQL.finishInterrupted(db, noneIsAlive: noneIsAlive)
                    if !allowsConflicts, let error = CassetteError.unresolved(try ConflictSQL.all(db), path: path) {
                        throw error
                    }
                    result = try body(db)
                    version = try EpisodeSQL.lastVersion(db)
                    return isDryRun ? .rollback : .commit
                }
                let isWhole = try EpisodeSQL.leaveWAL(db, version)
                guard !isDryRun, let result else { return result }
                if rewritesIf(result) { try EpisodeSQL.rewrite(db, isAlone: isWhole, path: path) }
                if isWhole { PageSize.fit(db) }
                return result
            }
            try queue.close()
            if wasCreated { CassetteFile.publish(path) }
            // What is kept for `undo` may hold what is gone now.
            if !isDryRun { removeUndo(of: path) }
            guard let result else { throw CassetteError(.unwritable, path: path, "was not changed.") }
            return result
        } catch {
            if wasCreated { takeBack(queue, path) } else { try? queue.close() }
            if let error = error as? InteractionRow.Malformed { throw CassetteFile.explain(error, path: path) }
            throw CassetteFile.explain(error, path: path, .unwritable)
        }
    }
}
