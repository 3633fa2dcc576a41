/// The certificates with which a server speaks TLS. By default it makes an authority of its own, in memory
/// (``MockServer/certificateAuthority``).
public struct CertificateOptions: Sendable, Equatable {
    /// A PEM file with a certificate of your own, followed by those of its chain. Needs ``keyFile``. Default: none.
    public var certificateFile: String?

    /// A PEM file with the key of ``certificateFile``: PKCS#8, or the older forms for EC and RSA. Default: none.
    public var keyFile: String?

    /// The passphrase of ``keyFile``, if that is encrypted. Default: none.
    public var keyPassphrase: String?

    /// A file with a lasting authority, as `mockserve ca create` writes it, which issues the certificates. Default: none.
    public var authorityFile: String?

    /// A PEM file of authorities. If it is set, every client must speak TLS, and show a certificate that one of them has
    /// issued. Default: none.
    public var clientAuthoritiesFile: String?

    /// The defaults.
    public init() {}
}
