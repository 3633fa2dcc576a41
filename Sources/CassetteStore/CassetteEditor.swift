import GRDB

/// Changes to a cassette that is not being recorded.
package enum CassetteEditor {
    /// Removes interactions, and bodies that nothing refers to any more; freed pages are overwritten.
    ///
    /// - Returns: how many interactions were removed.
    /// - Throws: `CassetteError`; then nothing was removed. A range that holds no interaction is one.
    package static func remove(_ ranges: [ClosedRange<Int64>], from path: String) throws -> Int {
        try CassetteFile.checkKind(path)
        let (queue, _) = try CassetteFile.openForWriting(path)
        do {
            let removed = try queue.inDatabase { db in
                try db.execute(sql: "PRAGMA secure_delete = ON")
                var removed = 0
                try db.inTransaction(.immediate) {
                    for range in ranges {
                        let bounds = [Binding.integer(range.lowerBound), .integer(range.upperBound)]
                        try db.query("DELETE FROM interaction WHERE id BETWEEN ?1 AND ?2", bounds)
                        guard db.changesCount > 0 else {
                            let name =
                                range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
                            throw CassetteError(
                                .unreadable,
                                path: path,
                                "has no interaction \(name); nothing was removed."
                            )
                        }
                        removed += db.changesCount
                    }
                    try EpisodeSQL.removeUnused(db)
                    return .commit
                }
                try EpisodeSQL.leaveWAL(db)
                return removed
            }
            try queue.close()
            return removed
        } catch {
            throw CassetteFile.explain(error, path: path, .unwritable)
        }
    }
}
