import CassetteSchema
import Foundation
import GRDB

/// Brings a cassette of an earlier schema version up to the newest one.
///
/// The format keeps the version in `PRAGMA user_version`, so a library that keeps it in a table of its own does not
/// fit.
enum CassetteMigration {
    /// Where the cassette is copied to before it is changed: a name that nobody would choose.
    static func copy(of path: String) -> String { CassetteFile.hidden(path, "mockserve-before-migration") }

    /// Changes the file in one transaction, with a copy of it next to it until that has succeeded. A file that is up to
    /// date is left as it is. Must be called during a `FolderTurn`.
    ///
    /// - Throws: `CassetteError` or `DatabaseError`; then the file is as it was, or a copy from before stays next to
    ///   it.
    static func migrate(_ db: Database, path: String) throws {
        let copy = copy(of: path)
        if try version(db) < CassetteSchema.version {
            do {
                try db.inTransaction(.immediate) {
                    // An existing copy was left by a migration that was killed, which SQLite has rolled back.
                    try makeCopy(of: path, at: copy)
                    for script in try CassetteSchema.scripts[version(db)...] { try db.execute(sql: script) }
                    try db.execute(sql: "PRAGMA user_version = \(CassetteSchema.version)")
                    try CassetteFile.checkSchema(db, path: path)
                    return .commit
                }
            } catch {
                removeCopy(copy)
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
        CassetteFile.createPrivately(copy)
        let source = try DatabaseQueue(
            path: CassetteFile.databasePath(path),
            configuration: CassetteFile.configuration(isReadOnly: true)
        )
        let destination = try DatabaseQueue(
            path: CassetteFile.databasePath(copy),
            configuration: CassetteFile.configuration(isReadOnly: false)
        )
        try source.backup(to: destination)
        try destination.close()
        try source.close()
    }

    private static func removeCopy(_ copy: String) {
        for name in ["", "-journal", "-wal", "-shm"] { unlink(copy + name) }
    }

    /// - Throws: `CassetteError` if the file is not intact; then the copy stays.
    private static func prove(_ db: Database, path: String, copy: String) throws {
        var finding = "it cannot be checked"
        try db.query("PRAGMA quick_check(1)") { row in
            finding = row.text(0)
            return false
        }
        guard finding != "ok" else { return }
        throw CassetteError(
            .damaged,
            path: path,
            "was damaged while it was brought up to schema version \(CassetteSchema.version) (\(finding)). A copy of it as it was "
                + "before is \(copy)."
        )
    }
}
