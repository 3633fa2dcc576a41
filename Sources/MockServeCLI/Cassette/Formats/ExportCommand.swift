import ArgumentParser
import CassetteFormats
import CassetteStore
import MockServe
import MockServeCore

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a cassette in the format of another tool.",
        discussion: """
            Writes to standard output, or with -o to a file or, for formats of several files, a folder. What the format has no \
            place for is said at the end. vcr and vcrpy are written as JSON if the name of the file ends in .json.

            FORMATS
            \(FormatList.text(KnownFormats.writable.map { ($0.name, $0.title) }))

            EXAMPLE
              mockserve cassette export github.cassette --format har -o github.har
              mockserve cassette export github.cassette --format wiremock -o stubs
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Option(help: ArgumentHelp("The format to write.", valueName: "name"))
    var format: String

    @Option(
        name: [.short, .customLong("output")],
        help: ArgumentHelp("Where to write. Default: standard output.", valueName: "file|folder"),
        completion: .file()
    )
    var output: String?

    @Flag(help: "Overwrite a file that is there; in a folder, other files stay.")
    var force = false

    func validate() throws { _ = try chosen }

    private var chosen: any WritableFormat {
        get throws {
            guard let chosen = KnownFormats.writable(format) else {
                throw ValidationError(
                    "--format takes one of \(FormatList.names(KnownFormats.writable.map(\.name))), not `\(format)`."
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
        let reader = try CassetteReader(path: cassette)
        defer { reader.close() }
        let progress = Progress(total: nil, "exporting")
        defer { progress.end() }
        let target = output == "-" ? nil : output
        let losses = try CassetteExport.run(reader, as: try chosen, to: target, overwrites: force) {
            try cancellation.check()
            progress.show($0)
        }
        progress.end()
        if let target { Console.say("mockserve: \(cassette) exported to \(target)") }
        LossText.say(losses, "what \(format) has no place for", namesFiles: false)
    }
}
