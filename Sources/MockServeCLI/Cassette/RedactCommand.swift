import ArgumentParser
import CassetteStore
import MockServeCore

struct RedactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redact",
        abstract: "Replace secrets in a cassette.",
        discussion: """
            Does to what is in the cassette what recording does by default: credentials, cookies, tokens and keys of known \
            shapes become placeholders, and what they were is overwritten. What is told here is kept as rules for later \
            recordings and for matching.

            EXAMPLE
              mockserve cassette redact github.cassette
              mockserve cassette redact github.cassette --redact field:X-Session --secret-env API_TOKEN
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @OptionGroup var options: RedactOptions
    @OptionGroup var secrets: SecretOptions

    func run() throws {
        try ExitStatus.reporting {
            let declared = try secrets.declared()
            var rules = try options.rules + declared.map { try Rule(.redact, part: "secret:\($0.kind)") }
            if !options.noDefaultRedaction {
                rules.append(try Rule(.redact, part: "catalog:\(RedactionCatalog.version)"))
            }
            let counts = try CassetteEditor.redact(rules, secrets: declared, in: cassette)
            let list = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            Console.say("mockserve: redacted in \(cassette): \(list.isEmpty ? "nothing" : list)")
        }
    }
}
