/// How a body is cut: the first piece is in `body`, the others are in `body_slice`.
package enum BodySlices {
    /// Bytes of every piece but the last.
    package static let size = 256 << 10

    /// Bytes that a body may have: more than any disk holds, but few enough to calculate with. A crafted file may claim
    /// more.
    static let largest: Int64 = 1 << 53

    package static func count(of bytes: Int) -> Int { (bytes + size - 1) / size }

    /// Bytes of piece `number` of a body of `total` bytes.
    package static func length(of number: Int, in total: Int) -> Int { max(0, min(size, total - number * size)) }
}
