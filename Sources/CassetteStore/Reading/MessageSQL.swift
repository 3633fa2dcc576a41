import GRDB
import MockServeCore

/// The steps of conversations, in the table `message`.
enum MessageSQL {
    static func insert(_ steps: [ConversationStep], of interaction: Int64, _ db: Database) throws {
        for (number, step) in steps.enumerated() {
            try db.query(
                "INSERT INTO message (interaction_id, number, sender, kind, offset_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                [
                    .integer(interaction), .integer(Int64(number) + 1), .text(step.sender.rawValue),
                    .text(step.kind.rawValue), .integer(Int64(step.offset)),
                ]
            )
        }
    }

    /// Empty for an interaction that is not a conversation, or one of a kind that is not known.
    static func steps(of interaction: Int64, _ db: Database) throws -> [ConversationStep] {
        guard try !StubSQL.hasNone(db) else { return [] }
        var steps: [ConversationStep] = []
        var isKnown = true
        let sql = "SELECT sender, kind, offset_ms FROM message WHERE interaction_id = ?1 ORDER BY number"
        try db.query(sql, [.integer(interaction)]) { row in
            guard let sender = ConversationStep.Sender(rawValue: row.text(0)),
                let kind = ConversationStep.Kind(rawValue: row.text(1))
            else {
                isKnown = false
                return false
            }
            steps.append(ConversationStep(sender, kind, offset: Int(clamping: max(0, row.integer(2)))))
            return true
        }
        return isKnown ? steps : []
    }

    static func hasAny(_ db: Database) throws -> Bool {
        try !StubSQL.hasNone(db) && db.firstInteger("SELECT 1 FROM message LIMIT 1") != nil
    }

    /// The conversations that were recorded for a target, in recording order.
    static func interactions(
        method: String,
        target: String,
        origin: String,
        newest: Int64,
        limit: Int,
        _ db: Database
    ) throws -> [Int64] {
        var ids: [Int64] = []
        let sql = """
            SELECT id FROM interaction WHERE target = ?1 AND method = ?2 AND origin = ?3 AND id <= ?4 \
            AND EXISTS (SELECT 1 FROM message WHERE interaction_id = interaction.id) ORDER BY id LIMIT ?5
            """
        try db.query(sql, [.text(target), .text(method), .text(origin), .integer(newest), .integer(Int64(limit))]) {
            ids.append($0.integer(0))
            return true
        }
        return ids
    }
}
