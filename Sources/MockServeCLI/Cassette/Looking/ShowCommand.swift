import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import HTTPWire
import MockServe
import MockServeCore
import NIOCore

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show interactions as text.",
        discussion: """
            Every interaction is a block: a line `=== METHOD URL STATUS`, the request (>), the response (<), and their \
            bodies (|), decoded, JSON indented; of a binary or very long body, what it is (@), and of gRPC the messages. Without numbers, all of the \
            cassette is shown, with its rules and stubs.

            --text leaves out what changes with every recording: numbers, dates and timing. It is the text that `git diff` \
            compares, and stays the same as long as the content does. --raw prints the exact bytes of one response as the \
            upstream sent it: status line, fields, body with its chunks and trailers.

            On a terminal it is highlighted, and shown by the program that PAGER names, or less.

            EXAMPLE
              mockserve cassette show github.cassette 1
              mockserve cassette show github.cassette --text | grep -A5 'POST'
              mockserve cassette show github.cassette 1 --raw | head
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Argument(
        help: ArgumentHelp("Numbers of interactions as `list` shows them, or ranges of them.", valueName: "n|n-m")
    )
    var numbers: [String] = []

    @Flag(help: "Leave out what changes with every recording.")
    var text = false

    @Flag(help: "With --text, show that, too.")
    var full = false

    @Option(
        help: ArgumentHelp(
            "Show messages of gRPC by this schema, a FileDescriptorSet (protoc --include_imports --descriptor_set_out).",
            valueName: "file"
        )
    )
    var descriptors: String?

    @Flag(help: "Print the response's bytes.")
    var raw = false

    func validate() throws {
        let ranges = try NumberRanges.parse(numbers)
        guard !raw || ranges.count == 1 && ranges[0].count == 1 else {
            throw ValidationError("--raw prints one response: give one number.")
        }
        guard descriptors == nil || !raw && (full || !text) else {
            throw ValidationError(
                "--descriptors is for what is shown to people: leave out --raw, or --text without --full."
            )
        }
        guard !raw || !text && !full else { throw ValidationError("--raw is not text: leave out --text and --full.") }
    }

    func run() throws {
        try ExitStatus.reporting {
            let ranges = try NumberRanges.parse(numbers)
            let reader = try CassetteReader(path: cassette)
            defer { reader.close() }
            if raw {
                try printRaw(try interaction(ranges[0].lowerBound, reader), reader)
                return
            }
            for range in ranges {
                for end in [range.lowerBound, range.upperBound] { _ = try interaction(end, reader) }
            }
            let isFull = full || !text
            let schema = try descriptors.map(Self.schema)
            try Console.paged { output in
                if ranges.isEmpty {
                    var isFirst = true
                    try reader.writeText(isFull: isFull, schema: schema) { lines in
                        output.write(lines, isFirst: isFirst)
                        isFirst = false
                    }
                    return
                }
                var isFirst = true
                let rules = try reader.rules()
                try reader.forEach(in: ranges) { interaction in
                    let lines =
                        try isFull
                        ? reader.text(of: interaction, isFull: true, schema: schema)
                        : reader.stableText(of: interaction, rules)
                    output.write(lines, isFirst: isFirst)
                    isFirst = false
                }
            }
        }
    }

    private func interaction(_ number: Int64, _ reader: CassetteReader) throws -> Interaction {
        if let interaction = try reader.interaction(number) { return interaction }
        let newest = try reader.newestID()
        Console.say("mockserve: \(cassette) has no interaction \(number); the newest is \(newest).")
        throw ExitStatus.unreadable.code
    }

    private static func schema(_ path: String) throws -> ProtobufSchema {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw MockServeError(.invalidConfiguration, "\(path) cannot be read.")
        }
        guard let schema = ProtobufSchema(Array(bytes)) else {
            throw MockServeError(
                .invalidConfiguration,
                "\(path) is not a FileDescriptorSet; protoc --include_imports --descriptor_set_out=FILE writes one."
            )
        }
        return schema
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
