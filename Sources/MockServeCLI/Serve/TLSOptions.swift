import ArgumentParser
import MockServe

/// How clients may speak TLS with the server.
struct TLSOptions: ParsableArguments {
    @Flag(help: "Demand TLS: the URL begins with https://. Without this a client may speak TLS, too.")
    var tls = false

    @Option(
        help: ArgumentHelp(
            "Write the certificate that clients must trust to this file, in PEM; without --ca it is a new one each time.",
            valueName: "file"
        )
    )
    var caFile: String?

    @Option(help: ArgumentHelp("Certificate of your own, with its chain, in PEM.", valueName: "file"))
    var tlsCert: String?

    @Option(
        help: ArgumentHelp(
            "Its key, in PEM. The environment variable MOCKSERVE_TLS_PASSPHRASE has the passphrase, if there is one.",
            valueName: "file"
        )
    )
    var tlsKey: String?

    @Option(help: ArgumentHelp("Lasting authority that `mockserve ca create` has made.", valueName: "file"))
    var ca: String?

    @Option(
        help: ArgumentHelp(
            "Let in only clients with a certificate of one of the authorities in this file, in PEM. Demands TLS.",
            valueName: "file"
        )
    )
    var clientCa: String?

    func add(to given: inout GivenSettings) {
        if tls { given.add("tls", true) }
        given.add("tls-cert", tlsCert)
        given.add("tls-key", tlsKey)
        given.add("ca", ca)
        given.add("client-ca", clientCa)
    }

    /// Writes what clients must trust, if that was asked for.
    func writeAuthority(of server: MockServer) throws {
        guard let caFile else { return }
        guard let authority = try server.certificateAuthority else {
            throw MockServeError(
                .invalidConfiguration,
                "--ca-file: the server has a certificate of your own, so there is no authority to be written."
            )
        }
        try OptionFile.write(authority.pem, to: caFile, "--ca-file")
    }
}
