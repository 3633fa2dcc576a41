import CassetteStore
import NIOCore

/// Gathers one body for the cassette: a short one in memory, a longer one handed over slice by slice.
struct BodyCollector {
    private let writer: CassetteWriter?
    private var bytes: [UInt8] = []
    private var upload: Int?

    /// - Parameter writer: nil if nothing is recorded.
    init(_ writer: CassetteWriter?) {
        self.writer = writer
    }

    /// - Returns: whether a slice was handed over, after which the writer may be congested.
    mutating func append(_ buffer: ByteBuffer) -> Bool {
        guard let writer else { return false }
        var hasHandedOver = false
        var rest = buffer.readableBytesView[...]
        while !rest.isEmpty {
            if bytes.count == BodySlices.size {
                let upload = upload ?? writer.newUpload()
                self.upload = upload
                writer.append(slice: bytes, to: upload)
                bytes = []
                hasHandedOver = true
            }
            let piece = rest.prefix(BodySlices.size - bytes.count)
            bytes.append(contentsOf: piece)
            rest = rest.dropFirst(piece.count)
        }
        return hasHandedOver
    }

    mutating func finish() -> NewBody {
        defer {
            bytes = []
            upload = nil
        }
        if let upload { return .upload(upload, last: bytes) }
        return bytes.isEmpty ? .none : .whole(bytes)
    }

    mutating func discard() {
        if let upload { writer?.discard(upload: upload) }
        bytes = []
        upload = nil
    }
}
