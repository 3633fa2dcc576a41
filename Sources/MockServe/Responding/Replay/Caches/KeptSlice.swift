import NIOCore

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
