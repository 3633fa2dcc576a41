import GRDB
import MockServeCore

/// Something that two sides of a merge have made different. Both are in the cassette until somebody decides.
package struct Conflict: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case interaction
        case stub
    }

    package let number: Int64
    package let kind: Kind
    /// Number of the interaction or stub; nil if this side has removed it.
    package let ours: Int64?
    package let theirs: Int64?
}

/// Which side of a conflict stays.
package enum ConflictChoice: String, Sendable, CaseIterable {
    case ours
    case theirs
    case both
}

enum ConflictSQL {
    private static func hasNone(_ db: Database) throws -> Bool { try db.firstInteger("PRAGMA user_version") ?? 0 < 4 }

    static func all(_ db: Database) throws -> [Conflict] {
        if try hasNone(db) { return [] }
        var conflicts: [Conflict] = []
        try db.query("SELECT id, kind, ours_id, theirs_id FROM conflict ORDER BY id LIMIT 1000000") { row in
            let kind = Conflict.Kind(rawValue: row.text(1)) ?? .interaction
            conflicts.append(
                Conflict(number: row.integer(0), kind: kind, ours: row.reference(2), theirs: row.reference(3))
            )
            return true
        }
        return conflicts
    }

    static func add(_ kind: Conflict.Kind, ours: Int64?, theirs: Int64?, _ db: Database) throws {
        try db.query(
            "INSERT INTO conflict (kind, ours_id, theirs_id) VALUES (?1, ?2, ?3)",
            [.text(kind.rawValue), ours.map { .integer($0) } ?? .null, theirs.map { .integer($0) } ?? .null]
        )
    }

    /// Gives the sides of conflicts the numbers that they have now. One that has lost a side is none any more.
    static func follow(_ kind: Conflict.Kind, _ old: [Int64?], _ new: [Int64], _ db: Database) throws {
        let pairs = zip(old, new).compactMap { before, after in before.map { ($0, after) } }
        let numbers = Dictionary(pairs) { first, _ in first }
        for conflict in try all(db) where conflict.kind == kind {
            let sides = [conflict.ours, conflict.theirs].map { $0.flatMap { numbers[$0] } }
            let isWhole = (conflict.ours == nil || sides[0] != nil) && (conflict.theirs == nil || sides[1] != nil)
            try db.query("DELETE FROM conflict WHERE id = ?1", [.integer(conflict.number)])
            if isWhole { try add(kind, ours: sides[0], theirs: sides[1], db) }
        }
    }

    /// Removes what was not chosen.
    static func settle(_ conflict: Conflict, _ choice: ConflictChoice, _ db: Database) throws {
        let removed: [Int64?] =
            switch choice {
            case .ours: [conflict.theirs]
            case .theirs: [conflict.ours]
            case .both: []
            }
        for number in removed.compactMap({ $0 }) {
            try db.query("DELETE FROM \(conflict.kind.rawValue) WHERE id = ?1", [.integer(number)])
        }
        try db.query("DELETE FROM conflict WHERE id = ?1", [.integer(conflict.number)])
    }
}

extension CassetteReader {
    /// Conflicts that a merge has left.
    package func conflicts() throws -> [Conflict] { try read { try ConflictSQL.all($0) } }
}

extension CassetteError {
    /// For whoever would answer from a cassette in which it is not clear what the answer is.
    package static func unresolved(_ conflicts: [Conflict], path: String) -> CassetteError? {
        guard !conflicts.isEmpty else { return nil }
        let what = Counted.text(conflicts.count, "conflict")
        return CassetteError(
            .unreadable,
            path: path,
            "has \(what) that a merge has left. Settle \(conflicts.count == 1 ? "it" : "them"): mockserve cassette resolve \(ShellText.quoted(path))"
        )
    }
}
