import CassetteSchema
import CSQLiteGuard
import Foundation
import GRDB
import GRDBSQLite

/// Opens a cassette as a file that somebody else may have made.
package enum CassetteFile {
    /// Bytes of one row value that are read at most; a body slice is 256 KiB, fields are bounded when recorded.
    static let maximumValueLength: Int32 = 64 << 20

    /// For programs, to be called before they open a cassette: threads then share less inside SQLite.
    package static func prepareProcess() { mockserve_sqlite_without_statistics() }

    /// Looks at the file without opening it: opening and closing it while SQLite has it open would drop the locks that
    /// SQLite holds for this process (<https://sqlite.org/howtocorrupt.html> §2.2).
    ///
    /// - Parameter mayBeNew: whether it may be missing, or empty.
    /// - Throws: `CassetteError` if it is missing, not a regular file, or empty.
    /// - Returns: whether there is nothing in it yet.
    @discardableResult
    static func checkKind(_ path: String, mayBeNew: Bool = false) throws -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else {
            // Anything else that is wrong with the path is reported when it is created.
            if mayBeNew { return true }
            throw CassetteError(.unreadable, path: path, "cannot be opened: \(String(cString: strerror(errno))).")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw CassetteError(.unreadable, path: path, "is not a regular file.")
        }
        guard status.st_size > 0 || mayBeNew else {
            throw CassetteError(.foreign, path: path, "is empty, so it is not a cassette.")
        }
        return status.st_size == 0
    }

    /// - Throws: `CassetteError` if the database is not a cassette, is newer than this build, or its schema is not what
    ///   its version has: no view, trigger or generated column of a crafted file is ever run.
    static func check(_ db: Database, path: String) throws {
        // One state of the file: another process may be bringing it up to a newer version.
        try db.inTransaction(.deferred) {
            try checkState(db, path: path)
            return .commit
        }
    }

    private static func checkState(_ db: Database, path: String) throws {
        guard try db.firstInteger("PRAGMA application_id") == Int64(CassetteSchema.applicationID) else {
            throw CassetteError(.foreign, path: path, "is an SQLite database, but not a cassette.")
        }
        let version = try db.firstInteger("PRAGMA user_version") ?? 0
        guard version <= Int64(CassetteSchema.version) else {
            throw CassetteError(
                .foreign,
                path: path,
                "has schema version \(version); this mockserve reads up to \(CassetteSchema.version). Update mockserve."
            )
        }
        // Texts are read as bytes, as they are in the file.
        var isUTF8 = false
        try db.query("PRAGMA encoding") { row in
            isUTF8 = row.text(0) == "UTF-8"
            return false
        }
        guard isUTF8 else { throw CassetteError(.damaged, path: path, "holds text in UTF-16; a cassette is in UTF-8.") }
        try checkLength(db, path: path)
        try checkSchema(db, path: path)
    }

    /// - Throws: `CassetteError` if the schema is not exactly what its version has.
    static func checkSchema(_ db: Database, path: String) throws {
        let version = Int(try db.firstInteger("PRAGMA user_version") ?? 0)
        let schemas = try schemas.get()
        guard schemas.indices.contains(version - 1) else {
            throw CassetteError(.damaged, path: path, "has schema version \(version), which does not exist.")
        }
        let (found, expected) = (try schema(of: db), schemas[version - 1])
        guard found == expected else {
            let names = found.symmetricDifference(expected).map(\.name).sorted().prefix(5).joined(separator: ", ")
            throw CassetteError(.damaged, path: path, "has a schema that is not a cassette's (\(names)).")
        }
    }

    /// The canonical name of a file: absolute, without symbolic links if the file exists.
    ///
    /// Foundation's function would also look up the user's home directory, over a socket.
    package static func canonicalPath(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return URL(fileURLWithPath: path).path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Whether two paths lead to one file, also by a link.
    package static func isSame(_ one: String, _ other: String) -> Bool {
        var (left, right) = (stat(), stat())
        guard stat(one, &left) == 0, stat(other, &right) == 0 else { return canonicalPath(one) == canonicalPath(other) }
        return left.st_dev == right.st_dev && left.st_ino == right.st_ino
    }

    /// A path that SQLite takes as such: `:memory:` and `file:…` would mean something else.
    static func databasePath(_ path: String) -> String { path.hasPrefix("/") ? path : "./" + path }

    /// How long a connection waits for others that have the file locked, in seconds.
    static let busyTimeout = 10.0

    static func configuration(isReadOnly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = isReadOnly
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(busyTimeout)
        configuration.prepareDatabase { db in
            guard let connection = db.sqliteConnection else { return }
            mockserve_sqlite_guard(UnsafeMutableRawPointer(connection))
            sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, maximumValueLength)
            try db.execute(sql: "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0")
        }
        return configuration
    }

    /// Notices that a file was cut off, before the missing part is read. If there is a write-ahead log, the length says
    /// nothing.
    private static func checkLength(_ db: Database, path: String) throws {
        var (file, log) = (stat(), stat())
        guard stat(path, &file) == 0, stat(path + "-wal", &log) != 0 || log.st_size == 0 else { return }
        let pages = try db.firstInteger("PRAGMA page_count") ?? 0
        let pageSize = try db.firstInteger("PRAGMA page_size") ?? 0
        guard Int64(file.st_size) >= pages * pageSize else {
            throw CassetteError(
                .damaged,
                path: path,
                "is cut off: it has \(file.st_size) of \(pages * pageSize) bytes."
            )
        }
    }

    private struct SchemaObject: Hashable {
        let type: String
        let name: String
        let sql: String
    }

    private static func schema(of db: Database) throws -> Set<SchemaObject> {
        var objects: Set<SchemaObject> = []
        try db.query("SELECT type, name, sql FROM sqlite_schema LIMIT 100") { row in
            objects.insert(SchemaObject(type: row.text(0), name: row.text(1), sql: row.text(2)))
            return true
        }
        return objects
    }

    /// The schema of each version, from the first on.
    private static let schemas = Result {
        let queue = try DatabaseQueue()
        return try queue.write { db in
            try CassetteSchema.scripts.map { script in
                try db.execute(sql: script)
                return try schema(of: db)
            }
        }
    }

    /// Makes what is in one database be in the other, in one transaction.
    static func copyContent(of path: String, into place: String) throws {
        let source = try DatabaseQueue(path: databasePath(path), configuration: configuration(isReadOnly: true))
        let destination = try DatabaseQueue(path: databasePath(place), configuration: configuration(isReadOnly: false))
        try source.backup(to: destination)
        try destination.close()
        try source.close()
    }

    /// Tries again while another connection is in the way, for up to 10 seconds. SQLite's own waiting does not cover
    /// everything: it gives up at once where two connections change the journal mode.
    static func retryingWhileBusy<Result>(_ body: () throws -> Result) throws -> Result {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            do {
                return try body()
            } catch let error as DatabaseError
                where (error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED)
                && ContinuousClock.now < deadline
            {
                usleep(2_000)
            }
        }
    }

    /// Opens for reading what may have been left in the middle of a change, which a reader alone cannot roll back.
    static func mendingRemains<Result>(_ path: String, _ open: () throws -> Result) throws -> Result {
        do {
            return try open()
        } catch let error as DatabaseError
            where (error.resultCode == .SQLITE_READONLY || error.resultCode == .SQLITE_CANTOPEN) && hasRemains(path)
        {
            guard takeBack(path) else {
                throw CassetteError(
                    .unreadable,
                    path: path,
                    "was left in the middle of a change, which cannot be taken back here: neither it nor its folder can be written. "
                        + "Copy it, and what lies next to it (\(path)-journal, \(path)-wal), to where they can, and read it there."
                )
            }
            return try open()
        }
    }

    static func explain(_ error: InteractionRow.Malformed, path: String) -> CassetteError {
        CassetteError(.damaged, path: path, "is damaged: interaction \(error.id) has a bad \(error.column).")
    }

    /// Says in words for users what SQLite or GRDB said.
    static func explain(_ error: any Error, path: String, _ code: CassetteError.Code) -> CassetteError {
        if let error = error as? CassetteError { return error }
        guard let error = error as? DatabaseError else {
            return CassetteError(.damaged, path: path, "holds a value of an unexpected type or size.")
        }
        let message = error.message ?? "error \(error.resultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_NOTADB:
            return CassetteError(.foreign, path: path, "is not a cassette (it is not an SQLite database).")
        case .SQLITE_CORRUPT, .SQLITE_FORMAT, .SQLITE_TOOBIG, .SQLITE_MISMATCH:
            return CassetteError(.damaged, path: path, "is damaged: \(message).")
        case .SQLITE_FULL: return CassetteError(.unwritable, path: path, "cannot be written: the disk is full.")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return CassetteError(code, path: path, "is in use by another process, which did not let go in 10 seconds.")
        default: return CassetteError(code, path: path, "\(message).")
        }
    }
}
