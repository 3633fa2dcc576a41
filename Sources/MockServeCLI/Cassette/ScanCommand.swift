import ArgumentParser
import CassetteStore
import HTTPMessages
import MockServe
import MockServeCore

struct ScanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract: "Look for secrets in cassettes.",
        discussion: """
            Lists where there is something that recording would have redacted, never what it is, and ends with status 3 if \
            there is anything: for continuous integration and for hooks that run before a commit.

            EXAMPLE
              mockserve cassette scan cassettes/*.cassette
              mockserve cassette scan github.cassette --secret-env API_TOKEN
            """
    )

    @Argument(help: "Cassette files.", completion: .file(extensions: ["cassette"]))
    var cassettes: [String]

    @OptionGroup var options: RedactOptions
    @OptionGroup var secrets: SecretOptions

    func validate() throws {
        guard !cassettes.isEmpty else { throw ValidationError("Which cassettes? Give their files.") }
    }

    func run() throws {
        let count = try ExitStatus.reporting {
            var rules = try options.rules
            if !options.noDefaultRedaction {
                rules.append(try Rule(.redact, part: "catalog:\(RedactionCatalog.version)"))
            }
            guard let redactor = RuleSet(rules, secrets: KnownSecrets(try secrets.declared(), learned: LearnedSecrets())).redactor else { return 0 }
            do {
                try redactor.check()
            } catch {
                throw MockServeError(.invalidConfiguration, "Nothing was looked at, as \(error).", cause: error)
            }
            return try cassettes.reduce(0) { try $0 + scan($1, redactor) }
        }
        if count > 0 { throw ExitStatus.misses.code }
    }

    /// - Returns: how many secrets there are.
    private func scan(_ path: String, _ redactor: Redactor) throws -> Int {
        let reader = try CassetteReader(path: path)
        defer { reader.close() }
        let book = PlaceholderBook()
        var count = 0
        try reader.forEach { interaction in
            var content = interaction.content
            let request = try body(interaction.requestBody, reader) {
                BodyRedaction(redactor, content.request.fields, "request body", book)
            }
            let response = try body(interaction.responseBody, reader) {
                BodyRedaction(redactor, content.response.fields, "response body", book)
            }
            content.redact(redactor, book, request, response)
            count += content.redactions.counts.values.reduce(0, +)
            for note in content.redactions.notes {
                // The placeholder names the kind; its number means nothing here.
                let kind = note.placeholder.split(separator: ":").dropFirst().first ?? ""
                Console.print("\(Console.safe(path)): #\(interaction.id): \(Console.safe(note.place)): \(kind)")
            }
            return true
        }
        return count
    }

    private func body(
        _ reference: BodyReference?,
        _ reader: CassetteReader,
        _ make: () -> BodyRedaction
    ) throws -> BodyRedaction? {
        guard let reference else { return nil }
        var redaction = make()
        for number in 0..<BodySlices.count(of: reference.size) {
            _ = redaction.push(try reader.slice(number, of: reference))
        }
        do {
            _ = try redaction.finish()
        } catch {
            throw MockServeError(.cassetteUnreadable, "\(reader.path): \(error).")
        }
        return redaction
    }
}
