import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

struct ExportBodyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export-body",
        abstract: "Write the body of an interaction to a file.",
        discussion: """
            EXAMPLE
              mockserve cassette export-body shop.cassette 3 -o logo.png
              mockserve cassette export-body shop.cassette 3 --decoded | less
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Argument(help: "Number of the interaction, as `list` shows it.")
    var number: Int64

    @Flag(help: "The body of the request, instead of that of the response.")
    var request = false

    @Flag(help: "Without its content coding, such as gzip.")
    var decoded = false

    @Option(name: [.short, .long], help: "Where to write it. Default: standard output.", completion: .file())
    var output: String?

    func run() throws {
        try ExitStatus.reporting {
            let reader = try CassetteReader(path: cassette)
            defer { reader.close() }
            guard let interaction = try reader.interaction(number) else {
                throw MockServeError(
                    .cassetteUnreadable,
                    "\(cassette) has no interaction \(number); the newest is \(try reader.newestID())."
                )
            }
            let body = request ? interaction.requestBody : interaction.responseBody
            let fields = request ? interaction.request.fields : interaction.response.fields
            guard let output else {
                try write(body, fields, reader) { Console.write($0) }
                return
            }
            let draft = output + ".mockserve-draft"
            guard FileManager.default.createFile(atPath: draft, contents: nil),
                let file = FileHandle(forWritingAtPath: draft)
            else {
                throw MockServeError(.cassetteUnwritable, "\(output) cannot be written.")
            }
            do {
                try write(body, fields, reader) { try file.write(contentsOf: Data($0)) }
                try file.close()
                guard rename(draft, output) == 0 else {
                    throw MockServeError(
                        .cassetteUnwritable,
                        "\(output) cannot be written: \(String(cString: strerror(errno)))."
                    )
                }
            } catch {
                unlink(draft)
                throw error
            }
        }
    }

    private func write(
        _ body: BodyReference?,
        _ fields: Fields,
        _ reader: CassetteReader,
        _ write: ([UInt8]) throws -> Void
    ) throws {
        guard let body else { return }
        if decoded {
            guard let bytes = try reader.bytes(of: body, limit: 256 << 20),
                let plain = BodyText.decoded(bytes, fields, limit: 1 << 30)
            else {
                throw MockServeError(
                    .cassetteUnreadable,
                    "The body cannot be decoded; without --decoded it is written as it is."
                )
            }
            return try write(plain)
        }
        for number in 0..<BodySlices.count(of: body.size) { try write(try reader.slice(number, of: body)) }
    }
}
