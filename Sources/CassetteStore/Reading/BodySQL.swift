import GRDB
import MockServeCore

/// Reads stored bodies.
enum BodySQL {
    /// - Throws: `CassetteError` if the piece is missing or not as long as it must be.
    static func slice(_ number: Int, of body: BodyReference, _ db: Database, path: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let take: (RowView) throws -> Bool = { row in
            bytes = row.bytes(0)
            return false
        }
        if number == 0 {
            try db.query("SELECT bytes FROM body WHERE id = ?1", [.integer(body.id)], take)
        } else {
            let bindings = [Binding.integer(body.id), .integer(Int64(number))]
            try db.query("SELECT bytes FROM body_slice WHERE body_id = ?1 AND number = ?2", bindings, take)
        }
        guard bytes.count == BodySlices.length(of: number, in: body.size) else {
            throw CassetteError(.damaged, path: path, "is damaged: part \(number) of body \(body.id) is missing.")
        }
        return bytes
    }

    /// A whole body of at most `limit` bytes; nil if it is longer.
    static func bytes(of body: BodyReference, limit: Int, _ db: Database, path: String) throws -> [UInt8]? {
        guard body.size <= limit else { return nil }
        return try (0..<BodySlices.count(of: body.size)).reduce(into: []) {
            $0 += try slice($1, of: body, db, path: path)
        }
    }
}
