import GRDB
import GRDBSQLite

/// Copies interactions and stubs from one cassette into another, exactly. Bodies that are there already are shared.
struct RowCopy {
    private static let interactionColumns = """
        origin, method, target, request_version, request_fields, request_trailers, informational, response_version, status, \
        reason, response_fields, response_trailers, match_key, vary, vary_key, recorded_at, first_byte_ms, chunks, redacted
        """
    private static let stubColumns = "pattern, conditions, status, reason, response_fields, response_trailers, delay_ms"

    let source: Database
    let destination: Database
    /// Whether the source has messages and stubs.
    private let isOld: Bool
    private var bodies: [Int64: Int64] = [:]
    private var episodes: [Int64: Int64] = [:]

    init(from source: Database, to destination: Database) throws {
        (self.source, self.destination) = (source, destination)
        isOld = try StubSQL.hasNone(source)
    }

    /// - Parameter number: of the copy, which must be free.
    mutating func interaction(_ id: Int64, as number: Int64) throws {
        var values: [Binding] = []
        var references: (episode: Int64, request: Int64?, response: Int64?) = (0, nil, nil)
        let sql =
            "SELECT episode_id, request_body_id, response_body_id, \(Self.interactionColumns) FROM interaction WHERE id = ?1"
        try source.query(sql, [.integer(id)]) { row in
            references = (row.integer(0), row.reference(1), row.reference(2))
            values = (3..<22).map { row.value($0) }
            return false
        }
        let own: [Binding] = [
            .integer(number), .integer(try episode(references.episode)), try body(references.request),
            try body(references.response),
        ]
        try insert(
            "interaction",
            "id, episode_id, request_body_id, response_body_id, \(Self.interactionColumns)",
            own + values
        )
        guard !isOld else { return }
        var messages: [(body: Int64?, values: [Binding])] = []
        let columns = "number, sender, kind, offset_ms"
        try source.query("SELECT body_id, \(columns) FROM message WHERE interaction_id = ?1", [.integer(id)]) { row in
            messages.append((row.reference(0), (1..<5).map { row.value($0) }))
            return true
        }
        for message in messages {
            try insert(
                "message",
                "interaction_id, body_id, \(columns)",
                [.integer(number), try body(message.body)] + message.values
            )
        }
    }

    /// Gives an interaction the answer of another one, with its date and timings. Its request stays.
    mutating func answer(_ id: Int64, to other: Int64) throws {
        let columns = [
            "informational", "response_version", "status", "reason", "response_fields", "response_trailers",
            "recorded_at",
            "first_byte_ms", "chunks",
        ]
        var values: [Binding] = []
        var reference: Int64?
        var notes = ""
        let sql = "SELECT response_body_id, redacted, \(columns.joined(separator: ", ")) FROM interaction WHERE id = ?1"
        try source.query(sql, [.integer(id)]) { row in
            reference = row.reference(0)
            notes = row.isNull(1) ? "" : row.text(1)
            values = (2..<11).map { row.value($0) }
            return false
        }
        guard values.count == columns.count else { return }
        var older = ""
        try destination.query("SELECT redacted FROM interaction WHERE id = ?1", [.integer(other)]) { row in
            older = row.isNull(0) ? "" : row.text(0)
            return false
        }
        let redacted = RedactionsJSON.joined(ofRequest: older, ofResponse: notes)
        let changes = columns.enumerated().map { "\($1) = ?\($0 + 4)" }.joined(separator: ", ")
        try destination.query(
            "UPDATE interaction SET response_body_id = ?2, redacted = ?3, \(changes) WHERE id = ?1",
            [.integer(other), try body(reference), redacted.map { .text($0) } ?? .null] + values
        )
    }

    mutating func stub(_ id: Int64, as number: Int64) throws {
        var values: [Binding] = []
        var reference: Int64?
        let columns = "response_body_id, \(Self.stubColumns), \(try StubSQL.behaviorColumn(source))"
        try source.query("SELECT \(columns) FROM stub WHERE id = ?1", [.integer(id)]) {
            row in
            reference = row.reference(0)
            values = (1..<9).map { row.value($0) }
            return false
        }
        try insert(
            "stub",
            "id, response_body_id, \(Self.stubColumns), behavior",
            [.integer(number), try body(reference)] + values
        )
    }

    private func insert(_ table: String, _ columns: String, _ values: [Binding]) throws {
        let places = values.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
        try destination.query("INSERT INTO \(table) (\(columns)) VALUES (\(places))", values)
    }

    /// A run of the same kind at the same time, or a new one.
    private mutating func episode(_ id: Int64) throws -> Int64 {
        if let known = episodes[id] { return known }
        var values: [Binding] = [.text("missing"), .integer(0), .null]
        try source.query("SELECT mode, started_at, ended_at FROM episode WHERE id = ?1", [.integer(id)]) { row in
            values = (0..<3).map { row.value($0) }
            return false
        }
        let sql = "SELECT id FROM episode WHERE mode = ?1 AND started_at = ?2 AND ended_at IS ?3 AND state = 'kept'"
        var found = try destination.firstInteger(sql, values)
        if found == nil {
            try insert("episode", "mode, started_at, ended_at, state", values + [.text("kept")])
            found = destination.lastInsertedRowID
        }
        episodes[id] = found
        return found ?? 0
    }

    private mutating func body(_ id: Int64?) throws -> Binding {
        guard let id else { return .null }
        if let known = bodies[id] { return .integer(known) }
        var values: [Binding] = []
        try source.query("SELECT sha256, size, bytes FROM body WHERE id = ?1", [.integer(id)]) { row in
            values = (0..<3).map { row.value($0) }
            return false
        }
        guard values.count == 3 else { return .null }
        if case .bytes = values[0],
            let known = try destination.firstInteger("SELECT id FROM body WHERE sha256 = ?1", [values[0]])
        {
            bodies[id] = known
            return .integer(known)
        }
        try insert("body", "sha256, size, bytes", values)
        let copy = destination.lastInsertedRowID
        bodies[id] = copy
        // One slice at a time: a body may be long.
        var next: Int64 = 0
        while true {
            var slice: (number: Int64, bytes: [UInt8])?
            let sql = "SELECT number, bytes FROM body_slice WHERE body_id = ?1 AND number >= ?2 ORDER BY number LIMIT 1"
            try source.query(sql, [.integer(id), .integer(next)]) { row in
                slice = (row.integer(0), row.bytes(1))
                return false
            }
            guard let slice, slice.number < BodySlices.largest else { return .integer(copy) }
            try insert(
                "body_slice",
                "body_id, number, bytes",
                [.integer(copy), .integer(slice.number), .bytes(slice.bytes)]
            )
            next = slice.number + 1
        }
    }
}

extension RowView {
    /// A column as it is.
    func value(_ column: Int32) -> Binding {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_NULL: .null
        case SQLITE_BLOB: .bytes(bytes(column))
        case SQLITE_TEXT: .text(text(column))
        default: .integer(integer(column))
        }
    }

    /// A number; nil for NULL.
    func reference(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
}
