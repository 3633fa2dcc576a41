import ArgumentParser
import Foundation
import HTTPMessages
import MockServeCore

/// How fast bodies are searched for secrets, on one core.
struct RedactionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redaction",
        abstract: "Search bodies of some kinds for secrets.",
        discussion: "Prints megabytes (10^6 bytes) a second, a kind a line."
    )

    @Option(help: "Megabytes of every body.")
    var size = 100

    @Option(help: "Secrets that the scope has learned before.")
    var learned = 20

    func run() throws {
        let known = LearnedSecrets()
        var redactor = try redactor(known)
        for number in 0..<learned {
            redactor.learn(
                from: Fields([("Authorization", "Bearer learned-\(number)-9f86d081884c7d65")]),
                isRequest: true
            )
        }
        let item = #"{"id":4711,"name":"A name of some length","tags":["one","two"],"price":12.5,"url":"/items/4711"},"#
        let escaped = #"{"id":4711,"text":"first\nsecond \"quoted\" caf\u00e9","url":"https:\/\/example.com\/a%20b"},"#
        let kinds: [(String, String, String)] = [
            ("json", "application/json", item), ("json with escapes", "application/json", escaped),
            (
                "html", "text/html",
                "<p class=\"a\">Some text &amp; more of it, and <a href=\"/x?page=2\">a link</a></p>\n"
            ),
            ("form", "application/x-www-form-urlencoded", "name=A+name&city=New%20York&number=4711&"),
            ("text", "text/plain", "It was a bright cold day in April, and the clocks were striking thirteen.\n"),
        ]
        for (name, type, unit) in kinds {
            let one = Array(unit.utf8)
            let piece = Array(repeatElement(one, count: (64 << 10) / one.count).joined())
            try measure(name, type, piece, &redactor)
        }
        var state: UInt64 = 1
        let random = (0..<64 << 10).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
        try measure("binary", "application/octet-stream", random, &redactor)
    }

    private func redactor(_ learned: LearnedSecrets) throws -> Redactor {
        let rule = try Rule(.redact, "catalog:\(RedactionCatalog.version)")
        guard let redactor = RuleSet([rule], secrets: KnownSecrets([], learned: learned)).redactor else {
            throw ValidationError("nothing is redacted")
        }
        return redactor
    }

    private func measure(_ name: String, _ type: String, _ piece: [UInt8], _ redactor: inout Redactor) throws {
        let count = size * 1_000_000 / piece.count
        var redaction = BodyRedaction(redactor, Fields([("Content-Type", type)]), "response body", PlaceholderBook())
        var bytes = 0
        let time = try ContinuousClock().measure {
            for _ in 0..<count { bytes += redaction.push(piece).count }
            bytes += try redaction.finish().count
        }
        let rate = Double(count * piece.count) / 1e6 / (time / .seconds(1))
        print("\(name): \(Int(rate)) MB/s, \(bytes == count * piece.count ? "nothing" : "something") replaced")
    }
}
