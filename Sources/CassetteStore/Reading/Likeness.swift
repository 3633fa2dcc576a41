import GRDB
import MockServeCore

/// Interactions of one match key whose requests differ in redacted values only, and whose answers have different
/// statuses: a wrong password and the right one, for example. In a replay, only the order distinguishes them.
package struct Likeness: Sendable, Equatable, CustomStringConvertible {
    package struct Member: Sendable, Equatable {
        package let id: Int64
        package let status: Int
    }

    /// At least two, in recording order: the first of every set of values, with other statuses than those before.
    package let members: [Member]

    package var description: String {
        func list(_ texts: [String]) -> String {
            texts.dropLast().joined(separator: ", ") + " and " + (texts.last ?? "")
        }
        return "\(list(members.map { "#\($0.id)" })) differ only in redacted values and answered "
            + "\(list(members.map { String($0.status) })); they are answered in the order recorded"
    }
}

/// Finds requests that redaction made alike.
enum LikenessSQL {
    /// Interactions of one key that are looked at.
    private static let rowLimit: Int64 = 256

    static func find(_ key: MatchKey, _ db: Database) throws -> Likeness? {
        var members: [Likeness.Member] = []
        var values: Set<[String]> = []
        let sql = "SELECT id, status, redacted FROM interaction WHERE match_key = ?1 ORDER BY id LIMIT ?2"
        try db.query(sql, [.bytes(key.bytes), .integer(rowLimit)]) { row in
            let redactions = row.isNull(2) ? [] : RedactionsJSON.decode(row.text(2)) ?? []
            let own = redactions.filter { $0.place.hasPrefix("request") }.map(\.placeholder).sorted()
            let status = Int(clamping: row.integer(1))
            if !own.isEmpty, values.insert(own).inserted, !members.contains(where: { $0.status == status }) {
                members.append(Likeness.Member(id: row.integer(0), status: status))
            }
            return true
        }
        return members.count > 1 ? Likeness(members: members) : nil
    }

    /// Those that concern interactions after number `last`.
    static func all(_ db: Database, after last: Int64 = 0, limit: Int = 1000) throws -> [Likeness] {
        var keys: [MatchKey] = []
        let sql = """
            SELECT match_key FROM interaction WHERE match_key IN \
            (SELECT match_key FROM interaction WHERE id > ?1 AND redacted IS NOT NULL) \
            GROUP BY match_key HAVING count(DISTINCT status) > 1 ORDER BY min(id) LIMIT ?2
            """
        try db.query(sql, [.integer(last), .integer(Int64(limit))]) { row in
            if let key = MatchKey(bytes: row.bytes(0)) { keys.append(key) }
            return true
        }
        return try keys.compactMap { try find($0, db) }
    }
}

extension CassetteReader {
    /// Requests that redaction made alike.
    package func likenesses() throws -> [Likeness] { try read { try LikenessSQL.all($0) } }
}
