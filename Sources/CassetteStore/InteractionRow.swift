import GRDB
import HTTPWire
import MockServeCore

/// The columns of `interaction` and what they mean in memory.
enum InteractionRow {
    static let columns = """
        interaction.id, origin, method, target, request_version, request_fields, request_trailers, informational, \
        response_version, status, reason, response_fields, response_trailers, match_key, recorded_at, first_byte_ms, \
        chunks, request_body_id, request_body.size, response_body_id, response_body.size
        """

    static let tables = """
        interaction LEFT JOIN body AS request_body ON request_body.id = request_body_id \
        LEFT JOIN body AS response_body ON response_body.id = response_body_id
        """

    /// - Throws: `Malformed` if a column does not hold what it must.
    static func decode(_ row: RowView) throws(Malformed) -> Interaction {
        let id = row.integer(0)
        let request = RequestHead(
            method: try latin1(row, 2, "method"),
            target: try latin1(row, 3, "target"),
            version: try version(row, 4, "request_version"),
            fields: try fields(row, 5, "request_fields")
        )
        guard isToken(request.method), request.target.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw Malformed(column: "method or target", id: id)
        }
        var response = ResponseHead(
            version: try version(row, 8, "response_version"),
            status: Int(clamping: row.integer(9)),
            reason: row.isNull(10) ? nil : try latin1(row, 10, "reason"),
            fields: try fields(row, 11, "response_fields")
        )
        guard (200...999).contains(response.status), response.reason.map(isLineSafe) ?? true else {
            throw Malformed(column: "status or reason", id: id)
        }
        let responseBody = try body(row, 19, "response_body_id")
        response.framing = framing(of: response, answers: request, body: responseBody)
        guard let key = MatchKey(bytes: row.bytes(13)) else { throw Malformed(column: "match_key", id: id) }
        let chunks = row.isNull(16) ? [] : ChunksJSON.decode(row.text(16))
        guard let chunks, chunks.reduce(0, { $0 &+ $1.size }) == (chunks.isEmpty ? 0 : responseBody?.size ?? 0) else {
            throw Malformed(column: "chunks", id: id)
        }
        let exchanged = Exchanged(
            origin: row.text(1),
            request: request,
            requestTrailers: row.isNull(6) ? Fields() : try fields(row, 6, "request_trailers"),
            informational: row.isNull(7) ? [] : try informational(row, 7),
            response: response,
            responseTrailers: row.isNull(12) ? Fields() : try fields(row, 12, "response_trailers"),
            matchKey: key,
            recordedAt: row.integer(14),
            firstByte: row.isNull(15) ? nil : Int(clamping: row.integer(15)),
            chunks: chunks
        )
        let requestBody = try body(row, 17, "request_body_id")
        return Interaction(id: id, exchanged: exchanged, requestBody: requestBody, responseBody: responseBody)
    }

    /// - Returns: the number of the new interaction.
    static func insert(
        _ exchanged: Exchanged,
        episode: Int64,
        requestBody: Int64?,
        responseBody: Int64?,
        _ db: Database
    ) throws -> Int64 {
        let head = exchanged.response
        let variant = Variant(of: head.fields, to: exchanged.request.fields)
        try db.query(
            """
            INSERT INTO interaction (episode_id, origin, method, target, request_version, request_fields, \
            request_body_id, request_trailers, informational, response_version, status, reason, response_fields, \
            response_body_id, response_trailers, match_key, vary, vary_key, recorded_at, first_byte_ms, \
            chunks, redacted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, \
            ?20, ?21, ?22)
            """,
            [
                .integer(episode),
                .text(exchanged.origin),
                .text(Latin1.string(exchanged.request.method)),
                .text(Latin1.string(exchanged.request.target)),
                .text(exchanged.request.version.rawValue),
                .text(FieldsJSON.encode(exchanged.request.fields)),
                requestBody.map { .integer($0) } ?? .null,
                exchanged.requestTrailers.isEmpty ? .null : .text(FieldsJSON.encode(exchanged.requestTrailers)),
                exchanged.informational.isEmpty ? .null : .text(InformationalJSON.encode(exchanged.informational)),
                .text(head.version.rawValue),
                .integer(Int64(head.status)),
                head.reason.map { .text(Latin1.string($0)) } ?? .null,
                .text(FieldsJSON.encode(head.fields)),
                responseBody.map { .integer($0) } ?? .null,
                exchanged.responseTrailers.isEmpty ? .null : .text(FieldsJSON.encode(exchanged.responseTrailers)),
                .bytes(exchanged.matchKey.bytes),
                variant.map { .text($0.names) } ?? .null,
                variant.map { .bytes($0.key) } ?? .null,
                .integer(exchanged.recordedAt),
                exchanged.firstByte.map { .integer(Int64($0)) } ?? .null,
                exchanged.chunks.isEmpty ? .null : .text(ChunksJSON.encode(exchanged.chunks)),
                exchanged.redactions.isEmpty ? .null : .text(RedactionsJSON.encode(exchanged.redactions)),
            ]
        )
        let number = db.lastInsertedRowID
        try PlaceholderSQL.raise(exchanged.redactions.highest, db)
        return number
    }

    /// Writes what redaction may have changed.
    static func update(
        _ id: Int64,
        _ exchanged: Exchanged,
        requestBody: Int64?,
        responseBody: Int64?,
        _ db: Database
    ) throws {
        let variant = Variant(of: exchanged.response.fields, to: exchanged.request.fields)
        var before = RedactionsJSON.empty
        try db.query("SELECT redacted FROM interaction WHERE id = ?1 AND redacted IS NOT NULL", [.integer(id)]) { row in
            before = row.text(0)
            return false
        }
        try db.query(
            """
            UPDATE interaction SET target = ?2, request_fields = ?3, request_body_id = ?4, request_trailers = ?5, \
            informational = ?6, reason = ?7, response_fields = ?8, response_body_id = ?9, response_trailers = ?10, \
            vary = ?11, vary_key = ?12, chunks = ?13, redacted = ?14 WHERE id = ?1
            """,
            [
                .integer(id),
                .text(Latin1.string(exchanged.request.target)),
                .text(FieldsJSON.encode(exchanged.request.fields)),
                requestBody.map { .integer($0) } ?? .null,
                exchanged.requestTrailers.isEmpty ? .null : .text(FieldsJSON.encode(exchanged.requestTrailers)),
                exchanged.informational.isEmpty ? .null : .text(InformationalJSON.encode(exchanged.informational)),
                exchanged.response.reason.map { .text(Latin1.string($0)) } ?? .null,
                .text(FieldsJSON.encode(exchanged.response.fields)),
                responseBody.map { .integer($0) } ?? .null,
                exchanged.responseTrailers.isEmpty ? .null : .text(FieldsJSON.encode(exchanged.responseTrailers)),
                variant.map { .text($0.names) } ?? .null,
                variant.map { .bytes($0.key) } ?? .null,
                exchanged.chunks.isEmpty ? .null : .text(ChunksJSON.encode(exchanged.chunks)),
                .text(RedactionsJSON.adding(exchanged.redactions, to: before)),
            ]
        )
        try PlaceholderSQL.raise(exchanged.redactions.highest, db)
    }

    /// A column that does not hold what it must.
    struct Malformed: Error {
        let column: String
        let id: Int64
    }

    /// How the recorded response found its end. Only whether it was chunked matters later: the length is known.
    private static func framing(of head: ResponseHead, answers request: RequestHead, body: BodyReference?)
        -> BodyFraming
    {
        if request.isHEAD || ResponseHead.isBodyless(status: head.status) { return .none }
        if head.fields.contains("transfer-encoding") { return .chunked }
        return head.fields.contains("content-length") ? .length(body?.size ?? 0) : .untilClose
    }

    private static func latin1(_ row: RowView, _ column: Int32, _ name: String) throws(Malformed) -> [UInt8] {
        guard let bytes = Latin1.bytes(row.text(column)) else { throw Malformed(column: name, id: row.integer(0)) }
        return bytes
    }

    private static func version(_ row: RowView, _ column: Int32, _ name: String) throws(Malformed) -> WireVersion {
        guard let version = WireVersion(rawValue: row.text(column)) else {
            throw Malformed(column: name, id: row.integer(0))
        }
        return version
    }

    private static func fields(_ row: RowView, _ column: Int32, _ name: String) throws(Malformed) -> Fields {
        guard let fields = FieldsJSON.decode(row.text(column)), fields.allSatisfy(isSafe) else {
            throw Malformed(column: name, id: row.integer(0))
        }
        return fields
    }

    private static func informational(_ row: RowView, _ column: Int32) throws(Malformed) -> [ResponseHead] {
        guard let heads = InformationalJSON.decode(row.text(column)),
            heads.allSatisfy({ $0.fields.allSatisfy(isSafe) && $0.reason.map(isLineSafe) ?? true })
        else { throw Malformed(column: "informational", id: row.integer(0)) }
        return heads
    }

    private static func body(_ row: RowView, _ column: Int32, _ name: String) throws(Malformed) -> BodyReference? {
        guard !row.isNull(column) else { return nil }
        let size = row.integer(column + 1)
        guard !row.isNull(column + 1), size >= 0 else { throw Malformed(column: name, id: row.integer(0)) }
        return BodyReference(id: row.integer(column), size: Int(size))
    }

    /// A stored field must not be able to end its line: the file may be crafted.
    private static func isSafe(_ field: Fields.Field) -> Bool {
        !field.name.isEmpty && isLineSafe(field.name) && !field.name.contains(UInt8(ascii: ":"))
            && isLineSafe(field.value)
    }

    private static func isLineSafe(_ bytes: some Sequence<UInt8>) -> Bool {
        bytes.allSatisfy { $0 != 0 && $0 != 0x0A && $0 != 0x0D }
    }
}
