import ArgumentParser
import CassetteStore
import Dispatch
import Foundation
import HTTPMessages
import HTTPWire
import MockServeCore

/// Makes a cassette with the writer that a recording uses, including the redaction rule.
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make a cassette of many interactions with distinct answers.",
        discussion: """
            Interaction N, counted from 0, answers `GET /items/N`; with --post `POST /items` with the body that \
            `mockserve-bench generate --print-body N` shows. The same arguments give the same cassette, but for the times \
            of its episode.

            EXAMPLE
              mockserve-bench generate million.cassette --interactions 1000000
              mockserve replay million.cassette --port 8080
              curl http://127.0.0.1:8080/items/4711
            """
    )

    @Argument(help: "The cassette to make; it must not exist yet.")
    var cassette: String?

    @Option(help: "Number of interactions.")
    var interactions = 10_000

    @Option(help: "Bytes of every answer.")
    var body = 1024

    @Flag(help: "Requests with a JSON body of 1 KB, told apart by it.")
    var post = false

    @Flag(help: "Answers of bytes that are not text.")
    var binary = false

    @Option(help: "Show the request body of this interaction instead.")
    var printBody: Int?

    func validate() throws {
        guard (1...100_000_000).contains(interactions) else {
            throw ValidationError("--interactions takes 1 to 100000000.")
        }
        guard (64...(1 << 30)).contains(body) else { throw ValidationError("--body takes 64 to 1073741824.") }
        guard printBody != nil || cassette != nil else { throw ValidationError("Name the cassette to make.") }
    }

    func run() throws {
        if let printBody {
            print(String(decoding: SampleInteraction.requestBody(printBody), as: UTF8.self), terminator: "")
            return
        }
        guard let cassette else { return }
        guard !FileManager.default.fileExists(atPath: cassette) else {
            throw ValidationError("\(cassette) exists already; remove it or name another.")
        }
        let start = Date()
        let writer = try CassetteWriter(
            path: cassette,
            mode: .all,
            upstreams: [Upstream(name: "default", origin: SampleInteraction.origin)],
            rules: [try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")],
            now: SampleInteraction.time
        )
        let progress = Progress(total: interactions)
        for number in 0..<interactions {
            let sample = SampleInteraction(number, bodySize: body, isPost: post, isBinary: binary)
            writer.commit(try sample.interaction(writer)) { progress.note($0) }
            if writer.isCongested { wait(writer) }
        }
        try writer.finish(keeping: true, now: SampleInteraction.time)
        try progress.check()
        let seconds = String(format: "%.1f", Date().timeIntervalSince(start))
        progress.say("\(cassette): \(interactions) interactions in \(seconds) s")
    }

    private func wait(_ writer: CassetteWriter) {
        let drained = DispatchSemaphore(value: 0)
        writer.whenDrained { drained.signal() }
        drained.wait()
    }
}
