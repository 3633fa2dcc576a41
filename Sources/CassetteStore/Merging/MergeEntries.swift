import Crypto
import GRDB
import MockServeCore

/// What is in a cassette, as pairing and merging see it.
struct MergeEntries {
    /// By place, the number in the cassette.
    private(set) var numbers: [Int64] = []
    private(set) var entries: [MergeEntry] = []

    /// - Parameter keys: the match key of an interaction; nil for the one that is kept.
    static func interactions(_ db: Database, keys: ((Int64) throws -> MatchKey)? = nil) throws -> MergeEntries {
        var result = MergeEntries()
        let sql = """
            SELECT interaction.id, match_key, chunks, origin, method, target, request_version, request_fields, \
            request_trailers, informational, response_version, status, reason, response_fields, response_trailers, \
            request_body.sha256, response_body.sha256 FROM \(InteractionRow.tables) ORDER BY interaction.id
            """
        try db.query(sql) { row in
            var digest = SHA256()
            // Of the timing only how a cut answer ended is content.
            let cut = row.isNull(2) ? nil : row.withText(2) { ChunksJSON.decode($0) }?.cut
            digest.update(data: [cut.map { $0.end == .close ? 1 : 2 } ?? 0])
            add(row, 3..<17, to: &digest)
            result.numbers.append(row.integer(0))
            result.entries.append(MergeEntry(key: row.bytes(1), content: Array(digest.finalize())))
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

    static func stubs(_ db: Database) throws -> MergeEntries {
        var result = MergeEntries()
        guard try !StubSQL.hasNone(db) else { return result }
        let sql = """
            SELECT stub.id, pattern, conditions, status, reason, response_fields, response_trailers, delay_ms, sha256 \
            FROM stub LEFT JOIN body ON body.id = response_body_id ORDER BY stub.id
            """
        try db.query(sql) { row in
            var digest = SHA256()
            add(row, 1..<9, to: &digest)
            result.numbers.append(row.integer(0))
            let key = Array((row.text(1) + "\n" + row.text(2)).utf8)
            result.entries.append(MergeEntry(key: key, content: Array(digest.finalize())))
            return true
        }
        return result
    }

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
