import CassetteStore
import Foundation
import MockServe
import ServerCertificates

/// What makes the command of `run` trust the certificates of the server: files in a private folder, and the environment
/// variables by which programs find them. Where a file takes the place of what would be trusted otherwise, that is in it too.
struct TrustEnvironment {
    /// Variables that name all that is trusted.
    static let replacing = [
        "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT",
        "CARGO_HTTP_CAINFO", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    ]
    /// Variables that name what is trusted in addition.
    static let adding = ["NODE_EXTRA_CA_CERTS", "DENO_CERT"]
    static let java = "JAVA_TOOL_OPTIONS"

    /// Where systems keep what they trust.
    private static let systemBundles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ]

    private(set) var variables: [String: String] = [:]
    private let folder: URL

    /// - Throws: `MockServeError` if the files cannot be written.
    init(_ authority: CertificateAuthority, _ environment: [String: String]) throws {
        // An empty TMPDIR would be the root of all files.
        let place = environment["TMPDIR"] == "" ? URL(fileURLWithPath: "/tmp") : FileManager.default.temporaryDirectory
        folder = place.appendingPathComponent("mockserve-trust-\(UUID().uuidString)")
        do {
            let isPrivate = [FileAttributeKey.posixPermissions: 0o700]
            try FileManager.default.createDirectory(
                at: folder,
                withIntermediateDirectories: false,
                attributes: isPrivate
            )
            try writeFiles(authority, environment)
        } catch {
            remove()
            throw MockServeError(
                .invalidConfiguration,
                "What the command is to trust cannot be written to \(folder.path): \(error.localizedDescription)",
                cause: error
            )
        }
    }

    /// As Java takes options apart: at white space, unless within quotes of either kind.
    private static func quoted(_ option: String) -> String {
        guard option.contains(where: { $0.isWhitespace || $0 == "'" || $0 == "\"" }) else { return option }
        let quote = option.contains("\"") ? "'" : "\""
        return quote + option + quote
    }

    /// The command has ended.
    func remove() { try? FileManager.default.removeItem(at: folder) }

    private mutating func writeFiles(_ authority: CertificateAuthority, _ environment: [String: String]) throws {
        let system = Self.systemBundles.first { FileStatus($0) != nil }
        var written: [String: String] = [:]
        func file(beside base: String?) throws -> String {
            if let known = written[base ?? ""] { return known }
            // Comments in it may be in any encoding.
            var bytes = base.flatMap { FileManager.default.contents(atPath: $0) } ?? Data()
            if let last = bytes.last, last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
            let file = folder.appendingPathComponent("trusted-\(written.count).pem")
            try (bytes + Data(authority.pem.utf8)).write(to: file)
            written[base ?? ""] = file.path
            return file.path
        }
        func own(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        for (names, standard) in [(Self.replacing, system), (Self.adding, nil)] {
            for name in names {
                // What cannot be read, such as a folder, would not be trusted any more.
                if let own = own(name), FileStatus(own)?.kind != .regular { continue }
                variables[name] = try file(beside: own(name) ?? standard)
            }
        }
        let options = own(Self.java) ?? ""
        guard !options.contains("javax.net.ssl.trustStore") else { return }
        let bundle = system.flatMap { FileManager.default.contents(atPath: $0) } ?? Data()
        let known = TrustStores.certificates(inPEM: String(decoding: bundle, as: UTF8.self))
        let store = folder.appendingPathComponent("trusted.jks")
        try Data(TrustStores.java([authority.der] + known)).write(to: store)
        let added = [
            Self.quoted("-Djavax.net.ssl.trustStore=\(store.path)"), "-Djavax.net.ssl.trustStoreType=JKS",
            "-Djavax.net.ssl.trustStorePassword=\(TrustStores.javaPassword)",
        ]
        variables[Self.java] = ((options.isEmpty ? [] : [options]) + added).joined(separator: " ")
    }
}
