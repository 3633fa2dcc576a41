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
            recordings and for matching. A body that cannot be read stays as it is and is named; the status is 66 then.

            EXAMPLE
              mockserve cassette redact github.cassette
              mockserve cassette redact github.cassette --dry-run --explain
              mockserve cassette redact github.cassette --redact field:X-Session --secret-env API_TOKEN
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @OptionGroup var options: RedactOptions
    @OptionGroup var secrets: SecretOptions

    @Flag(help: "Say what would be replaced, and change nothing.")
    var dryRun = false

    @Flag(
        help:
            "List every secret: in which interaction or stub it is, where, what replaces it, and how it was recognised."
    )
    var explain = false

    func run() throws {
        let isWhole = try ExitStatus.reporting {
            let declared = try secrets.declared()
            var rules = try options.rules + declared.map { try Rule(.redact, part: "secret:\($0.kind)") }
            if !options.noDefaultRedaction {
                rules.append(try Rule(.redact, part: "catalog:\(RedactionCatalog.version)"))
            }
            func tell(_ subject: String, _ note: RedactionNotes.Note) {
                guard explain else { return }
                let what = "\(Console.safe(note.placeholder)), \(note.how)"
                Console.print("\(subject): \(Console.safe(note.place)): \(what)")
            }
            let changes = try CassetteEditor.redact(rules, secrets: declared, isDryRun: dryRun, in: cassette) {
                tell("#\($0)", $1)
            } ofStub: {
                tell("stub \($0)", $1)
            }
            for (subject, reason) in changes.left {
                Console.say("mockserve: \(subject) stays as it is: \(Console.safe(reason))")
            }
            let list = changes.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            let what = dryRun ? "would redact" : "redacted"
            Console.say("mockserve: \(what) in \(cassette): \(list.isEmpty ? "nothing" : list)")
            return changes.left.isEmpty
        }
        if !isWhole { throw ExitStatus.unreadable.code }
    }
}
