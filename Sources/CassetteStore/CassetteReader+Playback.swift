package import HTTPWire
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

    package func first(_ key: PlaybackKey, after low: Int64, before high: Int64) throws -> Int64? {
        try reader.number(
            "\(Self.select(key)) AND id > ?1 AND id < ?2 AND id <= ?3 ORDER BY id LIMIT 1",
            [.integer(low), .integer(high), .integer(last)] + Self.bindings(key)
        )
    }

    package func last(_ key: PlaybackKey, before high: Int64) throws -> Int64? {
        try reader.number(
            "\(Self.select(key)) AND id > ?1 AND id < ?2 AND id <= ?3 ORDER BY id DESC LIMIT 1",
            [.integer(0), .integer(high), .integer(last)] + Self.bindings(key)
        )
    }

    private static func select(_ key: PlaybackKey) -> String {
        key.variant == nil
            ? "SELECT id FROM interaction WHERE match_key = ?4"
            : "SELECT id FROM interaction WHERE match_key = ?4 AND vary = ?5 AND vary_key = ?6"
    }

    private static func bindings(_ key: PlaybackKey) -> [Binding] {
        [.bytes(key.match.bytes)] + (key.variant.map { [.text($0.names), .bytes($0.key)] } ?? [])
    }

    /// The key by which the answers to a request are found: of those recorded under `key`, the ones whose requests agree
    /// with it in the fields that their answers vary by, if there are any.
    package func playbackKey(_ key: MatchKey, for request: RequestHead) throws -> PlaybackKey {
        var names = ""
        // Answers to one request hardly vary by several lists of fields.
        for _ in 0..<8 {
            guard
                let next = try reader.text(
                    "SELECT vary FROM interaction WHERE match_key = ?1 AND vary > ?2 ORDER BY vary LIMIT 1",
                    [.bytes(key.bytes), .text(names)]
                )
            else { break }
            let candidate = PlaybackKey(key, Variant(next, of: request.fields))
            if try first(candidate, after: 0, before: .max) != nil { return candidate }
            names = next
        }
        return PlaybackKey(key)
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
