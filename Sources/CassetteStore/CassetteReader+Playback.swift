package import MockServeCore

/// A recording as it is played: up to a number, beyond which it is still being made.
package struct PlayedRecording: PlaybackIndex {
    private let reader: CassetteReader
    private let last: Int64

    /// - Parameter last: the newest interaction that is played.
    package init(_ reader: CassetteReader, last: Int64 = .max) {
        self.reader = reader
        self.last = last
    }

    package func first(_ key: MatchKey, after low: Int64, before high: Int64) throws -> Int64? {
        try reader.number(
            """
            SELECT id FROM interaction WHERE match_key = ?1 AND id > ?2 AND id < ?3 AND id <= ?4 ORDER BY id LIMIT 1
            """,
            [.bytes(key.bytes), .integer(low), .integer(high), .integer(last)]
        )
    }

    package func last(_ key: MatchKey, before high: Int64) throws -> Int64? {
        try reader.number(
            "SELECT id FROM interaction WHERE match_key = ?1 AND id < ?2 AND id <= ?3 ORDER BY id DESC LIMIT 1",
            [.bytes(key.bytes), .integer(high), .integer(last)]
        )
    }

    package func firstWrite(after low: Int64) throws -> Int64? {
        try reader.number(
            """
            SELECT id FROM interaction INDEXED BY interaction_write \
            WHERE method NOT IN ('GET', 'HEAD', 'OPTIONS', 'TRACE') AND id > ?1 AND id <= ?2 ORDER BY id LIMIT 1
            """,
            [.integer(low), .integer(last)]
        )
    }

    package func next(after low: Int64, ifIts key: MatchKey) throws -> Int64? {
        try reader.number(
            """
            SELECT id FROM interaction WHERE match_key = ?2 AND id <= ?3 \
            AND id = (SELECT min(id) FROM interaction WHERE id > ?1)
            """,
            [.integer(low), .bytes(key.bytes), .integer(last)]
        )
    }
}
