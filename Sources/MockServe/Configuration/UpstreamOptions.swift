/// How to reach upstreams.
public struct UpstreamOptions: Sendable, Equatable {
    /// How long connecting may take, including the TLS handshake. Default: 10 seconds.
    public var connectTimeout: Duration = .seconds(10)

    /// How long an upstream may send nothing while an answer is awaited. It may take nothing of an upload for four
    /// times as long. Default: 60 seconds.
    public var readTimeout: Duration = .seconds(60)

    /// A PEM file of certificates to trust in addition to the system's.
    public var trustedCertificates: String?

    /// Whether to use `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` from the environment. Default: true.
    public var usesEnvironmentProxies = true

    /// The defaults.
    public init() {}
}
