import ArgumentParser
import CassetteStore
import ContentCoding
import Foundation
import HTTPMessages
import HTTPWire
import MockServeCore
import NIOCore

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one interaction.",
        discussion: """
            Bodies are shown decoded, JSON indented, other text as it is; of a binary or very long body its size is \
            shown. --raw prints the exact bytes of the response as the upstream sent it: status line, fields, body with \
            its chunks and trailers.

            EXAMPLE
              mockserve cassette show github.cassette 1
              mockserve cassette show github.cassette 1 --raw | head
            """
    )

    /// Bytes of a body that are shown: 1 MiB.
    private static let limit = 1 << 20

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Argument(help: "Number of the interaction, as `list` shows it.")
    var number: Int64

    @Flag(help: "Print the response's bytes.")
    var raw = false

    func run() throws {
        try ExitStatus.reporting {
            let reader = try CassetteReader(path: cassette)
            defer { reader.close() }
            guard let interaction = try reader.interaction(number) else {
                let newest = try reader.newestID()
                Console.say("mockserve: \(cassette) has no interaction \(number); the newest is \(newest).")
                throw ExitStatus.unreadable.code
            }
            if raw { try printRaw(interaction, reader) } else { try printReadable(interaction, reader) }
        }
    }

    // MARK: Readable

    private func printReadable(_ interaction: Interaction, _ reader: CassetteReader) throws {
        let content = interaction.content
        Console.print("# Interaction \(interaction.id), \(Timestamp.text(content.recordedAt)) UTC")
        let origin = content.origin.isEmpty ? "any upstream" : content.origin
        Console.print("# \(Console.safe(origin)), match key \(content.matchKey)")
        if let firstByte = content.firstByte {
            let last = content.chunks.last?.offset ?? 0
            Console.print(
                "# first byte after \(firstByte) ms, \(Counted.text(content.chunks.count, "chunk")) within \(last) ms"
            )
        }
        if let cut = content.cut {
            Console.print(
                "# cut by the upstream \(cut.offset) ms after the head: \(cut.end == .close ? "closed" : "reset")"
            )
        }
        for redaction in try reader.redactions(of: interaction.id) {
            Console.print("# \(Console.safe(redaction.place)): \(Console.safe(redaction.placeholder))")
        }
        let request = content.request
        Console.print("")
        Console.print("\(text(request.method)) \(text(request.target)) \(request.version.rawValue)")
        try printMessage(request.fields, interaction.requestBody, content.requestTrailers, reader)
        for informational in content.informational {
            Console.print("\nHTTP/1.1 \(informational.status) \(text(informational.reason ?? []))")
            printFields(informational.fields)
        }
        let response = content.response
        Console.print("\n\(response.version.rawValue) \(response.status) \(text(response.reason ?? []))")
        try printMessage(response.fields, interaction.responseBody, content.responseTrailers, reader)
    }

    private func printMessage(
        _ fields: Fields,
        _ body: BodyReference?,
        _ trailers: Fields,
        _ reader: CassetteReader
    ) throws {
        printFields(fields)
        if let body {
            Console.print("")
            Console.print(try readable(body, fields, reader))
        }
        if !trailers.isEmpty {
            Console.print("")
            printFields(trailers)
        }
    }

    private func printFields(_ fields: Fields) {
        for field in fields { Console.print("\(text(field.name)): \(text(field.value))") }
    }

    private func text(_ bytes: some Collection<UInt8>) -> String { Console.safe(Latin1.string(bytes)) }

    private func readable(_ body: BodyReference, _ fields: Fields, _ reader: CassetteReader) throws -> String {
        guard var bytes = try reader.bytes(of: body, limit: Self.limit) else {
            return "(\(ByteCount.text(body.size)), too long to show; see --raw)"
        }
        var note = ""
        for name in listMembers(fields.values("content-encoding")).reversed() {
            guard let coding = ContentCoding(name), let decoded = try? coding.decode(bytes, limit: Self.limit * 4)
            else {
                return "(\(ByteCount.text(body.size)) of \(text(name)), not decoded; see --raw)"
            }
            bytes = decoded
            note = "# \(ByteCount.text(body.size)) of \(coding.name), decoded\n"
        }
        let type = fields.first("content-type").map { MediaType($0) }
        if type?.isJSON == true, let pretty = JSONText.pretty(bytes) { return note + Console.safe(pretty) }
        guard let string = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            return "(\(ByteCount.text(bytes.count)) of \(Console.safe(type?.essence ?? "binary data")); see --raw)"
        }
        return note + Console.safe(string)
    }

    // MARK: Raw

    private func printRaw(_ interaction: Interaction, _ reader: CassetteReader) throws {
        let content = interaction.content
        var head = ByteBuffer()
        for informational in content.informational { head.writeResponseHead(informational) }
        head.writeResponseHead(content.response)
        write(head)
        guard let body = interaction.responseBody else { return }
        let isChunked = content.response.isChunked
        var chunks = (isChunked ? content.chunks.map(\.size) : []).makeIterator()
        var remaining = 0
        for number in 0..<BodySlices.count(of: body.size) {
            var slice = ByteBuffer(bytes: try reader.slice(number, of: body))
            guard isChunked else {
                write(slice)
                continue
            }
            while slice.readableBytes > 0 {
                var output = ByteBuffer()
                if remaining == 0 {
                    remaining = chunks.next() ?? slice.readableBytes
                    output.writeChunkStart(size: remaining)
                }
                let count = min(remaining, slice.readableBytes)
                if let piece = slice.readSlice(length: count) { output.writeImmutableBuffer(piece) }
                remaining -= count
                if remaining == 0 { output.writeChunkEnd() }
                write(output)
            }
        }
        if isChunked, content.cut == nil {
            var end = ByteBuffer()
            end.writeLastChunk(trailers: content.responseTrailers)
            write(end)
        }
    }

    private func write(_ buffer: ByteBuffer) { Console.write(Array(buffer.readableBytesView)) }
}
