import GRDB

/// Counts and sizes of a cassette.
package struct CassetteStatistics: Sendable {
    package var interactions = 0
    package var stubs = 0
    package var rules = 0
    package var episodes = 0
    /// Stored bodies and their bytes.
    package var bodies = 0
    package var bodyBytes = 0
    /// Bytes that the bodies would have if each interaction had its own.
    package var referencedBytes = 0
    /// Bodies that nothing refers to.
    package var orphans = 0
    /// Bytes of the file, and of unused pages in it.
    package var fileBytes = 0
    package var unusedBytes = 0
    /// Milliseconds since 1970 UTC; nil if there are no interactions.
    package var oldest: Int64?
    package var newest: Int64?
    /// Numbers, methods, targets and milliseconds of the slowest to answer.
    package var slowest: [(number: Int64, request: String, milliseconds: Int64)] = []
    /// How many of each.
    package var methods: [(name: String, count: Int)] = []
    package var statuses: [(name: String, count: Int)] = []
    package var origins: [(name: String, count: Int)] = []

    init(_ db: Database) throws {
        func number(_ sql: String) throws -> Int { Int(try db.firstInteger(sql) ?? 0) }
        interactions = try number("SELECT count(*) FROM interaction")
        stubs = try StubSQL.count(db)
        rules = try number("SELECT count(*) FROM rule")
        episodes = try number("SELECT count(*) FROM episode")
        bodies = try number("SELECT count(*) FROM body")
        bodyBytes = try number("SELECT sum(size) FROM body")
        referencedBytes = try number(
            """
            SELECT sum(coalesce(request_body.size, 0) + coalesce(response_body.size, 0)) FROM \(InteractionRow.tables)
            """
        )
        let references = """
            SELECT request_body_id FROM interaction WHERE request_body_id NOT NULL \
            UNION SELECT response_body_id FROM interaction WHERE response_body_id NOT NULL
            """
        let others =
            try StubSQL.hasNone(db)
            ? ""
            : " UNION SELECT response_body_id FROM stub WHERE response_body_id NOT NULL "
                + "UNION SELECT body_id FROM message WHERE body_id NOT NULL"
        orphans = try number("SELECT count(*) FROM body WHERE id NOT IN (\(references)\(others))")
        let page = try number("PRAGMA page_size")
        fileBytes = try number("PRAGMA page_count") * page
        unusedBytes = try number("PRAGMA freelist_count") * page
        try db.query("SELECT min(recorded_at), max(recorded_at) FROM interaction") { row in
            if !row.isNull(0) { (oldest, newest) = (row.time(0), row.time(1)) }
            return false
        }
        let slow =
            "SELECT id, method, target, first_byte_ms FROM interaction WHERE first_byte_ms > 0 ORDER BY first_byte_ms DESC LIMIT 5"
        try db.query(slow) { row in
            slowest.append((row.integer(0), "\(row.text(1)) \(row.text(2))", row.integer(3)))
            return true
        }
        func groups(_ column: String) throws -> [(name: String, count: Int)] {
            var found: [(name: String, count: Int)] = []
            let sql = "SELECT \(column), count(*) FROM interaction GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100"
            try db.query(sql) { row in
                found.append((row.text(0), Int(row.integer(1))))
                return true
            }
            return found
        }
        methods = try groups("method")
        statuses = try groups("status")
        origins = try groups("origin")
    }
}
