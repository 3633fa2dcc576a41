import GRDB

/// The size of a cassette's pages. Every table and index has a page at least, so a cassette of one interaction is small
/// only if its pages are. It is recorded into, and grows, with pages of the usual size.
enum PageSize {
    static let usual: Int64 = 4096
    static let small: Int64 = 512
    /// Bytes of a file, in usual pages, up to which it gets small ones.
    private static let smallLimit: Int64 = 128 << 10
    /// Bytes of a file beyond which it has usual ones.
    private static let largeLimit: Int64 = 512 << 10

    /// Chooses the size for what is in the file, once nothing is looked for in its bytes any more: what is longer than a
    /// page is in pieces. If somebody else is using the file, it stays as it is.
    static func fit(_ db: Database) {
        guard let (size, count) = try? measure(db), count > 0 else { return }
        if size == usual, size * count <= smallLimit {
            change(db, to: small)
        } else if size < usual, size * count > largeLimit {
            change(db, to: usual)
        }
    }

    /// For a recording, which may become long; not if somebody else is recording.
    static func enlarge(_ db: Database) {
        guard let (size, _) = try? measure(db), size < usual, (try? isInWAL(db)) == false else { return }
        change(db, to: usual)
    }

    private static func isInWAL(_ db: Database) throws -> Bool {
        var isInWAL = false
        try db.query("PRAGMA journal_mode") { row in
            isInWAL = row.text(0) == "wal"
            return false
        }
        return isInWAL
    }

    private static func measure(_ db: Database) throws -> (size: Int64, count: Int64)? {
        guard let size = try db.firstInteger("PRAGMA page_size"), let count = try db.firstInteger("PRAGMA page_count")
        else { return nil }
        return (size, count)
    }

    /// Does nothing if it cannot, at once: a cassette with other pages is as good.
    private static func change(_ db: Database, to size: Int64) {
        let patience = Int(CassetteFile.busyTimeout * 1000)
        try? db.execute(sql: "PRAGMA busy_timeout = 0; PRAGMA page_size = \(size); VACUUM")
        try? db.execute(sql: "PRAGMA busy_timeout = \(patience)")
    }
}
