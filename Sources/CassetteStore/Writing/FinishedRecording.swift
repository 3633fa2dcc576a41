import Foundation
import GRDB

/// What became of a recording.
package struct FinishedRecording: Sendable {
    /// Requests that redaction made alike.
    package var likenesses: [Likeness] = []
    /// Interactions that were recorded again and have not changed.
    package var unchanged = 0
    /// Whether the cassette is as it was before.
    package var isAsBefore = false
    /// The numbers of interactions that have others now than when they were recorded.
    package var numbers: [Int64: Int64] = [:]

    package init(
        likenesses: [Likeness] = [],
        unchanged: Int = 0,
        isAsBefore: Bool = false,
        numbers: [Int64: Int64] = [:]
    ) {
        (self.likenesses, self.unchanged) = (likenesses, unchanged)
        (self.isAsBefore, self.numbers) = (isAsBefore, numbers)
    }
}

/// What is in a cassette, but for the bytes of bodies, which have digests.
struct CassetteState: Equatable {
    private let hash: Int
    private let stubs: StubState

    init(_ db: Database) throws {
        var hasher = Hasher()
        let interactions = try MergeEntries.interactions(db)
        hasher.combine(interactions.numbers)
        hasher.combine(interactions.entries)
        let tables = [
            "SELECT id, action, part, pattern, replacement, scope FROM rule",
            "SELECT id, name, origin, '', '', '' FROM upstream",
            "SELECT id, kind, ours_id, theirs_id, '', '' FROM conflict",
        ]
        for sql in tables {
            try db.query(sql) { row in
                for column in 0..<6 as Range<Int32> { hasher.combine(row.text(column)) }
                return true
            }
        }
        hash = hasher.finalize()
        stubs = try StubSQL.state(db)
    }
}

/// The file of a cassette as it was before it was recorded into: put back if nothing has changed, so that it is the same byte
/// for byte.
struct OriginalFile {
    static let purpose = "mockserve-before"
    /// Bytes of a file that is kept.
    private static let limit = 1 << 30

    private let path: String
    private let copy: String

    /// Nil if there is no such file, or it is too long, or cannot be copied: then it is written anew.
    init?(_ path: String, during turn: FolderTurn) {
        let place = CassetteFile.canonicalPath(path)
        RecordingCopy.removeOthers(of: place, Self.purpose)
        let size = (try? FileManager.default.attributesOfItem(atPath: place)[.size]) as? Int ?? 0
        guard size > 0, size <= Self.limit else { return nil }
        CassetteFile.recover(place, during: turn)
        guard !CassetteFile.hasRemains(place) else { return nil }
        let copy = CassetteFile.hidden(place, "\(Self.purpose)-\(RunOwner.current.value)-\(UUID().uuidString)")
        guard (try? FileManager.default.copyItem(atPath: place, toPath: copy)) != nil else {
            unlink(copy)
            return nil
        }
        (self.path, self.copy) = (place, copy)
    }

    /// Puts it back. Must be called during a `FolderTurn`, when nobody else has the cassette open.
    func putBack() {
        guard !CassetteFile.hasRemains(path) else { return }
        _ = rename(copy, path)
    }

    func discard() { unlink(copy) }
}
