import GRDB
import HTTPMessages
import MockServeCore

/// Writes what was edited.
enum EditSQL {
    static func write(
        _ number: Int64,
        _ edit: InteractionEdit,
        _ bodies: inout BodyWriter,
        _ db: Database,
        path: String
    ) throws {
        let content = edit.content
        try db.query(
            """
            UPDATE interaction SET origin = ?2, method = ?3, target = ?4, request_version = ?5, request_fields = ?6, \
            request_trailers = ?7, informational = ?8, response_version = ?9, status = ?10, reason = ?11, \
            response_fields = ?12, response_trailers = ?13, chunks = ?14 WHERE id = ?1
            """,
            [
                .integer(number),
                .text(content.origin),
                .text(Latin1.string(content.request.method)),
                .text(Latin1.string(content.request.target)),
                .text(content.request.version.rawValue),
                .text(FieldsJSON.encode(content.request.fields)),
                content.requestTrailers.isEmpty ? .null : .text(FieldsJSON.encode(content.requestTrailers)),
                content.informational.isEmpty ? .null : .text(InformationalJSON.encode(content.informational)),
                .text(content.response.version.rawValue),
                .integer(Int64(content.response.status)),
                content.response.reason.map { .text(Latin1.string($0)) } ?? .null,
                .text(FieldsJSON.encode(content.response.fields)),
                content.responseTrailers.isEmpty ? .null : .text(FieldsJSON.encode(content.responseTrailers)),
                ChunksJSON.encode(content.chunks, content.cut).map { .text($0) } ?? .null,
            ]
        )
        guard db.changesCount == 1 else {
            throw CassetteError(.unreadable, path: path, "has no interaction \(number); nothing was changed.")
        }
        for (column, body) in [("request_body_id", edit.requestBody), ("response_body_id", edit.responseBody)] {
            guard case .bytes(let bytes) = body else { continue }
            let id = try bodies.write(bytes, db)
            let sql = "UPDATE interaction SET \(column) = ?2 WHERE id = ?1"
            try db.query(sql, [.integer(number), id.map { .integer($0) } ?? .null])
        }
    }
}
