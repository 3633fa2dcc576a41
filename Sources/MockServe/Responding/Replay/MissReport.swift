import CassetteStore
import Foundation
import HTTPMessages
import MockServeCore

/// What a client is told about a request without a recorded answer: the request, the nearest recorded ones, what
/// differs, and what to do. Never over 16 KiB.
struct MissReport: Sendable {
    /// Near misses that are shown.
    static let nearestLimit = 3
    /// Characters of a value and of a target that are shown.
    private static let valueLimit = 200
    private static let targetLimit = 500
    /// Characters of a value in a text of one line.
    private static let lineLimit = 80
    /// Differences of one near miss that are shown.
    private static let differenceLimit = 12

    let asked: ComparedRequest
    let nearest: [NearMiss]
    let cassette: String
    let playback: PlaybackMode
    /// The status of the answer.
    let status: Int
    /// What records what is missing, if it is not the command `mockserve`.
    var recordCommand: String?
    /// What the cassette was imported from, if it is there only as long as the server runs.
    var importedFrom: String?
    /// Whether there is no cassette at all.
    var isWithoutCassette = false
    /// What stubs of the cassette for the same method and path ask for besides, and how many stubs there are.
    var stubs: [String] = []
    var stubCount = 0

    var miss: Miss {
        Miss(
            method: Latin1.string(asked.head.method),
            target: Latin1.string(asked.head.target),
            explanation: text,
            summary: oneLine,
            json: String(decoding: problem.body, as: UTF8.self).replacing("\n", with: ""),
            cassette: CassetteFile.canonicalPath(cassette)
        )
    }

    // MARK: What to do

    private var fix: String {
        if isExhausted {
            return "It was recorded, but with --playback \(playback.rawValue) not as the answer to this request now. "
                + "Try --playback timeline."
        }
        if let recordCommand { return "Record it: \(recordCommand)" }
        let upstream = asked.origin.isEmpty ? "URL" : Self.upstreamURL(asked)
        let record =
            "mockserve record \(importedFrom == nil ? quoted(cassette) : importedName) --upstream \(upstream) --mode missing"
        guard let importedFrom else { return "Record it: \(record)" }
        return "Record it: mockserve cassette import \(quoted(importedFrom)) -o \(importedName) && \(record)"
    }

    /// gRPC needs HTTP/2, which an `http` URL does not promise.
    private static func upstreamURL(_ asked: ComparedRequest) -> String {
        let isPlain = asked.origin.hasPrefix("http://") && asked.head.version == .http2
        return isPlain && asked.head.fields.formOfGRPC != nil ? "h2c" + asked.origin.dropFirst(4) : asked.origin
    }

    /// The rule by which the nearest recording would answer; nil if there is none to recommend.
    private var rule: String? {
        guard let nearest = nearest.first, !nearest.ignorable.isEmpty else { return nil }
        let options = nearest.ignorable.map { " --ignore \(quoted($0))" }.joined()
        let command =
            importedFrom.map { "mockserve cassette import \(quoted($0)) -o \(importedName)" }
            ?? "mockserve cassette rule add \(quoted(cassette))"
        return "Or, if what differs from #\(nearest.id) does not matter: \(command)\(options)"
    }

    /// What a cassette that is to stay may be called.
    private var importedName: String { quoted(URL(fileURLWithPath: cassette).lastPathComponent) }

    private func quoted(_ text: String) -> String { ShellText.quoted(text) }

    /// Whether the same request was recorded, and only the playback withholds its answer.
    private var isExhausted: Bool { nearest.contains(where: \.isHeldBackByPlayback) }

    /// Why there is nothing near.
    private var nothing: String {
        if isWithoutCassette { return "There is no cassette yet: \(cassette)" }
        return stubCount == 0
            ? "The cassette is empty."
            : "Nothing is recorded in the cassette, which has \(Counted.text(stubCount, "stub"))."
    }

    // MARK: Rendering

    /// Problem details (RFC 9457), for programs.
    var problem: Problem {
        var problem = Problem(
            status: status,
            title: "No recorded interaction matches this request",
            detail: nearest.isEmpty ? nothing : detail
        )
        problem.fields.append("mockserve-miss", "1")
        problem.oneLine = "\(oneLine) \(fix)"
        problem.members = [
            ("method", JSONText.string(shown(Latin1.string(asked.head.method), Self.valueLimit))),
            ("target", JSONText.string(shown(Latin1.string(asked.head.target), Self.targetLimit))),
            ("nearest", "[" + nearest.map(json).joined(separator: ", ") + "]"),
            ("fix", JSONText.string(fix)),
        ]
        if !stubs.isEmpty {
            let texts = stubs.prefix(Self.nearestLimit).map { JSONText.string(shown($0, Self.targetLimit)) }
            problem.members.append(("stubs", "[" + texts.joined(separator: ", ") + "]"))
        }
        if let rule {
            let parts = nearest.first?.ignorable.map(JSONText.string) ?? []
            problem.members += [("rule", JSONText.string(rule)), ("ignore", "[\(parts.joined(separator: ", "))]")]
        }
        // Clients of services show one of these as the error: `message`, or `message` in the member `error`.
        problem.members += [
            ("message", JSONText.string(oneLine)),
            ("error", "{\"message\": \(JSONText.string(oneLine)), \"type\": \"mockserve_miss\"}"),
        ]
        return problem
    }

    /// All in one line, with the first value that differs.
    private var oneLine: String {
        let target = shown(Latin1.string(asked.head.target), Self.lineLimit)
        let start = "No recorded interaction matches \(Latin1.string(asked.head.method)) \(target)"
        guard let first = nearest.first else {
            return "\(start): \(isWithoutCassette ? "there is no cassette yet" : "the cassette is empty")."
        }
        if let same = nearest.first(where: \.isHeldBackByPlayback) {
            return
                "\(start) now: #\(same.id) is the same request, but --playback \(playback.rawValue) does not give it here."
        }
        guard let difference = first.differences.first, difference.part != "match key" else {
            return "\(start): the nearest, #\(first.id), differs in nothing that could be shown."
        }
        let values = [difference.asked, difference.recorded].map { $0.map { shown($0, Self.lineLimit) } ?? "nothing" }
        let parts = first.differences.prefix(Self.differenceLimit).map { shown($0.part, Self.lineLimit) }
        let others = parts.count > 1 ? ", and in \(parts.dropFirst().joined(separator: ", "))" : ""
        return "\(start): the nearest, #\(first.id), differs in \(parts[0]) "
            + "(asked: \(values[0]), recorded: \(values[1]))\(others)."
    }

    /// The same in short, without values.
    private var detail: String {
        guard let first = nearest.first else { return "" }
        let parts = first.differences.prefix(Self.differenceLimit).map(\.part).joined(separator: ", ")
        let what = parts.isEmpty ? "is the same request" : "differs in \(parts)"
        return "The nearest, interaction \(first.id), \(what)."
    }

    private func json(_ nearMiss: NearMiss) -> String {
        let differences = nearMiss.differences.prefix(Self.differenceLimit).map { difference in
            let asked = difference.asked.map { JSONText.string(shown($0, Self.valueLimit)) } ?? "null"
            let recorded = difference.recorded.map { JSONText.string(shown($0, Self.valueLimit)) } ?? "null"
            let part = JSONText.string(shown(difference.part, Self.valueLimit))
            return "\n      {\"part\": \(part), \"asked\": \(asked), \"recorded\": \(recorded)}"
        }
        return
            "\n    {\"interaction\": \(nearMiss.id), \"request\": \(JSONText.string(request(nearMiss))), \"differences\": ["
            + differences.joined(separator: ",") + "]}"
    }

    /// For a person at a terminal.
    var text: String {
        let method = Latin1.string(asked.head.method)
        var lines = [
            "No recorded interaction matches this request:", "",
            "  \(shown(method, Self.valueLimit)) \(shown(Latin1.string(asked.head.target), Self.targetLimit))", "",
        ]
        lines.append(nearest.isEmpty ? nothing : "The nearest that were recorded:")
        for nearMiss in nearest {
            lines += ["", "  #\(nearMiss.id) \(request(nearMiss))"]
            for difference in nearMiss.differences.prefix(Self.differenceLimit) {
                lines += text(difference)
            }
            if nearMiss.isHeldBackByPlayback { lines.append("      (the same request)") }
        }
        if !stubs.isEmpty {
            lines +=
                ["", "Stubs that ask for more:"]
                + stubs.prefix(Self.nearestLimit).map { "  \(shown($0, Self.targetLimit))" }
        }
        lines += ["", fix]
        if let rule { lines.append(rule) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func text(_ difference: Difference) -> [String] {
        // The match key has no values to show.
        if difference.part == "match key" { return ["      (the match key, in nothing that could be shown)"] }
        let asked = difference.asked.map { shown($0, Self.valueLimit) } ?? "(nothing)"
        let recorded = difference.recorded.map { shown($0, Self.valueLimit) } ?? "(nothing)"
        return [
            "      \(shown(difference.part, Self.valueLimit))", "        asked:    \(asked)",
            "        recorded: \(recorded)",
        ]
    }

    private func request(_ nearMiss: NearMiss) -> String {
        let head = nearMiss.recorded.head
        return "\(Latin1.string(head.method)) \(shown(Latin1.string(head.target), Self.targetLimit))"
    }

    /// Shortened, on one line, and without control characters, which could steer a terminal.
    private func shown(_ text: String, _ limit: Int) -> String {
        var output = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(limit) {
            let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
            output.append(isControl ? "\u{FFFD}" : scalar)
        }
        return String(output) + (text.unicodeScalars.count > limit ? "…" : "")
    }

    /// Notes it.
    func noted(_ exchange: Exchange, _ journal: ScopeJournal) -> Problem {
        let problem = problem
        journal.note(exchange.request, .missed(miss), status: problem.status, exchange.notes)
        return problem
    }

    /// Answers an exchange with it, and notes that.
    func answer(_ exchange: Exchange, _ journal: ScopeJournal) {
        let problem = noted(exchange, journal)
        guard Self.prefersText(exchange.request) else { return exchange.answer(problem) }
        exchange.answer(problem.response(type: "text/plain; charset=utf-8"), body: Array(text.utf8))
    }

    /// Whether the client prefers text to JSON: curl and similar tools, unless they ask for JSON.
    static func prefersText(_ request: RequestHead) -> Bool {
        let accept = request.fields.values("accept").map { Latin1.string($0).lowercased() }.joined(separator: ",")
        if accept.contains("json") { return false }
        let agent = Latin1.string(request.fields.first("user-agent") ?? []).lowercased()
        return accept.hasPrefix("text/plain") || agent.hasPrefix("curl/") || agent.hasPrefix("wget/")
    }
}
