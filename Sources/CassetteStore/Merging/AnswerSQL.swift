import GRDB
import HTTPMessages
import MockServeCore

/// Requests as far as they are the same when they are sent again: not by what a client says of itself.
enum RequestSQL {
    static func digest(_ number: Int64, _ db: Database, path: String) throws -> [UInt8] {
        guard let interaction = try RuleSQL.next(db, after: number - 1), interaction.id == number else {
            throw CassetteError(.damaged, path: path, "is damaged: interaction \(number) is missing.")
        }
        var body: [UInt8] = []
        if let reference = interaction.requestBody {
            try db.query("SELECT sha256 FROM body WHERE id = ?1", [.integer(reference.id)]) { row in
                body = row.bytes(0)
                return false
            }
        }
        return AnswerLikeness.digest(of: interaction.content, bodyDigest: body)
    }
}

/// Answers as far as they are the same when they are recorded again (`AnswerLikeness`).
enum AnswerSQL {
    static func digest(_ number: Int64, _ rules: RuleSet, _ db: Database, path: String) throws -> [UInt8] {
        guard let interaction = try RuleSQL.next(db, after: number - 1), interaction.id == number else {
            throw CassetteError(.damaged, path: path, "is damaged: interaction \(number) is missing.")
        }
        var stored: [UInt8] = []
        var bytes: [UInt8]? = []
        if let body = interaction.responseBody {
            try db.query("SELECT sha256 FROM body WHERE id = ?1", [.integer(body.id)]) { row in
                stored = row.bytes(0)
                return false
            }
            bytes = try BodySQL.bytes(of: body, limit: AnswerLikeness.bodyLimit, db, path: path)
        }
        return AnswerLikeness.digest(interaction.content, body: bytes, bodyDigest: stored, rules)
    }
}
