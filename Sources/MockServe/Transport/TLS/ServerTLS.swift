import CassetteStore
import HTTPMessages
import NIOCore
import NIOSSL
import ServerCertificates
import Synchronization

/// What a server shows of itself in TLS. Made when it is first needed, in memory, unless it was given.
final class ServerTLS: Sendable {
    /// What was made for the first client.
    private struct Made {
        let context: NIOSSLContext
        /// Nil for certificates of the user's own.
        let issuer: CertificateIssuer?
    }

    /// How long the other side may take to say goodbye. All that was sent reaches it without that.
    static let shutdownTimeout = TimeAmount.milliseconds(100)

    private let files: CertificateFiles
    private let served: ServedNames
    private let made = Mutex<Made?>(nil)

    init(_ files: CertificateFiles, for served: ServedNames) {
        self.files = files
        self.served = served
    }

    func makeHandler() throws -> NIOSSLServerHandler { NIOSSLServerHandler(context: try make().context) }

    /// Nil for certificates of the user's own.
    var authority: CertificateAuthority? {
        get throws { try make().issuer.map { try CertificateAuthority($0.authority) } }
    }

    private func make() throws -> Made {
        try made.withLock { made in
            if let made { return made }
            let new = try new()
            made = new
            return new
        }
    }

    private func new() throws -> Made {
        let issuer =
            try files.own == nil
            ? CertificateIssuer(files.authority ?? SigningAuthority(for: served, constrainsAddresses: false), served)
            : nil
        guard let (chain, key) = try files.own ?? issuer?.standard else { throw NIOSSLError.failedToLoadCertificate }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2", "http/1.1"]
        configuration.shutdownTimeout = Self.shutdownTimeout
        if let clients = files.clients {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(clients)
            configuration.sendCANameList = true
        }
        if let issuer {
            configuration.sslContextCallback = { asked, promise in
                promise.completeWith(Result { try issuer.certificate(for: asked.serverHostname) })
            }
        }
        return Made(context: try NIOSSLContext(configuration: configuration), issuer: issuer)
    }
}

/// Issues a certificate for every name that clients ask for, and remembers it.
final class CertificateIssuer: Sendable {
    /// Names that are remembered. Then all are forgotten: a client that asks for that many wants to fill the memory.
    private static let limit = 1024

    let authority: SigningAuthority
    private let served: ServedNames
    /// All certificates of a server have one key.
    private let leaf = SigningAuthority.LeafKey()
    private let key: NIOSSLPrivateKey
    private let issued = Mutex<[String: NIOSSLContextConfigurationOverride]>([:])

    init(_ authority: SigningAuthority, _ served: ServedNames) throws {
        self.authority = authority
        self.served = served
        key = try NIOSSLPrivateKey(bytes: leaf.der, format: .der)
    }

    /// For a client that names no server.
    var standard: (chain: [NIOSSLCertificate], NIOSSLPrivateKey) {
        get throws { ([try issue([])], key) }
    }

    /// - Parameter name: as the client has sent it (RFC 6066 §3); nil if it has sent none.
    func certificate(for name: String?) throws -> NIOSSLContextConfigurationOverride {
        guard let name = name?.lowercased(), ServedNames.isName(name), !served.names.contains(name),
            // Not every client looks at the constraints of an authority, so nothing is issued against them.
            authority.permits(name)
        else {
            return .noChanges
        }
        if let known = issued.withLock({ $0[name] }) { return known }
        var new = NIOSSLContextConfigurationOverride()
        new.certificateChain = [.certificate(try issue([name]))]
        new.privateKey = .privateKey(key)
        issued.withLock { issued in
            if issued.count >= Self.limit { issued = [:] }
            issued[name] = new
        }
        return new
    }

    /// Without the authority, as who trusts it has it (RFC 8446 §4.4.2).
    private func issue(_ names: [String]) throws -> NIOSSLCertificate {
        try NIOSSLCertificate(bytes: try authority.issue(names, served, leaf), format: .der)
    }
}

extension ServedNames {
    /// The names under which clients may address a server (`HostPolicy`).
    init(_ configuration: MockServerConfiguration, _ upstreams: [Upstream]) {
        let own = configuration.listen.names
        self.init(
            upstreams.map(\.origin.host) + configuration.allowedHosts + own,
            listensOnAll: own.contains { $0 == "0.0.0.0" || $0 == "::" }
        )
    }
}
