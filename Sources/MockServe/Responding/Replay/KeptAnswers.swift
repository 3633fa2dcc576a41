import CassetteStore
import Foundation
import HTTPMessages
import MockServeCore
import NIOCore

/// What was recorded under one key.
final class KeptRows: CacheEntry<MatchKey>, @unchecked Sendable {
    let rows: [PlaybackReader.Row]
    /// Whether these are all.
    let isComplete: Bool
    /// The only one there is, if it answers everybody who asks for the key; nil if there are more, or none.
    let only: Int64?
    /// What there is to say where one of these answers; nil for nothing.
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

/// An answer, by the number of its interaction: as it goes over the wire, or as it was recorded if it must be played.
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

/// A request that was answered by the only interaction of its key, known by its bytes when it comes again.
final class KnownRequest: CacheEntry<Int>, @unchecked Sendable {
    let sent: [UInt8]
    /// By which it came in.
    let listener: Int
    let number: Int64
    let method: [UInt8]
    /// As the journal has it.
    let target: [UInt8]
    let isSafe: Bool
    /// Gone when the cache of answers gives it up. Set once; the runtime lets any thread read it.
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
