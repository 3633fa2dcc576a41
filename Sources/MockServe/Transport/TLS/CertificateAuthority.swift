import ServerCertificates

/// The certificate of the authority that has issued a server's certificates: what a client must trust to speak TLS with the
/// server. Its key never leaves the process.
public struct CertificateAuthority: Sendable, Equatable {
    /// X.509, DER.
    public let der: [UInt8]
    /// The same as text (RFC 7468), with a line end.
    public let pem: String

    init(_ authority: SigningAuthority) throws {
        der = try authority.der
        pem = try authority.pem
    }
}
