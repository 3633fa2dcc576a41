import CassetteSchema
import Foundation
import GRDB

/// Brings a cassette of an earlier schema version up to the newest one.
///
/// The format keeps the version in `PRAGMA user_version`, so a library that keeps it in a table of its own does not
/// fit.
enum CassetteMigration {
    /// Where the cassette is copied to before it is changed: a name that nobody would choose, whatever link led here.
    static func copy(of path: String) -> String {
        CassetteFile.hidden(CassetteFile.canonicalPath(path), "mockserve-old")
    }

    /// Changes the file in one transaction, with a copy of it next to it until that has succeeded. A file that is up to
    /// date is left as it is. Must be called during a `FolderTurn`.
    ///
    /// - Throws: `CassetteError` or `DatabaseError`; then the file is as it was, or a copy from before stays next to
    ///   it.
    static func migrate(_ db: Database, path: String) throws {
        let copy = copy(of: path)
        if try version(db) < CassetteSchema.version {
            // Another process may be at it, by another name of the file: then the copy is that one's.
            var isOwnCopy = false
            do {
                try db.inTransaction(.immediate) {
                    // It may have been quicker.
                    guard try version(db) < CassetteSchema.version else { return .commit }
                    isOwnCopy = true
                    // An existing copy was left by a migration that was killed, which SQLite has rolled back.
                    try makeCopy(of: path, at: copy)
                    for script in try CassetteSchema.scripts[version(db)...] { try db.execute(sql: script) }
                    try db.execute(sql: "PRAGMA user_version = \(CassetteSchema.version)")
                    try CassetteFile.checkSchema(db, path: path)
                    return .commit
                }
            } catch {
                if isOwnCopy { removeCopy(copy) }
                throw error
            }
        }
        guard FileManager.default.fileExists(atPath: copy) else { return }
        try prove(db, path: path, copy: copy)
        removeCopy(copy)
    }

    private static func version(_ db: Database) throws -> Int { Int(try db.firstInteger("PRAGMA user_version") ?? 0) }

    /// Nobody else writes meanwhile: the caller has begun a transaction that writes.
    private static func makeCopy(of path: String, at copy: String) throws {
        removeCopy(copy)
        do {
            CassetteFile.createPrivately(copy)
            try CassetteFile.copyContent(of: path, into: copy)
        } catch {
            let isFull = (error as? DatabaseError)?.resultCode == .SQLITE_FULL
            throw CassetteError(
                .unwritable,
                path: path,
                "is of an older schema version, and cannot be brought up to version \(CassetteSchema.version) without a copy of it "
                    + "meanwhile, which cannot be made at \(copy)\(isFull ? ": the disk is full" : ""). Make room for it there, and let "
                    + "the folder be written. Nothing was changed."
            )
        }
    }

    private static func removeCopy(_ copy: String) {
        for name in ["", "-journal", "-wal", "-shm"] { unlink(copy + name) }
    }

    /// - Throws: `CassetteError` if the file is not intact, and the copy is; then the copy stays.
    private static func prove(_ db: Database, path: String, copy: String) throws {
        let finding = try finding(db)
        // What was wrong before is not the migration's doing.
        guard finding != "ok", isIntact(copy) else { return }
        throw CassetteError(
            .damaged,
            path: path,
            "was damaged while it was brought up to schema version \(CassetteSchema.version) (\(finding)). A copy from before is "
                + "\(copy): put it back under the cassette's name."
        )
    }

    private static func isIntact(_ path: String) -> Bool {
        guard
            let queue = try? DatabaseQueue(
                path: CassetteFile.databasePath(path),
                configuration: CassetteFile.configuration(isReadOnly: true)
            )
        else { return false }
        defer { try? queue.close() }
        return (try? queue.inDatabase { try finding($0) }) == "ok"
    }

    /// What SQLite finds wrong with a file; `ok` if nothing.
    private static func finding(_ db: Database) throws -> String {
        var finding = "it cannot be checked"
        try db.query("PRAGMA quick_check(1)") { row in
            finding = row.text(0)
            return false
        }
        return finding
    }
}
