import Crypto

/// Digests a body that arrives in pieces, and its beginnings, to find how far two long bodies are the same.
struct BodyDigester {
    /// Bytes between two digests of beginnings: 256 KiB.
    static let step = 256 << 10
    /// How many beginnings are digested: those of the first GiB, which takes 32 KiB of memory.
    static let limit = 4096

    private var hasher = SHA256()
    private var length = 0
    private var beginnings: [UInt64] = []

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while rest.count > 0 {
            let count = min(rest.count, Self.step - length % Self.step)
            hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            length += count
            if length % Self.step == 0, beginnings.count < Self.limit { beginnings.append(Self.short(digest)) }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        }
    }

    var digest: SHA256Digest {
        let hasher = hasher
        return hasher.finalize()
    }

    /// Digests of the first 256 KiB, of the first 512 KiB and so on, and of the whole.
    var steps: [UInt64] { beginnings + [Self.short(digest)] }

    private static func short(_ digest: SHA256Digest) -> UInt64 {
        digest.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    }

    /// The same for a whole body.
    static func steps(of body: [UInt8]) -> [UInt64] {
        var digester = BodyDigester()
        body.withUnsafeBytes { digester.update($0) }
        return digester.steps
    }
}
