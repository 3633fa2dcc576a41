import CassetteStore
import Foundation
import HTTPMessages
import MockServeCore
import NIOCore

/// The interactions that were recorded under one match key.
final class KeptRows: CacheEntry<MatchKey>, @unchecked Sendable {
    let rows: [PlaybackReader.Row]
    /// Whether these are all of them.
    let isComplete: Bool
    /// The only interaction, if it answers every request with this key; nil otherwise.
    let only: Int64?
    /// What the journal should say if one of these answers; nil for nothing.
    let remark: String?

    init(_ key: MatchKey, _ rows: [PlaybackReader.Row], isComplete: Bool, remark: String? = nil) {
        self.rows = rows
        self.isComplete = isComplete
        self.remark = remark
        only = isComplete && rows.count == 1 && !(rows[0].variant?.hasCondition ?? false) ? rows[0].id : nil
        super.init(key)
    }

    var memory: Int { 64 + rows.count * 64 + (remark?.utf8.count ?? 0) }
}

/// An answer, by the number of its interaction: as bytes to send, or as it was recorded if it must be played.
final class KeptAnswer: CacheEntry<Int64>, @unchecked Sendable {
    enum Content: Sendable {
        case prepared(PreparedAnswer)
        case recorded(RecordedAnswer)
    }

    let content: Content

    init(_ number: Int64, _ content: Content) {
        self.content = content
        super.init(number)
    }

    var memory: Int {
        switch content {
        case .prepared(let answer): answer.bytes.storageCapacity
        case .recorded(let answer): 1024 + answer.head.fields.byteCount + answer.chunks.count * 16
        }
    }
}

extension MatchKey: CacheKey {
    var spread: UInt64 { withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } }
}
