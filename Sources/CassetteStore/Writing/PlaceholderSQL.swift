import GRDB
import MockServeCore

/// The numbers given to secrets.
enum PlaceholderSQL {
    /// The highest of every kind.
    static func last(_ db: Database) throws -> [String: Int] {
        var last: [String: Int] = [:]
        try db.query("SELECT kind, last FROM placeholder LIMIT 100000") { row in
            // A crafted file may hold a number that cannot be raised.
            last[row.text(0)] = Int(min(max(0, row.integer(1)), 1 << 53))
            return true
        }
        return last
    }

    /// Numbers that a run must not give.
    struct Numbers {
        /// The highest of every kind that was given.
        var last: [String: Int] = [:]
        /// All numbers up to this are taken; zero if the run is the only one.
        var floor = 0
    }

    /// The row that says up to which number they are reserved. No kind has this name.
    private static let reserved = ""
    /// How many numbers of each kind a run gets that is not the only one.
    private static let block = 1_000_000

    /// The numbers taken for a run that begins. If another process has a run open, it gets numbers of its own, because
    /// neither sees what the other gives.
    static func reserve(_ db: Database, hasOthers: Bool) throws -> Numbers {
        let last = try last(db)
        guard hasOthers else { return Numbers(last: last) }
        let floor = ((last.values.max() ?? 0) / block + 1) * block
        try raise([reserved: floor], db)
        return Numbers(last: last, floor: floor)
    }

    static func raise(_ highest: [String: Int], _ db: Database) throws {
        for (kind, number) in highest {
            try db.query(
                "INSERT INTO placeholder (kind, last) VALUES (?1, ?2) ON CONFLICT (kind) DO UPDATE SET last = max(last, ?2)",
                [.text(kind), .integer(Int64(number))]
            )
        }
    }

    /// Where requests are told apart by secrets, a number says whose they are. Two cassettes that have both given numbers have
    /// given the same ones to different people.
    ///
    /// - Parameter base: what both come from; nil if they have nothing in common.
    static func refuseMixed(
        _ base: Database?,
        _ ours: Database,
        path: String,
        _ theirs: Database,
        path theirPath: String
    ) throws {
        let sides = try [RuleSQL.all(ours, path: path), RuleSQL.all(theirs, path: theirPath)]
        guard sides.contains(where: { $0.redactor?.tellsApart == true }) else { return }
        let old = try base.map { try last($0) } ?? [:]
        func given(_ db: Database) throws -> Bool { try last(db).contains { $0.value > old[$0.key] ?? 0 } }
        guard try given(ours), try given(theirs),
            try MergeEntries.interactions(ours).entries != MergeEntries.interactions(theirs).entries
        else { return }
        throw CassetteError(
            .unwritable,
            path: path,
            """
            was not changed: rules tell requests apart by their secrets, and both sides have recorded new ones, which have the \
            same numbers. Record here what the other side has.
            """
        )
    }
}
