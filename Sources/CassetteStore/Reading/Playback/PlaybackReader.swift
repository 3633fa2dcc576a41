import GRDB
import GRDBSQLite
import HTTPMessages
package import MockServeCore
package import NIOCore

/// Finds what is played: a connection with statements that stay prepared, for one thread at a time.
///
/// It reads in windows: between `begin` and `end` the file is locked once for all reads, and changes that others make
/// are not seen.
package final class PlaybackReader {
    /// One interaction of a match key.
    package struct Row: Sendable {
        package let id: Int64
        /// Nil if the answer depends on no field of the request.
        package let variant: Variant?
        /// Of the answer.
        package let status: Int

        package init(id: Int64, variant: Variant?, status: Int) {
            self.id = id
            self.variant = variant
            self.status = status
        }
    }

    /// Another connection has the file locked, but not for long: try again in a moment.
    package struct Busy: Error {}

    /// The error for a cassette that stays locked.
    package static func inUse(_ path: String) -> CassetteError {
        CassetteFile.explain(DatabaseError(resultCode: .SQLITE_BUSY), path: path, .unreadable)
    }

    package let path: String
    /// Whether any answer depends on fields of its request.
    package private(set) var hasVariants: Bool
    /// Whether there are conversations.
    package private(set) var hasConversations: Bool
    private let newest: Int64
    private let queue: DatabaseQueue
    private let connection: SQLiteConnection
    private let statements: PlaybackStatements
    private var isReading = false
    private var isClosed = false
    private var version: Int64 = -1

    /// Opens an existing cassette without writing to it.
    ///
    /// Opening may wait for others who have the file locked; afterwards nothing waits (see `Busy`).
    ///
    /// - Parameters:
    ///   - newest: the newest interaction that is played; later ones are still being recorded.
    ///   - memory: bytes of the file that are kept in memory.
    /// - Throws: `CassetteError`.
    package init(path: String, newest: Int64 = .max, memory: Int = 8 << 20) throws {
        self.path = path
        self.newest = newest
        let reader = try CassetteReader(path: path, keepsTransactions: true)
        queue = reader.queue
        do {
            (connection, hasVariants, hasConversations) = try queue.inDatabase { db in
                try db.execute(sql: "PRAGMA cache_size = -\(max(64, memory >> 10)); PRAGMA busy_timeout = 0")
                guard let connection = db.sqliteConnection else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
                return (connection, try CassetteReader.hasVariants(db), try MessageSQL.hasAny(db))
            }
            statements = try PlaybackStatements(connection)
        } catch {
            throw CassetteFile.explain(error, path: path, .unreadable)
        }
    }

    deinit { close() }

    package func close() {
        guard !isClosed else { return }
        isClosed = true
        statements.finalize()
        // Nothing is written on this connection, so a failed close loses nothing.
        try? queue.close()
    }

    // MARK: Windows

    /// Begins to read.
    ///
    /// - Returns: whether somebody has changed the file since the last time; true the first time.
    /// - Throws: `Busy`; `CassetteError`.
    package func begin() throws -> Bool {
        try explaining {
            try statements.begin.run()
            isReading = true
            do {
                return try hasChanged()
            } catch {
                // Otherwise `begin` would always fail from now on.
                end()
                if let error = error as? DatabaseError, error.resultCode == .SQLITE_BUSY { throw Busy() }
                throw error
            }
        }
    }

    private func hasChanged() throws -> Bool {
        var found: Int64 = 0
        try statements.version.run { found = $0.integer(0) }
        guard found != version else { return false }
        (hasVariants, hasConversations) = try queue.inDatabase {
            (try CassetteReader.hasVariants($0), try MessageSQL.hasAny($0))
        }
        version = found
        return true
    }

    /// Lets the next `begin` take the file for changed.
    package func forgetVersion() { version = -1 }

    package func end() {
        guard isReading else { return }
        isReading = false
        // Nothing was written, so it does not matter if the commit fails.
        try? statements.commit.run()
    }

    // MARK: Reading

    /// The interactions of a key in recording order, up to `limit`.
    package func rows(_ key: MatchKey, limit: Int) throws -> [Row] {
        try explaining {
            var rows: [Row] = []
            try statements.rows.run(key: key, .integer(newest), .integer(Int64(limit))) { row in
                let variant = row.isNull(1) ? nil : Variant(names: row.text(1), key: row.bytes(2))
                rows.append(Row(id: row.integer(0), variant: variant, status: Int(clamping: row.integer(3))))
            }
            return rows
        }
    }

    /// The only interaction of a key, with the first slice of its body; nil if there are several or none, or if any
    /// answer of the cassette depends on fields. One query instead of the two of `rows` and `answer`.
    package func only(_ key: MatchKey) throws -> (RecordedAnswer, ByteBuffer)? {
        guard !hasVariants else { return nil }
        return try explaining {
            var found: (RecordedAnswer, ByteBuffer)?
            var count = 0
            try statements.only.run(key: key, .integer(newest)) { row in
                count += 1
                guard count == 1 else { return }
                found = (try AnswerRow.decode(row), row.withBytes(AnswerRow.count) { ByteBuffer(bytes: $0) })
            }
            guard count == 1, let found else { return nil }
            return try checked(found, found.0.id)
        }
    }

    /// An answer and the first slice of its body.
    ///
    /// - Throws: `CassetteError`, also if there is no such interaction.
    package func answer(_ id: Int64) throws -> (RecordedAnswer, ByteBuffer) {
        try explaining {
            var found: (RecordedAnswer, ByteBuffer)?
            try statements.answer.run(.integer(id)) { row in
                let answer = try AnswerRow.decode(row)
                found = (answer, row.withBytes(AnswerRow.count) { ByteBuffer(bytes: $0) })
            }
            return try checked(found, id)
        }
    }

    private func checked(_ found: (RecordedAnswer, ByteBuffer)?, _ id: Int64) throws -> (RecordedAnswer, ByteBuffer) {
        guard let found, found.1.readableBytes == BodySlices.length(of: 0, in: found.0.body?.size ?? 0) else {
            throw CassetteError(.damaged, path: path, "is damaged: interaction \(id) or its body is missing.")
        }
        return found
    }

    /// Piece `number` of a body, counted from zero, `BodySlices.size` bytes each but the last.
    ///
    /// - Throws: `CassetteError` if the piece is missing or not as long as it must be.
    package func slice(_ number: Int, of body: BodyReference) throws -> ByteBuffer {
        try explaining {
            var slice = ByteBuffer()
            let statement = number == 0 ? statements.firstSlice : statements.slice
            try statement.run(.integer(body.id), number == 0 ? nil : .integer(Int64(number))) { row in
                slice = row.withBytes(0) { ByteBuffer(bytes: $0) }
            }
            guard slice.readableBytes == BodySlices.length(of: number, in: body.size) else {
                throw CassetteError(.damaged, path: path, "is damaged: part \(number) of body \(body.id) is missing.")
            }
            return slice
        }
    }

    /// The conversations that were recorded for a target, in recording order, with their requests.
    package func conversations(
        method: [UInt8],
        target: [UInt8],
        origin: String,
        limit: Int
    ) throws -> [(interaction: Interaction, steps: [ConversationStep])] {
        try explaining {
            try queue.inDatabase { db in
                let (method, target) = (Latin1.string(method), Latin1.string(target))
                let ids = try MessageSQL.interactions(
                    method: method,
                    target: target,
                    origin: origin,
                    newest: newest,
                    limit: limit,
                    db
                )
                return try ids.compactMap { id in
                    var found: Interaction?
                    let sql =
                        "SELECT \(InteractionRow.columns) FROM \(InteractionRow.tables) WHERE interaction.id = ?1"
                    try db.query(sql, [.integer(id)]) { row in
                        found = try InteractionRow.decode(row)
                        return false
                    }
                    return try found.map { ($0, try MessageSQL.steps(of: id, db)) }
                }
            }
        }
    }

    private func explaining<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as InteractionRow.Malformed {
            throw CassetteFile.explain(error, path: path)
        } catch let error as Busy {
            throw error
        } catch {
            throw CassetteFile.explain(error, path: path, .unreadable)
        }
    }
}

extension PlaybackReader: PlaybackIndex {
    package func first(_ key: PlaybackKey, after low: Int64, before high: Int64) throws -> Int64? {
        try number(key, statements.first, .integer(low), .integer(high))
    }

    package func last(_ key: PlaybackKey, before high: Int64) throws -> Int64? {
        try number(key, statements.last, .integer(0), .integer(high))
    }

    private func number(
        _ key: PlaybackKey,
        _ statements: [PlaybackKey.Choice.Kind: RawStatement],
        _ low: Binding,
        _ high: Binding
    ) throws -> Int64? {
        try explaining {
            var number: Int64?
            let take: (RowView) -> Void = { number = $0.integer(0) }
            guard let statement = statements[key.choice.kind] else { return nil }
            if case .variant(let variant) = key.choice {
                let (names, values) = (Binding.text(variant.names), Binding.bytes(variant.key))
                try statement.run(key: key.match, low, high, .integer(newest), names, values, row: take)
            } else {
                try statement.run(key: key.match, low, high, .integer(newest), row: take)
            }
            return number
        }
    }

    /// The key by which the answers to a request are found. Of those recorded under `key`, it prefers the ones whose
    /// requests agree with this one in the fields that their answers vary by.
    package func playbackKey(_ key: MatchKey, for request: MatchKeyBuilder) throws -> PlaybackKey {
        guard hasVariants else { return PlaybackKey(key) }
        var lists: [String] = []
        // Answers to one request rarely vary by several lists of fields.
        while lists.count < 16 {
            var next: String?
            try explaining { try statements.names.run(key: key, .text(lists.last ?? "")) { next = $0.text(0) } }
            guard let next else { break }
            lists.append(next)
        }
        let choice = try PlaybackKey.choose(lists, for: request.request.fields, served: request.served) { choice in
            try first(PlaybackKey(key, choice), after: 0, before: .max) != nil
        }
        return PlaybackKey(key, choice)
    }

    /// A field of the recorded request, all its lines as one list; empty if it had none.
    package func requestField(_ name: StaticString, of id: Int64) throws -> [UInt8] {
        try explaining {
            var value: [UInt8] = []
            try statements.requestFields.run(.integer(id)) { row in
                let fields = try row.fields(0, InteractionRow.Malformed(column: "request_fields", id: id))
                value = Array(fields.values(name).joined(separator: ", ".utf8))
            }
            return value
        }
    }

    /// Interactions of a key that differ only in redacted values; nil if there are none.
    package func likeness(_ key: MatchKey) throws -> Likeness? {
        try explaining { try queue.inDatabase { try LikenessSQL.find(key, $0) } }
    }

    /// The rules as they are now, and whether there is an answer for any upstream.
    package func rules() throws -> (rules: [Rule], hasAnswersForAny: Bool) {
        try explaining {
            try queue.inDatabase { db in
                (try RuleSQL.numbered(db, path: path).map(\.rule), try CassetteReader.hasAnswersForAnyUpstream(db))
            }
        }
    }

    /// What tells whether the stubs have changed.
    package func stubState() throws -> StubState { try explaining { try queue.inDatabase { try StubSQL.state($0) } } }

    package func firstWrite(after low: Int64) throws -> Int64? {
        try explaining {
            var number: Int64?
            try statements.firstWrite.run(.integer(low), .integer(newest)) { number = $0.integer(0) }
            return number
        }
    }

    package func next(after low: Int64, ifIts key: MatchKey) throws -> Int64? {
        try explaining {
            var number: Int64?
            try statements.next.run(key: key, .integer(low), .integer(newest)) { number = $0.integer(0) }
            return number
        }
    }
}
