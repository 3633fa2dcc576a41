import HTTPMessages
import MockServeCore

/// The columns of `interaction` that are played, and what they mean in memory.
enum AnswerRow {
    typealias Malformed = InteractionRow.Malformed

    /// The body must be joined as `response_body`.
    static let columns = """
        interaction.id, method, response_version, status, reason, response_fields, informational, response_trailers, \
        first_byte_ms, chunks, response_body_id, response_body.size
        """

    /// The number of these columns.
    static let count: Int32 = 12

    /// - Parameter start: index of the first of these columns.
    /// - Throws: `Malformed` if a column does not hold what it must.
    static func decode(_ row: RowView, at start: Int32 = 0) throws(Malformed) -> RecordedAnswer {
        let id = row.integer(start)
        var head = ResponseHead(
            version: try row.version(start + 2, Malformed(column: "response_version", id: id)),
            status: Int(clamping: row.integer(start + 3)),
            reason: row.isNull(start + 4) ? nil : try row.latin1(start + 4, Malformed(column: "reason", id: id)),
            fields: try row.fields(start + 5, Malformed(column: "response_fields", id: id))
        )
        guard (200...999).contains(head.status), head.reason.map(isLineSafe) ?? true else {
            throw Malformed(column: "status or reason", id: id)
        }
        let body = try row.body(start + 10, Malformed(column: "response_body_id", id: id))
        let (chunks, cut) = try chunks(row, start + 9, of: body?.size ?? 0, id)
        let isHEAD = row.withBytes(start + 1) { equals($0, "HEAD") }
        head.bodyLength = bodyLength(of: head, answersHEAD: isHEAD, body: body, isCut: cut != nil)
        let hasTrailers = !row.isNull(start + 7)
        return RecordedAnswer(
            id: id,
            informational: row.isNull(start + 6) ? [] : try informational(row, start + 6, id),
            head: head,
            trailers: hasTrailers
                ? try row.fields(start + 7, Malformed(column: "response_trailers", id: id)) : Fields(),
            firstByte: row.isNull(start + 8) ? nil : Int(min(max(row.integer(start + 8), 0), 1 << 50)),
            chunks: chunks,
            cut: cut,
            body: body
        )
    }

    /// What the upstream said about the length before the body came.
    private static func bodyLength(
        of head: ResponseHead,
        answersHEAD: Bool,
        body: BodyReference?,
        isCut: Bool
    ) -> BodyLength {
        if answersHEAD || ResponseHead.isBodyless(status: head.status) { return .none }
        guard !head.isChunked, let stated = head.fields.first("content-length") else { return .unknown }
        let size = body?.size ?? 0
        // For a cut answer, more was announced than arrived.
        return .known(isCut ? max(parseDecimal(stated) ?? 0, size + 1) : size)
    }

    /// The pieces of a body of `size` bytes, which must add up to that.
    private static func chunks(
        _ row: RowView,
        _ column: Int32,
        of size: Int,
        _ id: Int64
    ) throws(Malformed) -> ([ResponseChunk], AnswerCut?) {
        guard !row.isNull(column) else { return ([], nil) }
        guard let (chunks, cut) = row.withText(column, { ChunksJSON.decode($0) }) else {
            throw Malformed(column: "chunks", id: id)
        }
        var rest = size
        for (index, chunk) in chunks.enumerated() {
            // The last piece of a cut answer may have announced more than arrived.
            if cut != nil, index == chunks.count - 1, chunk.size >= rest { return (chunks, cut) }
            guard chunk.size <= rest else { throw Malformed(column: "chunks", id: id) }
            rest -= chunk.size
        }
        guard chunks.isEmpty || rest == 0 else { throw Malformed(column: "chunks", id: id) }
        return (chunks, cut)
    }

    private static func informational(_ row: RowView, _ column: Int32, _ id: Int64) throws(Malformed) -> [ResponseHead]
    {
        guard let heads = InformationalJSON.decode(row.text(column)),
            heads.allSatisfy({ $0.fields.areLineSafe && $0.reason.map(isLineSafe) ?? true })
        else { throw Malformed(column: "informational", id: id) }
        return heads
    }
}

extension RowView {
    func latin1(_ column: Int32, _ error: InteractionRow.Malformed) throws(InteractionRow.Malformed) -> [UInt8] {
        // Nearly all text is ASCII.
        let ascii = withText(column) { text in text.allSatisfy { $0 < 0x80 } ? Array(text) : nil }
        guard let bytes = ascii ?? Latin1.bytes(text(column)) else { throw error }
        return bytes
    }

    func version(_ column: Int32, _ error: InteractionRow.Malformed) throws(InteractionRow.Malformed) -> HTTPVersion {
        if withBytes(column, { equals($0, "HTTP/1.1") }) { return .http11 }
        guard let version = HTTPVersion(rawValue: text(column)) else { throw error }
        return version
    }

    func fields(_ column: Int32, _ error: InteractionRow.Malformed) throws(InteractionRow.Malformed) -> Fields {
        guard let fields = withText(column, { FieldsJSON.decode($0) }), fields.areLineSafe else { throw error }
        return fields
    }

    /// Milliseconds since 1970 UTC, with which can be calculated: a crafted file may hold any.
    func time(_ column: Int32) -> Int64 { min(max(integer(column), -(1 << 53)), 1 << 53) }

    /// Reads the number of a body, and its size from the next column.
    func body(_ column: Int32, _ error: InteractionRow.Malformed) throws(InteractionRow.Malformed) -> BodyReference? {
        guard !isNull(column) else { return nil }
        let size = integer(column + 1)
        guard !isNull(column + 1), size >= 0, size <= BodySlices.largest else { throw error }
        return BodyReference(id: integer(column), size: Int(size))
    }
}

/// A stored reason must not be able to end its line: the file may be crafted.
func isLineSafe(_ bytes: [UInt8]) -> Bool {
    bytes.allSatisfy { $0 != 0 && $0 != 0x0A && $0 != 0x0D }
}
