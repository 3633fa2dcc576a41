import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

/// Which requests are sent again, where, and how.
struct RealityOptions: ParsableArguments {
    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Option(
        help: ArgumentHelp(
            "Where to send them, instead of where they were recorded from. With several upstreams: NAME=URL.",
            valueName: "[name=]url"
        )
    )
    var upstream: [String] = []

    @Option(help: ArgumentHelp("Only these interactions, or ranges of them.", valueName: "n|n-m"))
    var select: [String] = []

    @Flag(help: "Send requests that change something, too: all but GET, HEAD and OPTIONS.")
    var unsafe = false

    @Option(help: "How many requests may be under way at once. Each part of them is sent in recorded order.")
    var jobs = 1

    @Option(help: ArgumentHelp("How many requests are sent in a second, at most.", valueName: "n"))
    var rate: Double?

    @OptionGroup(title: "Secrets") var secrets: SecretOptions

    func validate() throws {
        _ = try NumberRanges.parse(select)
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs takes 1 to 64.") }
        guard rate ?? 1 > 0 else { throw ValidationError("--rate takes a number above 0.") }
        for text in upstream where Origin(Self.split(text).url) == nil {
            throw ValidationError(
                "--upstream takes scheme, host and port, such as https://api.example.com, not `\(text)`."
            )
        }
    }

    private static func split(_ text: String) -> (name: String?, url: String) {
        guard let equals = text.firstIndex(of: "="), !text[..<equals].contains("/") else { return (nil, text) }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    /// What was found of one recorded request.
    struct Finding {
        let outcome: Reasking.Outcome
        let drift: AnswerDrift
        let differences: [String]
        /// What the recorded interaction was when they were compared.
        let before: InteractionFingerprint

        /// How the answers differ, line by line.
        func difference(_ reader: CassetteReader, _ parts: [Int: CassetteReader]) throws -> [String] {
            guard let part = parts[outcome.part], let answer = outcome.answer,
                let old = try reader.interaction(outcome.number), let new = try part.interaction(answer)
            else { return [] }
            let rules = try reader.rules()
            let texts = try [reader.stableText(of: old, rules), part.stableText(of: new, rules)]
            // The request is the same, but for what this client says of itself.
            let answers = texts.map { text in Array(text.drop { !$0.hasPrefix(InteractionText.Mark.response.rawValue) })
            }
            return LineDiff.lines(answers[0], answers[1])
        }
    }

    /// Sends the requests again, and compares.
    ///
    /// - Parameter body: gets what was found, and the readers of what was recorded now; they are gone afterwards.
    func ask<Result>(_ body: ([Finding], CassetteReader, [Int: CassetteReader]) throws -> Result) async throws -> Result
    {
        let reader = try CassetteReader(path: cassette)
        defer { reader.close() }
        let (numbers, unsafeOnes, byHand) = try numbers(reader)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mockserve-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let interruption = Interruption { try? FileManager.default.removeItem(atPath: folder) }
        defer { interruption.end() }
        let declared = try secrets.declared()
        let reasking = Reasking(
            cassette: cassette,
            upstreams: try upstreams(reader),
            names: Dictionary(
                try reader.upstreams().map { ($0.origin.description, $0.name) },
                uniquingKeysWith: { first, _ in first }
            ),
            secrets: secrets.targets,
            values: declared.map { (Array("redacted.\($0.kind).".utf8), $0.bytes) },
            jobs: jobs,
            rate: rate,
            folder: folder
        )
        let progress = Progress(total: numbers.count)
        let outcomes = try await reasking.run(numbers) { progress.show($0) }
        progress.end()
        var parts: [Int: CassetteReader] = [:]
        defer { for part in parts.values { part.close() } }
        var findings: [Finding] = []
        for outcome in outcomes {
            let before = try reader.fingerprint(of: outcome.number)
            guard let answer = outcome.answer else {
                findings.append(
                    Finding(
                        outcome: outcome,
                        drift: .shape,
                        differences: [outcome.problem ?? "no answer"],
                        before: before
                    )
                )
                continue
            }
            let part = try parts[outcome.part] ?? CassetteReader(path: reasking.path(ofPart: outcome.part))
            parts[outcome.part] = part
            let (drift, differences) = try CassetteEditor.drift(of: outcome.number, in: reader, to: answer, in: part)
            findings.append(Finding(outcome: outcome, drift: drift, differences: differences, before: before))
        }
        if unsafeOnes > 0 {
            Console.say(
                "mockserve: not sent without --unsafe: \(Counted.text(unsafeOnes, "request")) that may change something"
            )
        }
        if byHand > 0 {
            Console.say("mockserve: not sent: \(Counted.text(byHand, "request")) whose answer was written by hand")
        }
        if !findings.isEmpty, findings.allSatisfy({ $0.outcome.answer == nil }) {
            throw MockServeError(.upstreamUnreachable, "No request was answered: \(findings[0].differences[0])")
        }
        return try body(findings, reader, parts)
    }

    private func numbers(_ reader: CassetteReader) throws -> (sent: [Int64], unsafe: Int, byHand: Int) {
        let ranges = try NumberRanges.parse(select)
        for range in ranges {
            for end in [range.lowerBound, range.upperBound] where try reader.interaction(end) == nil {
                throw MockServeError(.cassetteUnreadable, "\(cassette) has no interaction \(end).")
            }
        }
        let handWritten = try reader.handWritten()
        var numbers: [Int64] = []
        var (unsafeOnes, byHand) = (0, 0)
        try reader.forEach(in: ranges.isEmpty ? [1...Int64.max - 1] : ranges) { interaction in
            if handWritten.contains(interaction.id) {
                byHand += 1
            } else if unsafe || interaction.request.isSafe {
                numbers.append(interaction.id)
            } else {
                unsafeOnes += 1
            }
        }
        return (numbers, unsafeOnes, byHand)
    }

    private func upstreams(_ reader: CassetteReader) throws -> [(name: String, url: String)] {
        let recorded = try reader.upstreams()
        var upstreams = recorded.map { (name: $0.name, url: $0.origin.description) }
        for text in upstream {
            let (name, url) = Self.split(text)
            if let name {
                guard let place = upstreams.firstIndex(where: { $0.name == name }) else {
                    let known = upstreams.map(\.name).joined(separator: ", ")
                    throw MockServeError(
                        .invalidConfiguration,
                        "\(cassette) has no upstream \(name); it has: \(known)."
                    )
                }
                upstreams[place].url = url
            } else {
                guard upstreams.count <= 1 else {
                    let known = upstreams.map { "\($0.name)=URL" }.joined(separator: " --upstream ")
                    throw MockServeError(
                        .invalidConfiguration,
                        "\(cassette) has several upstreams: --upstream \(known)."
                    )
                }
                upstreams = [(upstreams.first?.name ?? "default", url)]
            }
        }
        guard !upstreams.isEmpty else {
            throw MockServeError(
                .invalidConfiguration,
                "\(cassette) was recorded from no upstream: give one with --upstream."
            )
        }
        return upstreams
    }
}
