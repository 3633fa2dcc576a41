import HTTPMessages
import Foundation
import GRDB
import MockServeCore

/// The mode of a recording run.
package enum EpisodeMode: String, Sendable {
    case once
    case missing
    case all
    /// Replaces everything that was recorded before, if it ends well and recorded anything.
    case rewrite
    /// Answers written by hand.
    case hand

    /// As it is kept. A rewriting run that was killed counts as one that only added.
    var kept: String { self == .rewrite ? EpisodeMode.missing.rawValue : rawValue }
}

/// Begins and ends recording runs.
enum EpisodeSQL {
    /// Ends runs that were killed: what they recorded stays, and so does what was there before. Only a clean end
    /// removes anything.
    ///
    /// - Parameter noneIsAlive: whether no open run can be alive; otherwise the owner of each is checked.
    static func finishInterrupted(_ db: Database, noneIsAlive: Bool) throws {
        var open: [Int64] = []
        try db.query("SELECT id, owner_pid FROM episode WHERE state = 'open'") { row in
            if noneIsAlive || isDead(RunOwner(row.integer(1))) { open.append(row.integer(0)) }
            return true
        }
        for episode in open { try end(episode, keeping: true, now: nil, db) }
    }

    /// Nothing is known here of an owner in another container.
    private static func isDead(_ owner: RunOwner) -> Bool { owner.isKnown && !owner.isAlive }

    /// Whether runs of other owners that are marked as open cannot be alive, because nobody else has the cassette open.
    /// Only then can it leave WAL mode, which it is in while anybody records into it. This leaves WAL mode, so it must
    /// be called outside a transaction.
    ///
    /// - Returns: false also if there are no such runs.
    static func provesOthersDead(_ db: Database) throws -> Bool {
        guard try hasRunsOfOthers(db) else { return false }
        try db.execute(sql: "PRAGMA busy_timeout = 0")
        defer { try? db.execute(sql: "PRAGMA busy_timeout = \(Int(CassetteFile.busyTimeout * 1000))") }
        do {
            try db.execute(sql: "PRAGMA journal_mode = DELETE")
            return true
        } catch let error as DatabaseError
            where error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
        {
            return false
        }
    }

    /// Whether a run of another process is marked as open: it records now, or was killed.
    static func hasRunsOfOthers(_ db: Database) throws -> Bool {
        let sql = "SELECT 1 FROM episode WHERE state = 'open' AND owner_pid IS NOT ?1 LIMIT 1"
        return try db.firstInteger(sql, [.integer(RunOwner.current.value)]) != nil
    }

    /// A run follows the rules that the cassette had when it began, so these must not change while one is open.
    ///
    /// - Throws: `CassetteError` if a run is open that may be alive.
    static func refuseWhileOpen(_ db: Database, path: String) throws {
        var isOpen = false
        try db.query("SELECT owner_pid FROM episode WHERE state = 'open'") { row in
            isOpen = isOpen || !isDead(RunOwner(row.integer(0)))
            return !isOpen
        }
        guard isOpen else { return }
        throw CassetteError(
            .unwritable,
            path: path,
            "is being recorded into, by the rules that it had when that began. Change them when it has ended; nothing was changed."
        )
    }

    /// Ends a run: keeps or drops what it recorded. What it replaces is for `RerecordingSQL`.
    static func end(_ episode: Int64, keeping: Bool, now: Int64?, _ db: Database) throws {
        if !keeping { try db.query("DELETE FROM interaction WHERE episode_id = ?1", [.integer(episode)]) }
        try db.query(
            "UPDATE episode SET state = 'kept', ended_at = ?2, owner_pid = NULL WHERE id = ?1",
            [.integer(episode), now.map { .integer($0) } ?? .null]
        )
        try removeUnused(db)
    }

    /// Removes messages whose interaction is gone, bodies that nothing refers to, and kept runs without interactions.
    static func removeUnused(_ db: Database) throws {
        var references = """
            SELECT response_body_id FROM interaction WHERE response_body_id NOT NULL \
            UNION SELECT request_body_id FROM interaction WHERE request_body_id NOT NULL
            """
        // What a replay mends may be older.
        if try db.firstInteger("PRAGMA user_version") ?? 0 >= 2 {
            try db.query("DELETE FROM message WHERE interaction_id NOT IN (SELECT id FROM interaction)")
            references += """
                 UNION SELECT response_body_id FROM stub WHERE response_body_id NOT NULL \
                UNION SELECT body_id FROM message WHERE body_id NOT NULL
                """
        }
        try db.query(
            """
            DELETE FROM body \
            WHERE (episode_id IS NULL OR episode_id NOT IN (SELECT id FROM episode WHERE state = 'open')) \
            AND id NOT IN (\(references))
            """
        )
        try db.query("DELETE FROM body_slice WHERE body_id NOT IN (SELECT id FROM body)")
        try db.query(
            "DELETE FROM episode WHERE state = 'kept' AND id NOT IN (SELECT episode_id FROM interaction)"
        )
    }

    /// Adds new upstreams; known ones keep their names.
    static func register(_ upstreams: [Upstream], _ db: Database, path: String) throws {
        for upstream in upstreams {
            let origin = upstream.origin.description
            var known: String?
            try db.query("SELECT name FROM upstream WHERE origin = ?1", [.text(origin)]) { row in
                known = row.text(0)
                return false
            }
            guard known == nil else { continue }
            var name = upstream.name
            var suffix = 2
            while try db.firstInteger("SELECT 1 FROM upstream WHERE name = ?1", [.text(name)]) != nil {
                name = "\(upstream.name)-\(suffix)"
                suffix += 1
            }
            try db.query("INSERT INTO upstream (name, origin) VALUES (?1, ?2)", [.text(name), .text(origin)])
        }
    }

    /// Up to this number, unused pages are given back one by one; the time for that grows with its square.
    private static let fewPages: Int64 = 8192

    /// Gives many unused pages back, outside a transaction, by rewriting the file. If more than four times as many
    /// pages are in use, that costs too much: then unused pages are kept for what is recorded next.
    static func giveBackPages(_ db: Database) throws {
        let unused = try db.firstInteger("PRAGMA freelist_count") ?? 0
        guard unused > fewPages, let pages = try db.firstInteger("PRAGMA page_count"), pages - unused <= unused * 4
        else {
            return
        }
        try db.execute(sql: "VACUUM")
    }

    /// Writes the file anew, so that nothing is left of what was in it.
    ///
    /// - Parameter isAlone: whether everything is in the one file (`leaveWAL`); otherwise older pages would stay in it.
    /// - Throws: `CassetteError` if that cannot be done; what was changed before stays changed.
    static func rewrite(_ db: Database, isAlone: Bool = true, path: String) throws {
        func failure(_ reason: String) -> CassetteError {
            let text =
                "was changed, but old copies of what was replaced may be left in it, because it could not be written anew: "
            return CassetteError(.unwritable, path: path, "\(text)\(reason) Do it again.")
        }
        guard isAlone else { throw failure("another process is using it.") }
        do {
            try db.execute(sql: "PRAGMA busy_timeout = \(Int(CassetteFile.busyTimeout * 1000)); VACUUM")
        } catch {
            throw failure(CassetteFile.explain(error, path: path, .unwritable).reason)
        }
    }

    /// The last thing in a transaction that ends a use of the cassette: gives unused pages back, if they are few.
    ///
    /// - Returns: what `leaveWAL` needs to know; nil if another run is open, whose end will leave one file.
    static func lastVersion(_ db: Database) throws -> Int64? {
        if try db.firstInteger("PRAGMA freelist_count") ?? 0 <= fewPages { try db.query("PRAGMA incremental_vacuum") }
        guard try db.firstInteger("SELECT 1 FROM episode WHERE state = 'open' LIMIT 1") == nil else { return nil }
        return try db.firstInteger("PRAGMA data_version")
    }

    /// Moves everything into the one file.
    ///
    /// Waits for connections of runs that have just ended: of several that end together, the last one stays. A run that
    /// sees that another has written after it leaves the file to that one. If a connection stays open, such as a
    /// replay's, this gives up after a second: whoever next writes to the cassette tries again.
    ///
    /// - Parameter version: what `lastVersion` returned.
    /// - Returns: whether it is one file now.
    @discardableResult
    static func leaveWAL(_ db: Database, _ version: Int64?) throws -> Bool {
        guard let version else { return false }
        try db.execute(sql: "PRAGMA busy_timeout = 0")
        let deadline = ContinuousClock.now + .seconds(1)
        while true {
            do {
                guard try db.firstInteger("PRAGMA data_version") == version else { return false }
                try giveBackPages(db)
                try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
                try db.execute(sql: "PRAGMA journal_mode = DELETE")
                return true
            } catch let error as DatabaseError
                where error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
            {
                guard ContinuousClock.now < deadline else { return false }
                usleep(1_000)
            }
        }
    }
}
