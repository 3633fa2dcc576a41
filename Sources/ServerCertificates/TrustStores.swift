import Crypto
package import Foundation

/// Certificates that others trust, as files of various programs hold them.
package enum TrustStores {
    /// The certificates in a text in PEM (RFC 7468), DER. Blocks that are no Base64 are left out.
    package static func certificates(inPEM text: String) -> [[UInt8]] {
        let (start, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
        return text.components(separatedBy: start).dropFirst().compactMap { part in
            guard let stop = part.range(of: end) else { return nil }
            return Data(base64Encoded: String(part[..<stop.lowerBound]), options: .ignoreUnknownCharacters).map(
                Array.init
            )
        }
    }

    /// The password of `java`. What it protects is public.
    package static let javaPassword = "changeit"

    /// A trust store of Java in the format JKS, version 2: big-endian, closed by a digest that is salted with the password.
    package static func java(_ certificates: [[UInt8]], now: Date = Date()) -> [UInt8] {
        var output: [UInt8] = []
        func append(_ number: some FixedWidthInteger) {
            withUnsafeBytes(of: number.bigEndian) { output.append(contentsOf: $0) }
        }
        func append(text: String) {
            append(UInt16(text.utf8.count))
            output += text.utf8
        }
        append(UInt32(0xFEED_FEED))
        append(UInt32(2))
        append(UInt32(certificates.count))
        for (index, certificate) in certificates.enumerated() {
            let isTrusted: UInt32 = 2
            append(isTrusted)
            append(text: "trusted-\(index)")
            append(UInt64(max(0, now.timeIntervalSince1970 * 1000)))
            append(text: "X.509")
            append(UInt32(certificate.count))
            output += certificate
        }
        var digest = Insecure.SHA1()
        for unit in javaPassword.utf16 { withUnsafeBytes(of: unit.bigEndian) { digest.update(bufferPointer: $0) } }
        digest.update(data: Data("Mighty Aphrodite".utf8))
        digest.update(data: output)
        return output + Array(digest.finalize())
    }
}
