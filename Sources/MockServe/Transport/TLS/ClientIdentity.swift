import NIOSSL
import ServerCertificates

/// Who a client is, by the certificate that it has shown.
struct ClientIdentity: Sendable {
    /// The subject of the certificate, as a distinguished name (RFC 4514).
    let subject: String

    /// Nil if the client has shown none.
    init?(_ security: NIOSSLServerHandler) {
        guard let der = try? security.peerCertificate?.toDERBytes(), let subject = SigningAuthority.subject(of: der)
        else { return nil }
        self.subject = subject
    }
}
