import ArgumentParser
import Foundation
import MockServe
import MockServeCore

/// Secrets declared on the command line: by where their values are, never by the values themselves.
struct SecretOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Redact the value of this environment variable wherever it occurs; when replaying, let it match.",
            valueName: "name"
        )
    )
    var secretEnv: [String] = []

    @Option(
        help: ArgumentHelp("The same for what is in this file, without line ends after it.", valueName: "file"),
        completion: .file()
    )
    var secretFile: [String] = []

    /// The declared secrets; one whose value is missing has a `problem`.
    var targets: [RedactionTarget] { secretEnv.map(Self.variable) + secretFile.map(Self.file) }

    /// The same for a command that needs all of them.
    ///
    /// - Throws: `MockServeError` if one is missing.
    func declared() throws -> [DeclaredSecret] {
        try targets.compactMap { target in
            if let reason = target.problem {
                throw MockServeError(.invalidConfiguration, "A secret is missing: \(reason).")
            }
            return target.secret
        }
    }

    private static func variable(_ name: String) -> RedactionTarget {
        guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
            return .missing("the environment variable \(name), which --secret-env names, is not set")
        }
        return .secret(name, value)
    }

    private static func file(_ path: String) -> RedactionTarget {
        let name = URL(fileURLWithPath: path).lastPathComponent
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
            return .missing("the file \(path), which --secret-file names, cannot be read")
        }
        do {
            let end = data.lastIndex { $0 != 0x0A && $0 != 0x0D }.map { $0 + 1 } ?? data.startIndex
            return RedactionTarget(try DeclaredSecret(name, Array(data[..<end])))
        } catch {
            return .invalid("\(error)")
        }
    }
}

/// What to redact in addition to the default.
struct RedactOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Redact values by name, in addition to what is redacted by default: field:NAME, query:NAME, form:NAME or \
            json:NAME. ` for METHOD PATH` may follow, as in 'json:pin for POST /login'.
            """,
            valueName: "part"
        )
    )
    var redact: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            Do not redact this, although its name says that it is a secret: cookie:NAME, field:NAME, query:NAME, \
            form:NAME or json:NAME. ` for METHOD PATH` may follow.
            """,
            valueName: "part"
        )
    )
    var keep: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            Tell requests apart that differ only in this secret, such as json:password, in order of first use: the first \
            value that a client sends in a replay counts as the first that was recorded. As digest:json:password, by 12 \
            bits of a salted digest, so that the order does not count; the cassette then helps a little in guessing.
            """,
            valueName: "part"
        )
    )
    var tellApart: [String] = []

    @Flag(help: "Do not redact what is redacted by default: credentials, cookies, tokens, keys of known shapes.")
    var noDefaultRedaction = false

    var rules: [Rule] {
        get throws {
            try redact.map { try Self.rule("--redact", $0, $0) }
                + keep.map { try Self.rule("--keep", $0, "keep:\($0)") }
                + tellApart.map { try Self.rule("--tell-apart", $0, $0.hasPrefix("digest:") ? $0 : "apart:\($0)") }
        }
    }

    private static func rule(_ option: String, _ given: String, _ text: String) throws -> Rule {
        do {
            return try Rule(.redact, text)
        } catch {
            guard option != "--redact" else { throw ValidationError("--redact: \(error).") }
            let places = "cookie:NAME, field:NAME, query:NAME, form:NAME or json:NAME"
            throw ValidationError("\(option): `\(given)` is nothing that it can be about: use \(places).")
        }
    }

    func validate() throws { _ = try rules }
}
