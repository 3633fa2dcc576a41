import ArgumentParser
import CassetteFormats
import Foundation
import MockServe
import MockServeCore

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a cassette of recordings and stubs of other tools.",
        discussion: """
            Takes files, folders, which are searched for files of a known format, and `-` for standard input. What is there \
            already in the cassette stays; `mockserve cassette undo` takes the import back. Secrets are redacted as when \
            recording. What could not be carried over is said at the end; with --strict, nothing is written then.

            FORMATS
            \(FormatList.text(KnownFormats.readable.map { ($0.name, $0.title) }))

            EXAMPLE
              mockserve cassette import page.har -o page.cassette
              mockserve cassette import spec/cassettes -o cassettes --each
              mockserve cassette import mappings -o stubs.cassette --format wiremock
            """
    )

    @Argument(help: ArgumentHelp("Files, folders, or `-`.", valueName: "file|folder"), completion: .file())
    var files: [String]

    @Option(
        name: [.short, .customLong("output")],
        help: ArgumentHelp(
            "The cassette, which is made if there is none; with --each, a folder of cassettes.",
            valueName: "cassette"
        ),
        completion: .file(extensions: ["cassette"])
    )
    var output: String

    @Option(
        help: ArgumentHelp("The format of all files. Default: each is recognized by what is in it.", valueName: "name")
    )
    var format: String?

    @Flag(help: "Make a cassette of each file, in folders as the files are.")
    var each = false

    @Flag(help: "Write nothing if anything cannot be carried over.")
    var strict = false

    @Flag(help: "Go on after a file that cannot be read, or not to its end, and say which.")
    var keepGoing = false

    @Flag(help: "Print what was done as one JSON object a cassette.")
    var json = false

    @OptionGroup(title: "Rules, kept in the cassette") var rules: RuleOptions
    @OptionGroup(title: "Secrets") var redaction: RedactOptions
    @OptionGroup(title: "Secrets") var secrets: SecretOptions

    func validate() throws {
        guard !files.isEmpty else { throw ValidationError("Which files? Give at least one, or a folder.") }
        _ = try chosen
    }

    private var chosen: (any ReadableFormat)? {
        get throws {
            guard let format else { return nil }
            guard let chosen = KnownFormats.readable(format) else {
                throw ValidationError(
                    "--format takes one of \(FormatList.names(KnownFormats.readable.map(\.name))), not `\(format)`."
                )
            }
            return chosen
        }
    }

    func run() throws {
        let cancellation = Cancellation()
        try ExitStatus.reporting { try cancellation.run { try run(cancellation) } }
    }

    private func run(_ cancellation: Cancellation) throws {
        let all = try ForeignFile.all(files)
        guard each else {
            let report = try make(all, output, cancellation)
            try end(report.failures.count)
            return
        }
        let cassettes = all.map { "\(output)/\($0.cassetteName)" }
        for (index, cassette) in cassettes.enumerated() {
            guard let first = cassettes.firstIndex(of: cassette), first < index else { continue }
            throw MockServeError(
                .invalidConfiguration,
                "\(all[first].path) and \(all[index].path) would both become \(cassette)."
            )
        }
        var failures = 0
        for (file, cassette) in zip(all, cassettes) {
            do {
                failures += try make([file], cassette, cancellation).failures.count
            } catch let error as FormatError where keepGoing || (file.isFound && error.isAboutNothing) {
                Console.say("mockserve: left out: \(Console.safe(error.description))")
                if !error.isAboutNothing { failures += 1 }
            }
        }
        try end(failures)
    }

    private func end(_ failures: Int) throws {
        guard failures > 0 else { return }
        throw MockServeError(
            .cassetteUnreadable,
            "\(Counted.text(failures, "file")) could not be read, or not to the end."
        )
    }

    private func make(
        _ files: [ForeignFile],
        _ cassette: String,
        _ cancellation: Cancellation
    ) throws -> CassetteImport.Report {
        var settings = CassetteImport.Settings()
        settings.format = try chosen
        (settings.refusesLoss, settings.keepsGoing) = (strict, keepGoing)
        settings.rules = try WrittenAnswer.rules(redaction, secrets, for: cassette) + rules.rules
        settings.secrets = try secrets.declared()
        let progress = Progress(total: nil, "importing")
        settings.progress = {
            try cancellation.check()
            progress.show($0)
        }
        defer { progress.end() }
        let report = try CassetteImport.run(files, into: cassette, settings)
        progress.end()
        ImportReport(report, cassette).say(asJSON: json)
        return report
    }
}
