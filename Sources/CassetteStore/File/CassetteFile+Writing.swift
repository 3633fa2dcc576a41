import CassetteSchema
import Foundation
import GRDB

extension CassetteFile {
    /// Opens a cassette for writing: creates it with its schema if there is none (or an empty file), and brings an
    /// older one up to the newest schema. Must be called during a `FolderTurn`.
    ///
    /// - Parameter migrates: false leaves an older file at its version: what is done to it then must suit every version.
    /// - Returns: the connection, and whether the cassette is new.
    static func openForWriting(_ path: String, migrates: Bool = true) throws -> (queue: DatabaseQueue, wasCreated: Bool)
    {
        do {
            return try retryingWhileBusy {
                let isNew = try checkKind(path, mayBeNew: true)
                if isNew, !FileManager.default.fileExists(atPath: path) {
                    try make(path)
                } else {
                    removeDraft(of: path)
                    for purpose in [CassetteCopy.purpose, OriginalFile.purpose] {
                        RecordingCopy.removeOthers(of: canonicalPath(path), purpose)
                    }
                }
                let queue = try DatabaseQueue(
                    path: CassetteFile.databasePath(path),
                    configuration: configuration(isReadOnly: false)
                )
                try queue.inDatabase { db in
                    // The file was empty, or a creation in it was interrupted.
                    if try isBlank(db) { try create(db) }
                    try check(db, path: path)
                    if migrates { try CassetteMigration.migrate(db, path: path) }
                    // What is removed or redacted leaves no trace.
                    try db.execute(sql: "PRAGMA secure_delete = ON")
                }
                return (queue, isNew)
            }
        } catch {
            throw explain(error, path: path, .unwritable)
        }
    }

    /// Where a new cassette is created before it gets its name.
    static func draft(of path: String) -> String { hidden(path, "mockserve-draft") }

    /// A hidden name next to the cassette that nobody would choose.
    static func hidden(_ path: String, _ purpose: String) -> String {
        let url = URL(fileURLWithPath: path)
        return url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).\(purpose)").path
    }

    /// Removes what an interrupted creation left behind. Once there is a cassette, nobody is creating it.
    private static func removeDraft(of path: String) {
        for name in ["", "-journal"] { unlink(draft(of: path) + name) }
    }

    /// Creates a new cassette under another name, and gives it its own when it is complete: an interruption leaves all
    /// of it or nothing. Must be called during a `FolderTurn`, so that nobody else creates it at the same time.
    private static func make(_ path: String) throws {
        let draft = draft(of: path)
        removeDraft(of: path)
        createPrivately(draft)
        do {
            let queue = try DatabaseQueue(
                path: CassetteFile.databasePath(draft),
                configuration: configuration(isReadOnly: false)
            )
            try queue.inDatabase { try create($0) }
            try queue.close()
            // A file that somebody else has created there meanwhile is not replaced, where the file system has hard
            // links.
            guard link(draft, path) == 0 || errno == EEXIST || rename(draft, path) == 0 else {
                let reason = String(cString: strerror(errno))
                throw CassetteError(.unwritable, path: path, "cannot be created: \(reason).")
            }
            unlink(draft)
        } catch {
            unlink(draft)
            throw error
        }
    }

    /// Turns a cassette that a killed recording left behind into one file again, as far as the file system allows.
    ///
    /// Reading works without this, except in a read-only folder, where SQLite cannot read a write-ahead log.
    package static func recover(_ path: String) {
        guard hasRemains(path), (try? checkKind(path)) != nil else { return }
        // A recording that begins now must not be taken for one that was killed.
        guard let turn = try? FolderTurn(of: path) else { return }
        defer { turn.end() }
        recover(path, during: turn)
    }

    /// The same for who has the turn already.
    static func recover(_ path: String, during turn: FolderTurn) {
        guard hasRemains(path), (try? checkKind(path)) != nil else { return }
        // Failures are ignored: the reader that is opened next says if anything is wrong.
        guard let (queue, _) = try? openForWriting(path, migrates: false) else { return }
        try? queue.inDatabase { db in
            var version: Int64?
            let noneIsAlive = try EpisodeSQL.provesOthersDead(db)
            try db.inTransaction(.immediate) {
                try EpisodeSQL.finishInterrupted(db, noneIsAlive: noneIsAlive)
                version = try EpisodeSQL.lastVersion(db)
                return .commit
            }
            try EpisodeSQL.leaveWAL(db, version)
        }
        try? queue.close()
    }

    /// Whether there is a file next to the cassette that belongs to it: a write-ahead log, or the journal of an
    /// interrupted change.
    static func hasRemains(_ path: String) -> Bool {
        ["-wal", "-journal"].contains { FileManager.default.fileExists(atPath: path + $0) }
    }

    /// Rolls back an interrupted change, for a reader: SQLite does so at the first read on a connection that may write.
    ///
    /// - Returns: false if it could not.
    static func takeBack(_ path: String) -> Bool {
        do {
            let queue = try DatabaseQueue(
                path: CassetteFile.databasePath(path),
                configuration: configuration(isReadOnly: false)
            )
            _ = try queue.inDatabase { try $0.firstInteger("PRAGMA schema_version") }
            try queue.close()
            return true
        } catch {
            return false
        }
    }

    /// Creates a file that only its owner may read, for as long as it is recorded into. The files that SQLite creates
    /// next to it get its permissions.
    static func createPrivately(_ path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        // If that fails, SQLite says why.
        if descriptor >= 0 { close(descriptor) }
    }

    /// Gives a new file the permissions that the user's files have.
    static func publish(_ path: String) {
        chmod(path, 0o666 & ~userMask)
    }

    /// The process's file mode creation mask. Reading it with `umask`, the fallback, changes it for a moment, for all
    /// threads.
    private static let userMask: mode_t = {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("Umask:") }
        if let text = line?.dropFirst("Umask:".count), let mask = mode_t(text.filter(\.isNumber), radix: 8) {
            return mask
        }
        let mask = umask(0o022)
        umask(mask)
        return mask
    }()

    static func createDirectory(of path: String) throws {
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        } catch {
            throw CassetteError(
                .unwritable,
                path: path,
                "its folder cannot be made: \(error.localizedDescription)"
            )
        }
    }

    private static func isBlank(_ db: Database) throws -> Bool {
        try db.firstInteger("SELECT 1 FROM sqlite_schema LIMIT 1") == nil
            && db.firstInteger("PRAGMA application_id") == 0
    }

    private static func create(_ db: Database) throws {
        // Lets pages of removed bodies be given back without rewriting the file. Must be set before the first table is
        // created.
        try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
        try db.inTransaction(.immediate) {
            // Another process may have been quicker.
            guard try db.firstInteger("SELECT 1 FROM sqlite_schema LIMIT 1") == nil else { return .commit }
            for script in CassetteSchema.scripts { try db.execute(sql: script) }
            try db.execute(sql: "PRAGMA application_id = \(CassetteSchema.applicationID)")
            try db.execute(sql: "PRAGMA user_version = \(CassetteSchema.version)")
            return .commit
        }
    }
}
