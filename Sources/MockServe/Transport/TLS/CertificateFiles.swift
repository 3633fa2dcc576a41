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
            let (chain, key) = (try Self.certificates(file), try Self.key(keyFile, options.keyPassphrase))
            do {
                var pair = TLSConfiguration.makeServerConfiguration(certificateChain: [], privateKey: .privateKey(key))
                pair.certificateChain = chain.map { .certificate($0) }
                _ = try NIOSSLContext(configuration: pair)
            } catch {
                throw MockServeError(.invalidConfiguration, "\(keyFile) is not the key of \(file).", cause: error)
            }
            own = (chain, key)
        } else {
            own = nil
        }
        authority = try options.authorityFile.map(Self.authority)
        clients = try options.clientAuthoritiesFile.map(Self.certificates)
    }

    private static func key(_ path: String, _ passphrase: String?) throws -> NIOSSLPrivateKey {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw MockServeError(.invalidConfiguration, "\(path) cannot be read.")
        }
        let isEncrypted = text.contains("ENCRYPTED")
        if isEncrypted, passphrase ?? "" == "" {
            throw MockServeError(
                .invalidConfiguration,
                "\(path) is encrypted: put its passphrase into the environment variable MOCKSERVE_TLS_PASSPHRASE."
            )
        }
        do {
            return try NIOSSLPrivateKey(file: path, format: .pem) { set in set(Array((passphrase ?? "").utf8)) }
        } catch {
            let what =
                isEncrypted
                ? "decrypted with MOCKSERVE_TLS_PASSPHRASE" : "read as a private key in PEM (PKCS#8, EC or RSA)"
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

    private static func certificates(_ path: String) throws -> [NIOSSLCertificate] {
        do {
            let certificates = try NIOSSLCertificate.fromPEMFile(path)
            guard !certificates.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
            return certificates
        } catch {
            throw MockServeError(.invalidConfiguration, "\(path) cannot be read as certificates in PEM.", cause: error)
        }
    }
}
