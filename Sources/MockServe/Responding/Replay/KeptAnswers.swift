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

/// A request that was answered by the only interaction of its key. Its bytes identify it when it is sent again.
final class KnownRequest: CacheEntry<Int>, @unchecked Sendable {
    let sent: [UInt8]
    /// The listener that accepted its connection.
    let listener: Int
    let number: Int64
    let method: [UInt8]
    /// As the journal shows it.
    let target: [UInt8]
    let isSafe: Bool
    /// Nil once the cache of answers has dropped it. Set once; the runtime allows any thread to read it.
    private(set) weak var answer: KeptAnswer?

    init(
        _ key: Int,
        sent: ByteBuffer,
        _ listener: Int,
        _ number: Int64,
        _ answer: KeptAnswer,
        method: [UInt8],
        target: [UInt8],
        isSafe: Bool
    ) {
        self.sent = Array(sent.readableBytesView)
        self.listener = listener
        self.number = number
        self.answer = answer
        self.method = method
        self.target = target
        self.isSafe = isSafe
        super.init(key)
    }

    var memory: Int { 128 + sent.count + target.count }

    func isSame(_ other: ByteBuffer, _ listener: Int) -> Bool {
        guard self.listener == listener, sent.count == other.readableBytes else { return false }
        return other.withUnsafeReadableBytes { other in
            sent.withUnsafeBytes { sent in
                guard let left = sent.baseAddress, let right = other.baseAddress else { return true }
                return memcmp(left, right, other.count) == 0
            }
        }
    }
}

struct SliceKey: CacheKey {
    let body: Int64
    let number: Int

    var spread: UInt64 { body.spread &+ UInt64(truncatingIfNeeded: number) }
}

final class KeptSlice: CacheEntry<SliceKey>, @unchecked Sendable {
    let bytes: ByteBuffer

    init(_ key: SliceKey, _ bytes: ByteBuffer) {
        self.bytes = bytes
        super.init(key)
    }
}

extension MatchKey: CacheKey {
    var spread: UInt64 { withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } }
}
