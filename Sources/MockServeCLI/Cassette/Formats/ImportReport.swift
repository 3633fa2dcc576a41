import CassetteFormats
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

/// What an import has done, for people and scripts.
struct ImportReport {
    /// Files that are named one by one.
    private static let namedLimit = 5

    private let report: CassetteImport.Report
    private let cassette: String

    init(_ report: CassetteImport.Report, _ cassette: String) { (self.report, self.cassette) = (report, cassette) }

    func say(asJSON: Bool) {
        if asJSON { return Console.print(object) }
        for failure in report.failures {
            Console.say("mockserve: read only up to a mistake: \(Console.safe(failure.description))")
        }
        sayOthers()
        Console.say("mockserve: \(contents) imported into \(cassette), from \(sources)")
        sayUpstreams()
        WrittenAnswer.say(redacted: report.redactions)
        LossText.say(report.losses, "not carried over", namesFiles: true)
    }

    /// Which port is for which server, if there are several.
    func sayUpstreams() {
        guard report.upstreams.count > 1 else { return }
        let named = report.upstreams.prefix(Self.namedLimit).map { "\($0.name) (\($0.origin))" }
        let more = report.upstreams.count - named.count
        let rest = more > 0 ? " and \(more) more" : ""
        Console.say(
            Console.safe("mockserve: each server has a port of its own: \(named.joined(separator: ", "))\(rest)")
        )
    }

    private func sayOthers() {
        guard let first = report.others.first else { return }
        let count = report.others.count
        Console.say(
            "mockserve: \(Counted.text(count, "file")) of no format that is known \(Counted.were(count)) passed over, such as \(Console.safe(first))"
        )
    }

    var contents: String {
        var parts: [String] = []
        if report.interactions > 0 || report.stubs == 0 {
            parts.append(Counted.text(report.interactions, "interaction"))
        }
        if report.stubs > 0 { parts.append(Counted.text(report.stubs, "stub")) }
        return parts.joined(separator: " and ")
    }

    var sources: String {
        report.files.sorted { $0.key < $1.key }.map { Counted.text($0.value, "\($0.key) file") }.joined(
            separator: " and "
        )
    }

    private var object: String {
        func strings(_ texts: [String]) -> String { "[" + texts.map(JSONText.string).joined(separator: ",") + "]" }
        let losses = report.losses.losses.map { loss in
            var members = ["\"what\":\(JSONText.string(loss.what))", "\"count\":\(loss.count)"]
            members.append("\"file\":\(JSONText.string(loss.file))")
            if let line = loss.line { members.append("\"line\":\(line)") }
            return "{" + members.joined(separator: ",") + "}"
        }
        let redactions = report.redactions.sorted { $0.key < $1.key }.map { "\(JSONText.string($0.key)):\($0.value)" }
        let files = report.files.sorted { $0.key < $1.key }.map { "\(JSONText.string($0.key)):\($0.value)" }
        let upstreams = report.upstreams.map { "\(JSONText.string($0.name)):\(JSONText.string("\($0.origin)"))" }
        let members = [
            "\"cassette\":\(JSONText.string(cassette))", "\"interactions\":\(report.interactions)",
            "\"stubs\":\(report.stubs)", "\"upstreams\":{\(upstreams.joined(separator: ","))}",
            "\"files\":{\(files.joined(separator: ","))}",
            "\"passed_over\":\(strings(report.others))", "\"failures\":\(strings(report.failures.map(\.description)))",
            "\"losses\":[\(losses.joined(separator: ","))]", "\"redactions\":{\(redactions.joined(separator: ","))}",
        ]
        return "{" + members.joined(separator: ",") + "}"
    }
}

/// Losses, line by line.
enum LossText {
    /// - Parameter namesFiles: whether losses are in one of several files.
    static func say(_ losses: LossReport, _ what: String, namesFiles: Bool) {
        guard !losses.isEmpty else { return }
        Console.say("mockserve: \(what):")
        for loss in losses.losses {
            let place = loss.line.map { "\(loss.file):\($0)" } ?? loss.file
            let times = loss.count == 1 ? "once" : "\(loss.count) times"
            Console.say(Console.safe("  \(loss.what): \(times)" + (namesFiles ? ", first in \(place)" : "")))
        }
    }
}

/// Formats, for `--help` and messages.
enum FormatList {
    static func text(_ formats: [(name: String, title: String)]) -> String {
        formats.map { "  \($0.name.padded(12))\($0.title)" }.joined(separator: "\n")
    }

    static func names(_ names: [String]) -> String { names.joined(separator: ", ") }
}
