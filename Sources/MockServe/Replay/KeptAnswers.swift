import CassetteStore
import Foundation
import HTTPWire
import MockServeCore
import NIOCore

/// What was recorded under one key, and what of it is kept ready.
final class KeptRows: CacheEntry<MatchKey> {
    let rows: [PlaybackReader.Row]
    /// Whether these are all.
    let isComplete: Bool
    /// The only one there is; nil if there are more, or none.
    let only: Int64?
    /// Of the only one.
    var prepared: PreparedAnswer?
    /// The only one as it was just read.
    var atHand: (RecordedAnswer, ByteBuffer)?
    /// Of more than one, by number; and of the only one what cannot be prepared.
    var kept: [Int64: KeptAnswer] = [:]

    init(_ key: MatchKey, _ rows: [PlaybackReader.Row], isComplete: Bool) {
        self.rows = rows
        self.isComplete = isComplete
        only = isComplete && rows.count == 1 ? rows[0].id : nil
        super.init(key, size: 0)
    }

    func takeAtHand() -> (RecordedAnswer, ByteBuffer)? {
        defer { atHand = nil }
        return atHand
    }

    override func givenUp() {
        prepared = nil
        atHand = nil
        kept = [:]
    }

    var memory: Int {
        var size = 64 + rows.count * 64 + (prepared?.bytes.storageCapacity ?? 0)
        for (_, kept) in kept {
            switch kept {
            case .prepared(let answer): size += answer.bytes.storageCapacity
            case .recorded(let answer): size += 1024 + answer.head.fields.byteCount + answer.chunks.count * 16
            }
        }
        return size
    }
}

enum KeptAnswer {
    case prepared(PreparedAnswer)
    case recorded(RecordedAnswer)
}

/// A request that was answered by the only interaction of its key, known by its bytes when it comes again.
final class KnownRequest: CacheEntry<Int> {
    let sent: [UInt8]
    let upstreamIndex: Int
    let rows: KeptRows
    let map: OriginMap
    let method: [UInt8]
    /// As the journal has it.
    let target: [UInt8]
    let isSafe: Bool

    init(
        _ key: Int,
        sent: ByteBuffer,
        _ upstreamIndex: Int,
        _ rows: KeptRows,
        _ map: OriginMap,
        method: [UInt8],
        target: [UInt8],
        isSafe: Bool
    ) {
        self.sent = Array(sent.readableBytesView)
        self.upstreamIndex = upstreamIndex
        self.rows = rows
        self.map = map
        self.method = method
        self.target = target
        self.isSafe = isSafe
        super.init(key, size: 0)
    }

    var memory: Int { 128 + sent.count + target.count }

    func isSame(_ other: ByteBuffer, _ upstreamIndex: Int) -> Bool {
        guard self.upstreamIndex == upstreamIndex, sent.count == other.readableBytes else { return false }
        return other.withUnsafeReadableBytes { other in
            sent.withUnsafeBytes { sent in
                guard let left = sent.baseAddress, let right = other.baseAddress else { return true }
                return memcmp(left, right, other.count) == 0
            }
        }
    }
}

struct SliceKey: Hashable {
    let body: Int64
    let number: Int
}

final class KeptSlice: CacheEntry<SliceKey> {
    let bytes: ByteBuffer

    init(_ key: SliceKey, _ bytes: ByteBuffer) {
        self.bytes = bytes
        super.init(key, size: 0)
    }
}

/// All interactions of one key, as a playback asks for them.
struct RowIndex: PlaybackIndex {
    let rows: [PlaybackReader.Row]
    let reader: PlaybackReader

    func playbackKey(_ key: MatchKey, for request: MatchKeyBuilder) -> PlaybackKey {
        let names = Set(rows.compactMap { $0.variant?.names })
        guard !names.isEmpty else { return PlaybackKey(key) }
        let fields = request.request.fields
        for names in names.sorted() {
            let variant = Variant(names, of: fields)
            if rows.contains(where: { $0.variant == variant }) { return PlaybackKey(key, variant) }
        }
        return PlaybackKey(key)
    }

    func first(_ key: PlaybackKey, after low: Int64, before high: Int64) throws -> Int64? {
        rows.first { $0.id > low && $0.id < high && (key.variant == nil || $0.variant == key.variant) }?.id
    }

    func last(_ key: PlaybackKey, before high: Int64) throws -> Int64? {
        rows.last { $0.id < high && (key.variant == nil || $0.variant == key.variant) }?.id
    }

    func firstWrite(after low: Int64) throws -> Int64? { try reader.firstWrite(after: low) }

    func next(after low: Int64, ifIts key: MatchKey) throws -> Int64? { try reader.next(after: low, ifIts: key) }
}
