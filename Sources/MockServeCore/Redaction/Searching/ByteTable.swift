/// A number for each byte, at a place that never changes.
struct ByteTable: @unchecked Sendable {
    let bytes: UnsafePointer<UInt8>

    init(_ value: (UInt8) -> UInt8) {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        for byte in 0...255 { memory[byte] = value(UInt8(byte)) }
        bytes = UnsafePointer(memory)
    }
}
