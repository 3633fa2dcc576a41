import Foundation
import NIOSSL
import ServerCertificates

/// What the files of ``CertificateOptions`` hold.
struct CertificateFiles: Sendable {
    /// A certificate of the user's own with its chain, and the key.
    let own: (chain: [NIOSSLCertificate], key: NIOSSLPrivateKey)?
    /// The lasting authority.
    let authority: SigningAuthority?
    /// Those that issue the certificates of clients; nil if clients need none.
    let clients: [NIOSSLCertificate]?

    /// - Throws: ``MockServeError`` that names the file.
    init(_ options: CertificateOptions) throws {
        guard (options.certificateFile == nil) == (options.keyFile == nil) else {
            throw MockServeError(
                .invalidConfiguration,
                "A certificate of your own needs its key, and the other way round: --tls-cert and --tls-key."
            )
        }
        guard options.certificateFile == nil || options.authorityFile == nil else {
            throw MockServeError(
                .invalidConfiguration,
                "Give either a certificate of your own (--tls-cert) or an authority that issues it (--ca)."
            )
        }
        if let file = options.certificateFile, let keyFile = options.keyFile {
            own = try Self.pair(file, keyFile, passphrase: options.keyPassphrase)
        } else {
            own = nil
        }
        authority = try options.authorityFile.map(Self.authority)
        clients = try options.clientAuthoritiesFile.map(Self.certificates)
    }

    /// A certificate with its chain, and its key.
    ///
    /// - Throws: ``MockServeError`` that names the file.
    static func pair(
        _ file: String,
        _ keyFile: String,
        passphrase: String?
    ) throws(MockServeError) -> (chain: [NIOSSLCertificate], key: NIOSSLPrivateKey) {
        let (chain, key) = (try certificates(file), try self.key(keyFile, passphrase))
        do {
            let sources = chain.map { NIOSSLCertificateSource.certificate($0) }
            let pair = TLSConfiguration.makeServerConfiguration(certificateChain: sources, privateKey: .privateKey(key))
            _ = try NIOSSLContext(configuration: pair)
        } catch {
            throw MockServeError(.invalidConfiguration, "\(keyFile) is not the key of \(file).", cause: error)
        }
        return (chain, key)
    }

    private static func key(_ path: String, _ passphrase: String?) throws(MockServeError) -> NIOSSLPrivateKey {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw MockServeError(.invalidConfiguration, "\(path) cannot be read.")
        }
        let isEncrypted = text.contains("ENCRYPTED")
        if isEncrypted, passphrase ?? "" == "" {
            throw MockServeError(
                .invalidConfiguration,
                "\(path) is encrypted: put its passphrase into the environment variable \(Setting.tlsPassphrase), or \(Setting.upstreamPassphrase) if it is for upstreams."
            )
        }
        // The library would not survive them.
        guard passphrase?.utf8.allSatisfy({ $0 < 0x80 }) ?? true else {
            throw MockServeError(
                .invalidConfiguration,
                "The passphrase of \(path) has characters that are not ASCII, which cannot be used here. Give the key another one."
            )
        }
        do {
            return try NIOSSLPrivateKey(file: path, format: .pem) { set in set(Array((passphrase ?? "").utf8)) }
        } catch {
            let what =
                isEncrypted
                ? "decrypted with the passphrase in the environment"
                : "read as a private key in PEM (PKCS#8, EC or RSA)"
            throw MockServeError(.invalidConfiguration, "\(path) cannot be \(what).", cause: error)
        }
    }

    private static func authority(_ path: String) throws -> SigningAuthority {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw MockServeError(
                .invalidConfiguration,
                "\(path) cannot be read. `mockserve ca create` makes an authority."
            )
        }
        do {
            return try SigningAuthority(kept: text)
        } catch {
            throw MockServeError(
                .invalidConfiguration,
                "\(path) is not an authority of `mockserve ca create`: \(error.rawValue).",
                cause: error
            )
        }
    }

    static func certificates(_ path: String) throws(MockServeError) -> [NIOSSLCertificate] {
        do {
            let certificates = try NIOSSLCertificate.fromPEMFile(path)
            guard !certificates.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
            return certificates
        } catch {
            throw MockServeError(.invalidConfiguration, "\(path) cannot be read as certificates in PEM.", cause: error)
        }
    }
}
