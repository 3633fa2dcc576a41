import GRDB
import HTTPMessages
import MockServeCore

/// Redacts what is already in a cassette.
enum RedactionSQL {
    /// Replaces the secrets in every interaction. Bodies that nothing refers to any more are left to
    /// `EpisodeSQL.removeUnused`.
    ///
    /// - Returns: how many secrets were replaced, by kind.
    /// - Throws: `CassetteError` if a body cannot be redacted.
    static func redact(_ redactor: Redactor, _ rules: RuleSet, _ db: Database, path: String) throws -> [String: Int] {
        let book = PlaceholderBook(try PlaceholderSQL.last(db))
        var bodies = BodyWriter()
        var counts: [String: Int] = [:]
        var last: Int64 = 0
        while let interaction = try RuleSQL.next(db, after: last) {
            last = interaction.id
            let fields = (request: interaction.request.fields, response: interaction.response.fields)
            let request = try body(interaction.requestBody, interaction.id) {
                BodyRedaction(redactor, fields.request, "request body", book)
            }
            let response = try body(interaction.responseBody, interaction.id) {
                BodyRedaction(redactor, fields.response, "response body", book)
            }
            var content = interaction.content
            content.redact(redactor, book, request.redaction, response.redaction)
            guard !content.redactions.isEmpty else { continue }
            counts.merge(content.redactions.counts, uniquingKeysWith: +)
            try InteractionRow.update(
                interaction.id,
                content,
                requestBody: request.id,
                responseBody: response.id,
                rules,
                db
            )
        }
        return counts

        /// The number of the redacted body, and its redaction; nil if there is no body.
        func body(
            _ reference: BodyReference?,
            _ interaction: Int64,
            _ make: () -> BodyRedaction
        ) throws -> (id: Int64?, redaction: BodyRedaction?) {
            guard let reference else { return (nil, nil) }
            var redaction = make()
            var upload = Upload()
            do {
                for number in 0..<BodySlices.count(of: reference.size) {
                    let slice = try BodySQL.slice(number, of: reference, db, path: path)
                    try upload.append(redaction.push(slice), &bodies, db)
                }
                try upload.append(redaction.finish(), &bodies, db)
            } catch let refusal as BodyRedaction.Refusal {
                throw CassetteError(
                    .unwritable,
                    path: path,
                    "was not changed: of interaction \(interaction) \(refusal)."
                )
            }
            guard !redaction.notes.isEmpty else {
                try upload.discard(&bodies, db)
                return (reference.id, redaction)
            }
            return (try upload.finish(&bodies, db), redaction)
        }
    }

    /// Cuts a body into slices for `BodyWriter`.
    private struct Upload {
        private static let number = 1

        private var pending: [UInt8] = []
        private var hasSlices = false

        mutating func append(_ bytes: [UInt8], _ bodies: inout BodyWriter, _ db: Database) throws {
            pending += bytes
            while pending.count > BodySlices.size {
                let slice = Array(pending.prefix(BodySlices.size))
                // No run is open (episode 0): an incomplete body goes when the transaction is rolled back.
                try bodies.append(slice, to: Self.number, episode: 0, db)
                pending.removeFirst(BodySlices.size)
                hasSlices = true
            }
        }

        func finish(_ bodies: inout BodyWriter, _ db: Database) throws -> Int64? {
            try bodies.finish(hasSlices ? .upload(Self.number, last: pending) : .whole(pending), db)?.id
        }

        func discard(_ bodies: inout BodyWriter, _ db: Database) throws {
            if hasSlices { try bodies.discard(Self.number, db) }
        }
    }
}
