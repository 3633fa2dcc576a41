import Crypto
import GRDB

/// Writes bodies into the cassette while they arrive, each only once.
struct BodyWriter {
    private struct Upload {
        let id: Int64
        var slices = 1
        var size: Int
        var hasher: SHA256
    }

    /// A stored body; `id` is nil for an empty one.
    struct Stored {
        let id: Int64?
    }

    private var uploads: [Int: Upload] = [:]
    private var failed: Set<Int> = []

    mutating func append(_ bytes: [UInt8], to number: Int, episode: Int64, _ db: Database) throws {
        guard !failed.contains(number) else { return }
        guard var upload = uploads[number] else {
            var hasher = SHA256()
            hasher.update(data: bytes)
            try db.query(
                "INSERT INTO body (size, bytes, episode_id) VALUES (0, ?1, ?2)",
                [.bytes(bytes), .integer(episode)]
            )
            uploads[number] = Upload(id: db.lastInsertedRowID, size: bytes.count, hasher: hasher)
            return
        }
        uploads[number] = nil
        upload.hasher.update(data: bytes)
        try insertSlice(bytes, &upload, db)
        uploads[number] = upload
    }

    private func insertSlice(_ bytes: [UInt8], _ upload: inout Upload, _ db: Database) throws {
        try db.query(
            "INSERT INTO body_slice (body_id, number, bytes) VALUES (?1, ?2, ?3)",
            [.integer(upload.id), .integer(Int64(upload.slices)), .bytes(bytes)]
        )
        upload.slices += 1
        upload.size += bytes.count
    }

    mutating func discard(_ number: Int, _ db: Database) throws {
        failed.remove(number)
        guard let upload = uploads.removeValue(forKey: number) else { return }
        try remove(upload.id, db)
    }

    private func remove(_ id: Int64, _ db: Database) throws {
        try db.query("DELETE FROM body_slice WHERE body_id = ?1", [.integer(id)])
        try db.query("DELETE FROM body WHERE id = ?1", [.integer(id)])
    }

    /// Completes a body.
    ///
    /// - Returns: nil if a part of it was lost.
    mutating func finish(_ body: NewBody, _ db: Database) throws -> Stored? {
        switch body {
        case .none: return Stored(id: nil)
        case .whole(let bytes) where bytes.isEmpty: return Stored(id: nil)
        case .whole(let bytes):
            let digest = Array(SHA256.hash(data: bytes))
            if let known = try find(digest, db) { return Stored(id: known) }
            try db.query(
                "INSERT INTO body (sha256, size, bytes) VALUES (?1, ?2, ?3)",
                [.bytes(digest), .integer(Int64(bytes.count)), .bytes(bytes)]
            )
            return Stored(id: db.lastInsertedRowID)
        case .upload(let number, let last):
            guard failed.remove(number) == nil, var upload = uploads.removeValue(forKey: number) else { return nil }
            upload.hasher.update(data: last)
            if !last.isEmpty { try insertSlice(last, &upload, db) }
            return try complete(upload, db)
        }
    }

    private func complete(_ upload: Upload, _ db: Database) throws -> Stored? {
        let digest = Array(upload.hasher.finalize())
        if let known = try find(digest, db) {
            try remove(upload.id, db)
            return Stored(id: known)
        }
        try db.query(
            "UPDATE body SET sha256 = ?2, size = ?3, episode_id = NULL WHERE id = ?1",
            [.integer(upload.id), .bytes(digest), .integer(Int64(upload.size))]
        )
        // Gone if another process took this one for dead and cleaned up after it.
        guard db.changesCount == 1 else { return nil }
        return Stored(id: upload.id)
    }

    private func find(_ digest: [UInt8], _ db: Database) throws -> Int64? {
        try db.firstInteger("SELECT id FROM body WHERE sha256 = ?1", [.bytes(digest)])
    }

    /// Called after a transaction was rolled back: no upload that was under way can be completed.
    mutating func failAll() {
        failed.formUnion(uploads.keys)
        uploads = [:]
    }
}
