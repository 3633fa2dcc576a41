import Crypto
import GRDB
import MockServeCore

/// What is in a cassette, as pairing and merging see it.
struct MergeEntries {
    /// By place, the number in the cassette.
    private(set) var numbers: [Int64] = []
    private(set) var entries: [MergeEntry] = []

    private static let columns = """
        interaction.id, match_key, chunks, origin, method, target, request_version, request_fields, request_trailers, \
        informational, response_version, status, reason, response_fields, response_trailers, request_body.sha256, \
        response_body.sha256
        """

    private static func content(_ row: RowView) -> [UInt8] {
        var digest = SHA256()
        // Of the timing only how a cut answer ended is content.
        let cut = row.isNull(2) ? nil : row.withText(2) { ChunksJSON.decode($0) }?.cut
        digest.update(data: [cut.map { $0.end == .close ? 1 : 2 } ?? 0])
        add(row, 3..<17, to: &digest)
        return Array(digest.finalize())
    }

    /// A digest of one interaction; nil if it is not there.
    static func content(of number: Int64, _ db: Database) throws -> [UInt8]? {
        var found: [UInt8]?
        try db.query("SELECT \(columns) FROM \(InteractionRow.tables) WHERE interaction.id = ?1", [.integer(number)]) {
            row in
            found = content(row)
            return false
        }
        return found
    }

    /// - Parameter keys: the match key of an interaction; nil for the one that is kept.
    static func interactions(_ db: Database, keys: ((Int64) throws -> MatchKey)? = nil) throws -> MergeEntries {
        var result = MergeEntries()
        try db.query("SELECT \(columns) FROM \(InteractionRow.tables) ORDER BY interaction.id") { row in
            result.numbers.append(try number(row))
            result.entries.append(MergeEntry(key: row.bytes(1), content: content(row)))
            return true
        }
        guard let keys else { return result }
        result.entries = try zip(result.numbers, result.entries).map { number, entry in
            MergeEntry(key: try keys(number).bytes, content: entry.content)
        }
        return result
    }

    /// The same with the keys that they have under other rules.
    static func interactions(_ db: Database, _ rules: RuleSet, path: String) throws -> MergeEntries {
        try interactions(db) { number in
            guard let interaction = try RuleSQL.next(db, after: number - 1) else {
                throw CassetteError(.damaged, path: path, "is damaged: interaction \(number) is missing.")
            }
            return try RuleSQL.key(of: interaction, rules, db, path: path)
        }
    }

    /// The same for a merge that has left conflicts: there, neither side is what was before, so each differs from it.
    func settling(_ conflicts: [Conflict]) -> MergeEntries {
        guard !conflicts.isEmpty else { return self }
        let dropped = Set(conflicts.compactMap { conflict in conflict.ours == nil ? nil : conflict.theirs })
        let open = Set(conflicts.compactMap { $0.ours ?? $0.theirs })
        var result = MergeEntries()
        for (number, entry) in zip(numbers, entries) where !dropped.contains(number) {
            result.numbers.append(number)
            result.entries.append(
                open.contains(number) ? MergeEntry(key: entry.key, content: Array("conflict \(number)".utf8)) : entry
            )
        }
        return result
    }

    static func stubs(_ db: Database) throws -> MergeEntries {
        var result = MergeEntries()
        guard try !StubSQL.hasNone(db) else { return result }
        let sql = """
            SELECT stub.id, pattern, conditions, status, reason, response_fields, response_trailers, delay_ms, sha256, \
            \(try StubSQL.behaviorColumn(db)) FROM stub LEFT JOIN body ON body.id = response_body_id ORDER BY stub.id
            """
        try db.query(sql) { row in
            var digest = SHA256()
            add(row, 1..<10, to: &digest)
            result.numbers.append(try number(row))
            let key = Array((row.text(1) + "\n" + row.text(2)).utf8)
            result.entries.append(MergeEntry(key: key, content: Array(digest.finalize())))
            return true
        }
        return result
    }

    /// A crafted file may have numbers after which there are no more.
    private static func number(_ row: RowView) throws -> Int64 {
        let number = row.integer(0)
        guard (1...largest).contains(number) else { throw InteractionRow.Malformed(column: "id", id: number) }
        return number
    }

    /// The largest number of an interaction or stub.
    static let largest: Int64 = 1 << 53

    private static func add(_ row: RowView, _ columns: Range<Int32>, to digest: inout SHA256) {
        for column in columns {
            row.withBytes(column) { bytes in
                // What is missing is not what is empty.
                let length = row.isNull(column) ? UInt64.max : UInt64(bytes.count)
                withUnsafeBytes(of: length.littleEndian) { digest.update(bufferPointer: $0) }
                digest.update(bufferPointer: bytes)
            }
        }
    }
}
