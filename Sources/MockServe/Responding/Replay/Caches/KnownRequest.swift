import Foundation
import HTTPMessages
import NIOCore

/// A request that was answered by the only interaction of its key. Its bytes identify it when it is sent again.
final class KnownRequest: CacheEntry<Int>, @unchecked Sendable {
    let sent: [UInt8]
    /// Where its connection came in.
    let entrance: Entrance
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
        _ entrance: Entrance,
        _ number: Int64,
        _ answer: KeptAnswer,
        method: [UInt8],
        target: [UInt8],
        isSafe: Bool
    ) {
        self.sent = Array(sent.readableBytesView)
        self.entrance = entrance
        self.number = number
        self.answer = answer
        self.method = method
        self.target = target
        self.isSafe = isSafe
        super.init(key)
    }

    var memory: Int { 128 + sent.count + target.count }

    func isSame(_ other: ByteBuffer, _ entrance: Entrance) -> Bool {
        guard self.entrance == entrance, sent.count == other.readableBytes else { return false }
        return other.withUnsafeReadableBytes { other in
            sent.withUnsafeBytes { sent in
                guard let left = sent.baseAddress, let right = other.baseAddress else { return true }
                return memcmp(left, right, other.count) == 0
            }
        }
    }
}
