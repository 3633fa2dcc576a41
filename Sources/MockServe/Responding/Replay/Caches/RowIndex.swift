import CassetteStore
import HTTPMessages
import MockServeCore

/// All interactions of one key, as the index of a playback.
struct RowIndex: PlaybackIndex {
    let rows: [PlaybackReader.Row]
    let reader: PlaybackReader

    func playbackKey(_ key: MatchKey, for request: MatchKeyBuilder) -> PlaybackKey {
        let lists = Set(rows.compactMap { $0.variant?.names }).sorted()
        guard !lists.isEmpty else { return PlaybackKey(key) }
        let choice = PlaybackKey.choose(lists, for: request.request.fields, served: request.served) { choice in
            rows.contains { choice.admits($0.variant, status: $0.status) }
        }
        return PlaybackKey(key, choice)
    }

    func first(_ key: PlaybackKey, after low: Int64, before high: Int64) throws -> Int64? {
        rows.first { $0.id > low && $0.id < high && key.choice.admits($0.variant, status: $0.status) }?.id
    }

    func last(_ key: PlaybackKey, before high: Int64) throws -> Int64? {
        rows.last { $0.id < high && key.choice.admits($0.variant, status: $0.status) }?.id
    }

    func firstWrite(after low: Int64) throws -> Int64? { try reader.firstWrite(after: low) }

    func next(after low: Int64, ifIts key: MatchKey) throws -> Int64? { try reader.next(after: low, ifIts: key) }
}
