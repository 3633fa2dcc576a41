import Foundation
import GRDB
import MockServeCore

/// What a recording run is for.
package enum EpisodeMode: String, Sendable {
    case once
    case missing
    case all
    /// Answers written by hand.
    case hand
}

/// Beginning and ending recording runs.
enum EpisodeSQL {
    /// Ends runs that were killed: what they recorded stays, as if they had ended well.
    static func finishInterrupted(_ db: Database) throws {
        var open: [(Int64, EpisodeMode)] = []
        try db.query("SELECT id, mode, owner_pid FROM episode WHERE state = 'open'") { row in
            guard !isAlive(row.integer(2)) else { return true }
            open.append((row.integer(0), EpisodeMode(rawValue: row.text(1)) ?? .once))
            return true
        }
        for (episode, mode) in open { try end(episode, mode: mode, keeping: true, now: nil, db) }
    }

    private static func isAlive(_ process: Int64) -> Bool {
        guard let process = pid_t(exactly: process), process > 0 else { return false }
        return kill(process, 0) == 0 || errno == EPERM
    }

    /// Ends a run: keeps or drops what it recorded; a kept `all` run takes the place of older answers to the same
    /// requests.
    static func end(_ episode: Int64, mode: EpisodeMode, keeping: Bool, now: Int64?, _ db: Database) throws {
        if !keeping {
            try db.query("DELETE FROM interaction WHERE episode_id = ?1", [.integer(episode)])
        } else if mode == .all {
            try db.query(
                """
                DELETE FROM interaction WHERE episode_id <> ?1 \
                AND id < (SELECT min(id) FROM interaction WHERE episode_id = ?1) \
                AND match_key IN (SELECT match_key FROM interaction WHERE episode_id = ?1)
                """,
                [.integer(episode)]
            )
        }
        try db.query(
            "UPDATE episode SET state = 'kept', ended_at = ?2, owner_pid = NULL WHERE id = ?1",
            [.integer(episode), now.map { .integer($0) } ?? .null]
        )
        try removeUnused(db)
    }

    /// Removes bodies nobody refers to, and kept runs of which nothing is left.
    static func removeUnused(_ db: Database) throws {
        try db.query(
            """
            DELETE FROM body \
            WHERE (episode_id IS NULL OR episode_id NOT IN (SELECT id FROM episode WHERE state = 'open')) \
            AND id NOT IN (SELECT response_body_id FROM interaction WHERE response_body_id NOT NULL \
            UNION SELECT request_body_id FROM interaction WHERE request_body_id NOT NULL)
            """
        )
        try db.query("DELETE FROM body_slice WHERE body_id NOT IN (SELECT id FROM body)")
        try db.query(
            "DELETE FROM episode WHERE state = 'kept' AND id NOT IN (SELECT episode_id FROM interaction)"
        )
    }

    /// Adds new upstreams and holds known ones to their names.
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

    /// The last thing in a transaction that ends a use of the cassette: gives unused pages back.
    ///
    /// - Returns: what `leaveWAL` needs to know; nil if another run is open, to the end of which the file is left.
    static func lastVersion(_ db: Database) throws -> Int64? {
        try db.query("PRAGMA incremental_vacuum")
        guard try db.firstInteger("SELECT 1 FROM episode WHERE state = 'open' LIMIT 1") == nil else { return nil }
        return try db.firstInteger("PRAGMA data_version")
    }

    /// Moves everything into the one file.
    ///
    /// Connections of runs that have just ended may still be there, and are waited for: of several that end together, the
    /// last one stays. Whoever sees that another has written after it leaves the file to that one. A connection that does
    /// not go, such as a replay's, is given up on after a second: whoever next writes to the cassette tries again.
    ///
    /// - Parameter version: of `lastVersion`.
    /// - Returns: whether it is one file now.
    @discardableResult
    static func leaveWAL(_ db: Database, _ version: Int64?) throws -> Bool {
        guard let version else { return false }
        try db.execute(sql: "PRAGMA busy_timeout = 0")
        let deadline = ContinuousClock.now + .seconds(1)
        while true {
            do {
                guard try db.firstInteger("PRAGMA data_version") == version else { return false }
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
