import GRDB
import HTTPMessages
import MockServeCore

/// The columns of `interaction` and what they mean in memory.
enum InteractionRow {
    static let columns = """
        origin, method, target, request_version, request_fields, request_trailers, match_key, recorded_at, \
        request_body_id, request_body.size, \(AnswerRow.columns)
        """

    static let tables = """
        interaction LEFT JOIN body AS request_body ON request_body.id = request_body_id \
        LEFT JOIN body AS response_body ON response_body.id = response_body_id
        """

    /// - Throws: `Malformed` if a column does not hold what it must.
    static func decode(_ row: RowView) throws(Malformed) -> Interaction {
        let answer = try AnswerRow.decode(row, at: 10)
        let id = answer.id
        let request = RequestHead(
            method: try row.latin1(1, Malformed(column: "method", id: id)),
            target: try row.latin1(2, Malformed(column: "target", id: id)),
            version: try row.version(3, Malformed(column: "request_version", id: id)),
            fields: try row.fields(4, Malformed(column: "request_fields", id: id))
        )
        guard isToken(request.method), request.target.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw Malformed(column: "method or target", id: id)
        }
        guard let key = MatchKey(bytes: row.bytes(6)) else { throw Malformed(column: "match_key", id: id) }
        let content = InteractionContent(
            origin: row.text(0),
            request: request,
            requestTrailers: row.isNull(5)
                ? Fields() : try row.fields(5, Malformed(column: "request_trailers", id: id)),
            informational: answer.informational,
            response: answer.head,
            responseTrailers: answer.trailers,
            matchKey: key,
            recordedAt: row.time(7),
            firstByte: answer.firstByte,
            chunks: answer.chunks,
            cut: answer.cut
        )
        let requestBody = try row.body(8, Malformed(column: "request_body_id", id: id))
        return Interaction(id: id, content: content, requestBody: requestBody, responseBody: answer.body)
    }

    /// - Returns: the number of the new interaction.
    static func insert(
        _ content: InteractionContent,
        episode: Int64,
        requestBody: Int64?,
        responseBody: Int64?,
        _ rules: RuleSet,
        _ db: Database
    ) throws -> Int64 {
        let head = content.response
        let variant = variant(of: content, served: content.redactions.served, rules)
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
                .text(content.origin),
                .text(Latin1.string(content.request.method)),
                .text(Latin1.string(content.request.target)),
                .text(content.request.version.rawValue),
                .text(FieldsJSON.encode(content.request.fields)),
                requestBody.map { .integer($0) } ?? .null,
                content.requestTrailers.isEmpty ? .null : .text(FieldsJSON.encode(content.requestTrailers)),
                content.informational.isEmpty ? .null : .text(InformationalJSON.encode(content.informational)),
                .text(head.version.rawValue),
                .integer(Int64(head.status)),
                head.reason.map { .text(Latin1.string($0)) } ?? .null,
                .text(FieldsJSON.encode(head.fields)),
                responseBody.map { .integer($0) } ?? .null,
                content.responseTrailers.isEmpty ? .null : .text(FieldsJSON.encode(content.responseTrailers)),
                .bytes(content.matchKey.bytes),
                variant.map { .text($0.names) } ?? .null,
                variant.map { .bytes($0.key) } ?? .null,
                .integer(content.recordedAt),
                content.firstByte.map { .integer(Int64($0)) } ?? .null,
                ChunksJSON.encode(content.chunks, content.cut).map { .text($0) } ?? .null,
                content.redactions.isEmpty ? .null : .text(RedactionsJSON.encode(content.redactions)),
            ]
        )
        let number = db.lastInsertedRowID
        try MessageSQL.insert(content.conversation, of: number, db)
        try PlaceholderSQL.raise(content.redactions.highest, db)
        return number
    }

    /// From version 2 of keys on, secrets of a kind are equal here too.
    ///
    /// - Parameter served: the numbers of the placeholders in the request that the client was given.
    static func variant(of content: InteractionContent, served: Set<Int>, _ rules: RuleSet) -> Variant? {
        let fields = content.request.fields
        return Variant(
            of: content.response.fields,
            to: rules.knowsConditions ? rules.comparable(fields) : fields,
            served: served,
            rules
        )
    }

    /// Writes what redaction may have changed.
    static func update(
        _ id: Int64,
        _ content: InteractionContent,
        requestBody: Int64?,
        responseBody: Int64?,
        _ rules: RuleSet,
        _ db: Database
    ) throws {
        var before = RedactionsJSON.empty
        try db.query("SELECT redacted FROM interaction WHERE id = ?1 AND redacted IS NOT NULL", [.integer(id)]) { row in
            before = row.text(0)
            return false
        }
        let served = RedactionsJSON.served(before).union(content.redactions.served)
        let variant = variant(of: content, served: served, rules)
        try db.query(
            """
            UPDATE interaction SET target = ?2, request_fields = ?3, request_body_id = ?4, request_trailers = ?5, \
            informational = ?6, reason = ?7, response_fields = ?8, response_body_id = ?9, response_trailers = ?10, \
            vary = ?11, vary_key = ?12, chunks = ?13, redacted = ?14 WHERE id = ?1
            """,
            [
                .integer(id),
                .text(Latin1.string(content.request.target)),
                .text(FieldsJSON.encode(content.request.fields)),
                requestBody.map { .integer($0) } ?? .null,
                content.requestTrailers.isEmpty ? .null : .text(FieldsJSON.encode(content.requestTrailers)),
                content.informational.isEmpty ? .null : .text(InformationalJSON.encode(content.informational)),
                content.response.reason.map { .text(Latin1.string($0)) } ?? .null,
                .text(FieldsJSON.encode(content.response.fields)),
                responseBody.map { .integer($0) } ?? .null,
                content.responseTrailers.isEmpty ? .null : .text(FieldsJSON.encode(content.responseTrailers)),
                variant.map { .text($0.names) } ?? .null,
                variant.map { .bytes($0.key) } ?? .null,
                ChunksJSON.encode(content.chunks, content.cut).map { .text($0) } ?? .null,
                .text(RedactionsJSON.adding(content.redactions, to: before)),
            ]
        )
        try PlaceholderSQL.raise(content.redactions.highest, db)
    }

    /// A column that does not hold what it must.
    struct Malformed: Error {
        let column: String
        let id: Int64
    }
}
