import GRDB

/// The numbers that secrets were given.
enum PlaceholderSQL {
    /// The highest of every kind.
    static func last(_ db: Database) throws -> [String: Int] {
        var last: [String: Int] = [:]
        try db.query("SELECT kind, last FROM placeholder LIMIT 100000") { row in
            // A crafted file may hold a number after which none comes.
            last[row.text(0)] = Int(min(max(0, row.integer(1)), 1 << 53))
            return true
        }
        return last
    }

    static func raise(_ highest: [String: Int], _ db: Database) throws {
        for (kind, number) in highest {
            try db.query(
                "INSERT INTO placeholder (kind, last) VALUES (?1, ?2) ON CONFLICT (kind) DO UPDATE SET last = max(last, ?2)",
                [.text(kind), .integer(Int64(number))]
            )
        }
    }
}
