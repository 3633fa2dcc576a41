import GRDB
import HTTPMessages
package import MockServeCore

/// A stub that is in a cassette.
package struct StoredStub: Sendable {
    package let number: Int64
    package let stub: StubDefinition
    /// Of the answer; nil if it is empty.
    package let body: BodyReference?
}

/// What tells whether anything has changed in the stubs of a cassette.
package struct StubState: Sendable, Hashable {
    fileprivate let count: Int
    fileprivate let hash: Int

    package static let none = StubState(count: 0, hash: 0)
}

/// The stubs of a cassette.
enum StubSQL {
    /// Bytes of the body of one stub: all of them are in memory while a cassette is replayed.
    static let bodyLimit = 16 << 20
    /// Bytes of all of them together.
    static let memoryLimit = 256 << 20

    /// Cassettes of version 1 have no stubs.
    static func hasNone(_ db: Database) throws -> Bool { try db.firstInteger("PRAGMA user_version") ?? 0 < 2 }

    /// What stands for the column `behavior`, which cassettes before version 5 do not have.
    static func behaviorColumn(_ db: Database) throws -> String {
        try db.firstInteger("PRAGMA user_version") ?? 0 < 5 ? "NULL" : "behavior"
    }

    static func count(_ db: Database) throws -> Int {
        try hasNone(db) ? 0 : Int(try db.firstInteger("SELECT count(*) FROM stub") ?? 0)
    }

    /// Calls `body` with each stub, in the order of their numbers.
    ///
    /// - Throws: `CassetteError` if a column does not hold what it must.
    static func forEach(_ db: Database, path: String, _ body: (StoredStub) throws -> Void) throws {
        if try hasNone(db) { return }
        var count = 0
        let sql = """
            SELECT stub.id, pattern, conditions, status, reason, response_fields, response_trailers, delay_ms, \
            response_body_id, body.size, \(try behaviorColumn(db)) FROM stub LEFT JOIN body ON body.id = response_body_id ORDER BY stub.id
            """
        try db.query(sql) { row in
            count += 1
            guard count <= StubDefinition.countLimit else {
                throw CassetteError(
                    .damaged,
                    path: path,
                    "is damaged: it has more than \(StubDefinition.countLimit) stubs."
                )
            }
            try body(try decode(row, path: path))
            return true
        }
    }

    private static func decode(_ row: RowView, path: String) throws -> StoredStub {
        let number = row.integer(0)
        func damaged(_ reason: String) -> CassetteError {
            CassetteError(.damaged, path: path, "is damaged: stub \(number): \(reason).")
        }
        func malformed(_ column: String) -> InteractionRow.Malformed { .init(column: column, id: number) }
        do {
            let response = ResponseHead(
                status: Int(clamping: row.integer(3)),
                reason: row.isNull(4) ? nil : try row.latin1(4, malformed("reason")),
                fields: try row.fields(5, malformed("response_fields"))
            )
            guard response.reason.map(isLineSafe) ?? true else { throw malformed("reason") }
            let stub = try StubDefinition(
                row.text(1),
                row.isNull(2) ? StubConditions() : StubConditions(json: row.text(2)),
                response,
                trailers: row.isNull(6) ? Fields() : try row.fields(6, malformed("response_trailers")),
                delay: Int(clamping: row.integer(7)),
                behavior: row.isNull(10) ? StubBehavior() : StubBehavior(json: row.text(10))
            )
            return StoredStub(number: number, stub: stub, body: try row.body(8, malformed("response_body_id")))
        } catch let error as InteractionRow.Malformed {
            throw damaged("its \(error.column) is malformed")
        } catch let error as StubError {
            throw damaged(error.description)
        }
    }

    /// Changes whenever a stub is added, removed or redacted. Reads all of them, about a microsecond each, because numbers may
    /// be given again.
    static func state(_ db: Database) throws -> StubState {
        if try hasNone(db) { return .none }
        var hasher = Hasher()
        var count = 0
        let sql = """
            SELECT stub.id, pattern, conditions, status, reason, response_fields, response_trailers, delay_ms, sha256, \
            \(try behaviorColumn(db)) FROM stub LEFT JOIN body ON body.id = response_body_id ORDER BY stub.id
            """
        try db.query(sql) { row in
            count += 1
            for column in 0..<10 as Range<Int32> {
                row.withBytes(column) {
                    hasher.combine(row.isNull(column) ? -1 : $0.count)
                    hasher.combine(bytes: $0)
                }
            }
            return true
        }
        return StubState(count: count, hash: count == 0 ? 0 : hasher.finalize())
    }

    /// - Parameter body: number of the body of the answer; nil if it is empty.
    /// - Returns: the number of the stub.
    static func insert(_ stub: StubDefinition, body: Int64?, _ db: Database) throws -> Int64 {
        try db.query(
            """
            INSERT INTO stub (pattern, conditions, status, reason, response_fields, response_body_id, response_trailers, \
            delay_ms, behavior) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """,
            [
                .text(stub.pattern),
                stub.conditions.isEmpty ? .null : .text(stub.conditions.json),
                .integer(Int64(stub.response.status)),
                stub.response.reason.map { .text(Latin1.string($0)) } ?? .null,
                .text(FieldsJSON.encode(stub.response.fields)),
                body.map { .integer($0) } ?? .null,
                stub.trailers.isEmpty ? .null : .text(FieldsJSON.encode(stub.trailers)),
                .integer(Int64(stub.delay)),
                stub.behavior.isUsual ? .null : .text(stub.behavior.json),
            ]
        )
        return db.lastInsertedRowID
    }

    /// Writes what redaction may have changed.
    static func update(_ number: Int64, _ stub: StubDefinition, body: Int64?, _ db: Database) throws {
        try db.query(
            """
            UPDATE stub SET reason = ?2, response_fields = ?3, response_body_id = ?4, response_trailers = ?5 WHERE id = ?1
            """,
            [
                .integer(number),
                stub.response.reason.map { .text(Latin1.string($0)) } ?? .null,
                .text(FieldsJSON.encode(stub.response.fields)),
                body.map { .integer($0) } ?? .null,
                stub.trailers.isEmpty ? .null : .text(FieldsJSON.encode(stub.trailers)),
            ]
        )
    }

    /// - Throws: `CassetteError` if it is longer than the body of a stub may be.
    static func bytes(of body: BodyReference?, _ number: Int64, _ db: Database, path: String) throws -> [UInt8] {
        guard let body else { return [] }
        guard let bytes = try BodySQL.bytes(of: body, limit: bodyLimit, db, path: path) else {
            throw CassetteError(
                .damaged,
                path: path,
                "is damaged: the body of stub \(number) has more than \(bodyLimit >> 20) MiB."
            )
        }
        return bytes
    }

    /// Bytes that it takes without its body, roughly.
    static func memory(of stub: StubDefinition) -> Int {
        512 + stub.path.memory + (stub.conditions.json.utf8.count + stub.behavior.json.utf8.count) * 8 + stub.response
            .fields.byteCount * 2
    }

    /// All stubs with their bodies.
    static func loaded(_ db: Database, path: String) throws -> [(stored: StoredStub, body: [UInt8])] {
        var loaded: [(stored: StoredStub, body: [UInt8])] = []
        var size = 0
        // Many may have the same body.
        var known: [Int64: [UInt8]] = [:]
        var stubs: [StoredStub] = []
        try forEach(db, path: path) { stubs.append($0) }
        for stored in stubs {
            size += memory(of: stored.stub)
            if let body = stored.body.flatMap({ known[$0.id] }) {
                loaded.append((stored, body))
                continue
            }
            let body = try bytes(of: stored.body, stored.number, db, path: path)
            size += body.count
            guard size <= memoryLimit else {
                throw CassetteError(
                    .unreadable,
                    path: path,
                    """
                    has stubs that take more than \(memoryLimit >> 20) MiB together, and they are kept in memory. Remove some: \
                    mockserve cassette stub list, mockserve cassette stub remove.
                    """
                )
            }
            if let reference = stored.body { known[reference.id] = body }
            loaded.append((stored, body))
        }
        return loaded
    }
}
