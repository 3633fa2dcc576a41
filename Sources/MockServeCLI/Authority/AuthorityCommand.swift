import ArgumentParser
import Foundation
import ServerCertificates

struct AuthorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca",
        abstract: "A lasting certificate authority, for clients that can be told only once whom to trust.",
        discussion: """
            A server makes an authority of its own each time it starts, so nothing has to be kept: --ca-file writes its \
            certificate, and `run` tells the command to trust it. A phone or a browser cannot be told anew each time. For these, \
            an authority can be kept in a file. Whoever has that file can speak for the names that it is constrained to.

            EXAMPLE
              mockserve ca create --name api.example.com
              mockserve replay github.cassette --tls --ca ~/.config/mockserve/ca.pem
            """,
        subcommands: [CreateAuthorityCommand.self, ShowAuthorityCommand.self, RotateAuthorityCommand.self]
    )
}

struct CreateAuthorityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a lasting authority, and say how to trust it.",
        discussion: """
            Its certificates are good for localhost, the names below it, loopback addresses, and the names given here. The file \
            holds the key too, so only you may read it.

            EXAMPLE
              mockserve ca create --name api.example.com --name 192.168.1.20
            """
    )

    @OptionGroup var file: AuthorityFile

    @Option(
        help: ArgumentHelp(
            "A name or an address that its certificates may be for, in addition to loopback; with the names below it.",
            valueName: "name"
        )
    )
    var name: [String] = []

    @Option(help: "Days for which clients may trust it.")
    var days = 365

    func validate() throws {
        guard (1...3650).contains(days) else { throw ValidationError("--days takes 1 to 3650.") }
        try AuthorityFile.check(name)
    }

    func run() throws {
        try ExitStatus.reporting {
            try file.create(for: name, days: days)
            try file.explain()
        }
    }
}

struct ShowAuthorityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a lasting authority: its names, its end, how to trust it and how to remove it.",
        discussion: """
            EXAMPLE
              mockserve ca show
              mockserve ca show --pem > mockserve.crt
            """
    )

    @OptionGroup var file: AuthorityFile

    @Flag(help: "Print the certificate only, in PEM, without the key.")
    var pem = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard !pem || !json else { throw ValidationError("--pem or --json, not both.") }
    }

    func run() throws {
        try ExitStatus.reporting {
            if pem { return Console.print(try file.read().pem.trimmingCharacters(in: .newlines)) }
            if json { return Console.print(try file.json()) }
            try file.explain()
        }
    }
}

struct RotateAuthorityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Replace a lasting authority by a new one with the same names.",
        discussion: """
            What trusts the old one does not trust the new one: it has to be told again. Do this before the old one ends, or if \
            somebody else may have seen the file.

            EXAMPLE
              mockserve ca rotate
            """
    )

    @OptionGroup var file: AuthorityFile

    @Option(help: "Days for which clients may trust the new one.")
    var days = 365

    func validate() throws {
        guard (1...3650).contains(days) else { throw ValidationError("--days takes 1 to 3650.") }
    }

    func run() throws {
        try ExitStatus.reporting {
            try file.rotate(days: days)
            try file.explain()
        }
    }
}
