import ArgumentParser
import CassetteStore
import Foundation
import MockServe
import MockServeCore
import ServerCertificates

/// The file of a lasting authority: certificate and key, for nobody else to read.
struct AuthorityFile: ParsableArguments {
    @Option(help: ArgumentHelp("Its file. (default: ca.pem in ~/.config/mockserve)", valueName: "file"))
    var file: String?

    private var path: String {
        if let file { return file }
        let environment = ProcessInfo.processInfo.environment
        let home = environment["HOME"] ?? NSHomeDirectory()
        let configured = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (configured ?? "\(home)/.config") + "/mockserve/ca.pem"
    }

    static func check(_ names: [String]) throws {
        for name in names where !ServedNames.isAddressOrName(name) {
            throw ValidationError(
                "--name takes the name or the address of a host, such as api.example.com, not `\(name)`."
            )
        }
    }

    // MARK: Changing

    func create(for names: [String], days: Int) throws {
        guard FileStatus(path, followsLinks: false) == nil else { throw isThere }
        let validity = TimeInterval(days) * 86_400
        let new = try SigningAuthority(for: ServedNames(names), constrainsAddresses: true, validity: validity)
        try write(new, replaces: false)
    }

    private var isThere: MockServeError {
        MockServeError(
            .invalidConfiguration,
            "\(path) is there already. `mockserve ca show` shows it, `mockserve ca rotate` replaces it."
        )
    }

    func rotate(days: Int) throws {
        let old = try contents(isEndAccepted: true)
        try write(try old.renewed(validity: TimeInterval(days) * 86_400), replaces: true)
    }

    /// Writes a file of its own beside it first, so that an interruption leaves the old one whole.
    ///
    /// - Parameter replaces: whether there is an old one. Otherwise whoever has written it first has it.
    private func write(_ authority: SigningAuthority, replaces: Bool) throws {
        // Of a link, what it leads to.
        let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        let parent = url.deletingLastPathComponent()
        let draft = parent.appendingPathComponent(".\(url.lastPathComponent).\(UUID().uuidString)").path
        do {
            if FileStatus(parent.path) == nil {
                let isPrivate = [FileAttributeKey.posixPermissions: 0o700]
                try FileManager.default.createDirectory(
                    at: parent,
                    withIntermediateDirectories: true,
                    attributes: isPrivate
                )
            }
            let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            // Whatever the umask is.
            fchmod(descriptor, 0o600)
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            try handle.write(contentsOf: Data(try authority.keptText.utf8))
            try handle.close()
            guard (replaces ? rename(draft, url.path) : link(draft, url.path)) == 0 else {
                if !replaces, errno == EEXIST { throw isThere }
                throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
            }
            if !replaces { unlink(draft) }
        } catch let error as MockServeError {
            unlink(draft)
            throw error
        } catch {
            unlink(draft)
            throw MockServeError(
                .invalidConfiguration,
                "\(path) cannot be written: \(error.localizedDescription)",
                cause: error
            )
        }
    }

    // MARK: Showing

    func read() throws -> SigningAuthority { try contents(isEndAccepted: true) }

    private func contents(isEndAccepted: Bool) throws -> SigningAuthority {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw MockServeError(
                .invalidConfiguration,
                "There is no authority in \(path). `mockserve ca create` makes one."
            )
        }
        do {
            return try SigningAuthority(kept: text, now: isEndAccepted ? .distantPast : Date())
        } catch {
            throw MockServeError(.invalidConfiguration, "\(path): \(error.rawValue).", cause: error)
        }
    }

    private func names(_ authority: SigningAuthority) -> [String] {
        authority.permitted.isEmpty ? ["any name"] : authority.permitted
    }

    func json() throws -> String {
        let authority = try read()
        let names = authority.permitted.map(JSONText.string).joined(separator: ", ")
        return """
            {
              "file": \(JSONText.string(path)),
              "subject": \(JSONText.string(authority.subject)),
              "names": [\(names)],
              "ends": \(JSONText.string(Self.day(authority.end)))
            }
            """
    }

    private static func day(_ date: Date) -> String { date.formatted(.iso8601.year().month().day()) }

    func explain() throws {
        let authority = try read()
        let shown = ShellText.quoted(path)
        let isOver = authority.end <= Date()
        Console.print(
            """
            \(authority.subject)
              file   \(path)
              names  \(names(authority).joined(separator: ", "))
              ends   \(Self.day(authority.end))\(isOver ? " (it is over: mockserve ca rotate)" : "")

            Use it:
              mockserve replay x.cassette --tls --ca \(shown)

            Let clients trust it: give them the certificate, never the file itself.
              mockserve ca show --pem > mockserve.crt
              Debian     sudo cp mockserve.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates
              Fedora     sudo cp mockserve.crt /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust
              macOS      security add-trusted-cert -k ~/Library/Keychains/login.keychain-db mockserve.crt
              Firefox    Settings, Certificates, Import

            Remove it: from wherever it is trusted, and then
              rm \(shown)
            """
        )
    }
}
