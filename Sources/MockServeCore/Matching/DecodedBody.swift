import ContentCoding
package import HTTPMessages

/// A body without its content codings, for showing and comparing.
package enum DecodedBody {
    /// - Returns: `bytes` themselves if they are not coded, or cannot be decoded within `NearMiss.bodyLimit`.
    package static func decode(_ bytes: [UInt8], _ fields: Fields) -> [UInt8] {
        var decoded = bytes
        for name in listMembers(fields.values("content-encoding")).reversed() {
            guard let coding = ContentCoding(name),
                let next = try? coding.decode(decoded, limit: NearMiss.bodyLimit)
            else { return bytes }
            decoded = next
        }
        return decoded
    }
}
