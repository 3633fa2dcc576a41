import HTTPMessages
import NIOCore
import NIOSSL
import Synchronization

/// TLS towards upstreams: whom to trust, and what this side shows of itself. Made when it is first needed, unless files were
/// given.
final class UpstreamTLS: Sendable {
    private let options: UpstreamOptions
    private let context = Mutex<NIOSSLContext?>(nil)

    /// - Throws: `MockServeError` if a file that was given cannot be used.
    init(_ options: UpstreamOptions) throws(MockServeError) {
        self.options = options
        guard (options.certificateFile == nil) == (options.keyFile == nil) else {
            throw MockServeError(
                .invalidConfiguration,
                "A certificate for upstreams needs its key, and the other way round: --upstream-cert and --upstream-key."
            )
        }
        // A bad file is better reported at start than at the first request.
        if options.trustedCertificates != nil || options.certificateFile != nil { _ = try made() }
    }

    func makeHandler(for origin: Origin) throws -> NIOSSLClientHandler {
        let isAddress = (try? SocketAddress(ipAddress: origin.host, port: 0)) != nil
        return try NIOSSLClientHandler(context: try made(), serverHostname: isAddress ? nil : origin.host)
    }

    private func made() throws(MockServeError) -> NIOSSLContext {
        let options = options
        let result: Result<NIOSSLContext, MockServeError> = context.withLock { context in
            if let context { return .success(context) }
            return Result { () throws(MockServeError) in
                let made = try Self.make(options)
                context = made
                return made
            }
        }
        return try result.get()
    }

    private static func make(_ options: UpstreamOptions) throws(MockServeError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = options.usesHTTP2 ? ["h2", "http/1.1"] : ["http/1.1"]
        configuration.shutdownTimeout = ServerTLS.shutdownTimeout
        if options.trustsAnyone { configuration.certificateVerification = .none }
        if let path = options.trustedCertificates {
            configuration.additionalTrustRoots = [.certificates(try CertificateFiles.certificates(path))]
        }
        if let file = options.certificateFile, let keyFile = options.keyFile {
            let own = try CertificateFiles.pair(file, keyFile, passphrase: options.keyPassphrase)
            configuration.certificateChain = own.chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(own.key)
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            let text = "The certificates for upstreams cannot be used: \(error)"
            throw MockServeError(.invalidConfiguration, text, cause: error)
        }
    }
}
