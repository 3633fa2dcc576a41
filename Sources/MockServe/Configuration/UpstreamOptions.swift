/// How to reach upstreams.
public struct UpstreamOptions: Sendable, Equatable {
    /// How long connecting may take, including the TLS handshake. Default: 10 seconds.
    public var connectTimeout: Duration = .seconds(10)

    /// How long an upstream may send nothing while an answer is awaited. It may take nothing of an upload for four
    /// times as long. Default: 60 seconds.
    public var readTimeout: Duration = .seconds(60)

    /// A PEM file of certificates to trust in addition to the system's.
    public var trustedCertificates: String?

    /// Whether certificates of upstreams are not checked. Whoever stands between can then read and change what is
    /// recorded. Default: false.
    public var trustsAnyone = false

    /// A PEM file with a certificate that is shown to upstreams that ask for one, followed by those of its chain. Needs
    /// ``keyFile``. Default: none.
    public var certificateFile: String?

    /// A PEM file with the key of ``certificateFile``. Default: none.
    public var keyFile: String?

    /// The passphrase of ``keyFile``, if that is encrypted. Default: none.
    public var keyPassphrase: String?

    /// Whether HTTP/2 is spoken with upstreams that offer it in the TLS handshake (ALPN, RFC 7301). An upstream whose URL
    /// begins with `h2c://` is spoken to in HTTP/2, without TLS, in any case. Default: true.
    public var usesHTTP2 = true

    /// Whether to use `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` from the environment. Default: true.
    public var usesEnvironmentProxies = true

    /// The defaults.
    public init() {}
}
