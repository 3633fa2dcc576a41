import Crypto
package import Foundation
import NIOCore
import SwiftASN1
import X509

/// A certificate authority with its key: issues the certificates of a server (RFC 5280). P-256 throughout.
package struct SigningAuthority: Sendable {
    private static let day: TimeInterval = 86_400
    /// Clocks differ, and tests turn them back.
    private static let before = 2 * day
    /// Seconds for which certificates are valid from now on.
    package static let validity = 90 * day

    private let certificate: Certificate
    private let key: P256.Signing.PrivateKey

    /// A new authority, which is constrained to these names and to loopback.
    ///
    /// - Parameters:
    ///   - constrainsAddresses: whether addresses are constrained, too. Clients that are built on BoringSSL, such as gRPC's,
    ///     accept no certificate for an address from an authority that is, so one whose key is never written does without.
    ///   - validity: seconds.
    package init(
        for served: ServedNames,
        constrainsAddresses: Bool,
        validity: TimeInterval = Self.validity,
        now: Date = Date()
    ) throws {
        let constraints = served.constraints(includingAddresses: constrainsAddresses)
        try self.init(constrainedTo: constraints, validity: validity, now: now)
    }

    /// A new authority with the constraints of this one.
    package func renewed(validity: TimeInterval, now: Date = Date()) throws -> SigningAuthority {
        try SigningAuthority(constrainedTo: certificate.extensions.nameConstraints, validity: validity, now: now)
    }

    private init(constrainedTo constraints: NameConstraints?, validity: TimeInterval, now: Date) throws {
        key = P256.Signing.PrivateKey()
        let publicKey = Certificate.PublicKey(key.publicKey)
        // Two authorities with one name would be taken for each other.
        let mark = SHA256.hash(data: key.publicKey.rawRepresentation).prefix(4)
        let name = try DistinguishedName {
            OrganizationName("mockserve")
            CommonName("mockserve \(mark.map { String(format: "%02x", $0) }.joined())")
        }
        let extensions = try Certificate.Extensions {
            Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
            Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            SubjectKeyIdentifier(hash: publicKey)
            if let constraints { Critical(constraints) }
        }
        certificate = try Certificate(
            version: .v3,
            serialNumber: Self.serialNumber(),
            publicKey: publicKey,
            notValidBefore: now - Self.before,
            notValidAfter: now + validity,
            issuer: name,
            subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: extensions,
            issuerPrivateKey: Certificate.PrivateKey(key)
        )
    }

    /// Why a text is not an authority that was kept.
    package enum Unreadable: String, Error {
        case notBoth = "it has to hold a certificate and its P-256 key in PEM"
        case otherKey = "its key is not that of its certificate"
        case noAuthority = "its certificate is not that of an authority"
        case expired = "it has expired"
    }

    /// Reads an authority that was kept (`keptText`).
    package init(kept text: String, now: Date = Date()) throws(Unreadable) {
        guard let certificate = Self.block("CERTIFICATE", text).flatMap({ try? Certificate(pemEncoded: $0) }),
            let key = Self.block("PRIVATE KEY", text).flatMap({ try? P256.Signing.PrivateKey(pemRepresentation: $0) })
        else { throw .notBoth }
        guard certificate.publicKey == Certificate.PublicKey(key.publicKey) else { throw .otherKey }
        guard case .isCertificateAuthority = try? certificate.extensions.basicConstraints else { throw .noAuthority }
        guard now < certificate.notValidAfter else { throw .expired }
        (self.certificate, self.key) = (certificate, key)
    }

    /// A block of a text in PEM (RFC 7468), with its first and last line.
    private static func block(_ label: String, _ text: String) -> String? {
        guard let start = text.range(of: "-----BEGIN \(label)-----"),
            let end = text.range(of: "-----END \(label)-----", range: start.upperBound..<text.endIndex)
        else { return nil }
        return String(text[start.lowerBound..<end.upperBound])
    }

    /// Of 128 bits. The first is clear, so that it does not become longer where it is written.
    private static func serialNumber() -> Certificate.SerialNumber {
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        bytes[0] = bytes[0] & 0x7F | 0x40
        return Certificate.SerialNumber(bytes: bytes)
    }

    // MARK: The certificate

    /// X.509, DER.
    package var der: [UInt8] {
        get throws { try certificate.der }
    }

    /// The certificate in PEM, with a line end.
    package var pem: String {
        get throws { try certificate.serializeAsPEM().pemString + "\n" }
    }

    /// Certificate and key in PEM. It must not be seen by anybody else.
    package var keptText: String {
        get throws { try pem + key.pemRepresentation + "\n" }
    }

    /// When the certificate ends.
    package var end: Date { certificate.notValidAfter }

    package var subject: String { certificate.subject.description }

    /// The names and addresses to which it is constrained; empty if it may issue for any.
    package var permitted: [String] {
        guard let constraints = try? certificate.extensions.nameConstraints else { return [] }
        let ranges = constraints.permittedIPRanges.map { ServedNames.text(range: Array($0.bytes)) }
        return Array(constraints.permittedDNSDomains) + ranges
    }

    /// Whether it may issue for a name, in lower case.
    package func permits(_ name: String) -> Bool { permits(.dnsName(name)) }

    private func permits(_ name: GeneralName) -> Bool {
        guard let constraints = try? certificate.extensions.nameConstraints else { return true }
        switch name {
        case .dnsName(let name):
            let permitted = Array(constraints.permittedDNSDomains)
            return permitted.isEmpty || permitted.contains { name == $0 || name.hasSuffix("." + $0) }
        case .ipAddress(let address):
            let permitted = constraints.permittedIPRanges.map { Array($0.bytes) }
            return permitted.isEmpty || permitted.contains { Self.covers($0, Array(address.bytes)) }
        default: return false
        }
    }

    /// - Parameter range: address and mask (RFC 5280 §4.2.1.10).
    private static func covers(_ range: [UInt8], _ address: [UInt8]) -> Bool {
        range.count == 2 * address.count
            && address.indices.allSatisfy {
                address[$0] & range[address.count + $0] == range[$0] & range[address.count + $0]
            }
    }

    /// A key for certificates of servers.
    package struct LeafKey: Sendable {
        fileprivate let key = P256.Signing.PrivateKey()

        package init() {}

        /// PKCS#8, DER.
        package var der: [UInt8] { Array(key.derRepresentation) }
    }

    /// A certificate for a server that has these names and those that are served, as far as the authority may issue for them:
    /// one that it may not would make the certificate worthless for all.
    ///
    /// - Returns: X.509, DER.
    package func issue(_ names: [String], _ served: ServedNames, _ leaf: LeafKey, now: Date = Date()) throws -> [UInt8]
    {
        let publicKey = Certificate.PublicKey(leaf.key.publicKey)
        let issuer = try certificate.extensions.subjectKeyIdentifier?.keyIdentifier
        let alternatives = (names.map { GeneralName.dnsName($0) } + served.general).filter(permits)
        return try Certificate(
            version: .v3,
            serialNumber: Self.serialNumber(),
            publicKey: publicKey,
            notValidBefore: max(certificate.notValidBefore, now - Self.before),
            notValidAfter: min(certificate.notValidAfter, now + Self.validity),
            issuer: certificate.subject,
            // What counts are the alternative names (RFC 9525 §2).
            subject: try DistinguishedName { OrganizationName("mockserve") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(alternatives)
                AuthorityKeyIdentifier(keyIdentifier: issuer)
            },
            issuerPrivateKey: Certificate.PrivateKey(key)
        ).der
    }

    /// The subject of a certificate as a distinguished name (RFC 4514); nil if it cannot be read.
    ///
    /// - Parameter der: X.509.
    package static func subject(of der: [UInt8]) -> String? {
        (try? Certificate(derEncoded: der))?.subject.description
    }
}

extension Certificate {
    fileprivate var der: [UInt8] {
        get throws {
            var serializer = DER.Serializer()
            try serializer.serialize(self)
            return serializer.serializedBytes
        }
    }
}

extension ServedNames {
    fileprivate var general: [GeneralName] {
        let addresses = Self.standard + addresses
        return names.map { .dnsName($0) } + addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0[...])) }
    }

    /// Nil if any name may be used.
    fileprivate func constraints(includingAddresses: Bool) -> NameConstraints? {
        guard !areAny else { return nil }
        guard includingAddresses else { return NameConstraints(permittedDNSDomains: names) }
        // The first is all of 127.0.0.0/8.
        let others = addresses.filter { $0.count > 4 || $0[0] != 127 }
        let ranges =
            [[127, 0, 0, 0, 255, 0, 0, 0]]
            + ([Self.standard[1]] + others).map { $0 + [UInt8](repeating: 0xFF, count: $0.count) }
        return NameConstraints(
            permittedDNSDomains: names,
            permittedIPRanges: ranges.map { ASN1OctetString(contentBytes: $0[...]) }
        )
    }

    /// - Parameter range: address and mask (RFC 5280 §4.2.1.10).
    fileprivate static func text(range: [UInt8]) -> String {
        let (address, mask) = (range.prefix(range.count / 2), range.suffix(range.count / 2))
        let length = mask.reduce(0) { $0 + $1.nonzeroBitCount }
        let packed = ByteBuffer(bytes: address)
        let text = (try? SocketAddress(packedIPAddress: packed, port: 0))?.ipAddress ?? "?"
        return length == address.count * 8 ? text : "\(text)/\(length)"
    }
}
