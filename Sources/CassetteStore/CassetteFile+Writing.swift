import CassetteSchema
import Foundation
import GRDB

extension CassetteFile {
    /// Opens a cassette for writing, and creates it with its schema if there is none (or an empty file).
    ///
    /// - Returns: the connection, and whether the file was created.
    static func openForWriting(_ path: String) throws -> (queue: DatabaseQueue, wasCreated: Bool) {
        do {
            return try retryingWhileBusy {
                let isNew = try checkKind(path, mayBeNew: true)
                if isNew { createPrivately(path) }
                let queue = try DatabaseQueue(path: path, configuration: configuration(isReadOnly: false))
                try queue.inDatabase { db in
                    // Without any schema it is new as well: another connection may be about to make it, which takes two
                    // transactions (`auto_vacuum` is written by one of its own).
                    if try isNew || isBlank(db) { try create(db) }
                    try check(db, path: path)
                }
                return (queue, isNew)
            }
        } catch {
            throw explain(error, path: path, .unwritable)
        }
    }

    /// Makes a cassette that was left by a killed recording one file again, as far as the file system lets us.
    ///
    /// Reading works without it, except from a read-only place, where SQLite cannot read a write-ahead log.
    package static func recover(_ path: String) {
        guard FileManager.default.fileExists(atPath: path + "-wal"), (try? checkKind(path)) != nil else { return }
        // A failure here is no failure: the reader that is opened next says what is wrong, if anything is.
        guard let (queue, _) = try? openForWriting(path) else { return }
        try? queue.inDatabase { db in
            var version: Int64?
            try db.inTransaction(.immediate) {
                try EpisodeSQL.finishInterrupted(db)
                version = try EpisodeSQL.lastVersion(db)
                return .commit
            }
            try EpisodeSQL.leaveWAL(db, version)
        }
        try? queue.close()
    }

    /// While it is recorded into, what is in a new file is for nobody else; so are the files that SQLite makes beside it, which
    /// get its permissions.
    private static func createPrivately(_ path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        // If that fails, SQLite says why.
        if descriptor >= 0 { close(descriptor) }
    }

    /// Gives a new file the permissions that the user's files have.
    static func publish(_ path: String) {
        chmod(path, 0o666 & ~userMask)
    }

    /// The process's file mode creation mask. Asking for it by `umask` would change it for a moment, for all threads.
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
        // Pages that removed bodies leave are given back without rewriting the file. Must come before any table.
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
