import GRDB

/// Cuts a body into slices for `BodyWriter`, in a transaction outside of any run.
struct BodyUpload {
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

extension BodyWriter {
    /// Writes a whole body.
    ///
    /// - Returns: its number; nil if it is empty.
    mutating func write(_ bytes: [UInt8], _ db: Database) throws -> Int64? {
        var upload = BodyUpload()
        try upload.append(bytes, &self, db)
        return try upload.finish(&self, db)
    }
}
