import MockServe
import MockServeCore

/// What is said when a server has stopped.
struct Summary {
    /// Interactions of a cassette up to which it is looked up what rules would do.
    private static let previewLimit = 10_000

    let server: MockServer
    /// As it was given.
    let cassette: String
    /// Whether misses and failures were shown as they happened.
    let wasTold: Bool
    /// Whether what was recorded was dropped, because the command failed.
    var isDropped = false

    private var dropped: String {
        isDropped && server.recordedCount > 0 ? " and dropped, because the command failed (--keep-failed keeps it)" : ""
    }

    func say() {
        var parts: [String] = []
        if server.isRecording { parts.append("\(server.recordedCount) recorded\(dropped)") }
        if server.unchangedCount > 0 { parts.append("\(server.unchangedCount) of them unchanged") }
        if server.recordedCutCount > 0 { parts.append("\(server.recordedCutCount) of them cut by the upstream") }
        if server.replayedCount > 0 || !server.isRecording { parts.append("\(server.replayedCount) replayed") }
        if server.stubbedCount > 0 { parts.append("\(server.stubbedCount) answered by stubs") }
        if server.missCount > 0 { parts.append("\(server.missCount) missed") }
        if server.failureCount > 0 {
            parts.append("\(server.failureCount) failed\(server.isRecording ? " and not recorded" : "")")
        }
        Console.say("mockserve: " + parts.joined(separator: ", "))
        for likeness in server.likenesses.prefix(5) { Console.say("mockserve: \(likeness)") }
        if server.likenesses.count > 5 { Console.say("  … and \(server.likenesses.count - 5) more such requests") }
        if let first = server.firstDeparture {
            let count = server.departureCount == 1 ? "1 answer departs" : "\(server.departureCount) answers depart"
            Console.say("mockserve: \(count) from the recorded order; the first: \(Console.safe(first))")
        }
        let redacted = server.redactedCounts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        if !redacted.isEmpty { Console.say("mockserve: redacted: " + redacted.joined(separator: ", ")) }
        let spared = server.isRecording ? server.sparedNames : []
        if !spared.isEmpty {
            let more = spared.count > 8 ? " and \(spared.count - 8) more" : ""
            Console.say(
                "mockserve: left alone, because what they hold looks like no secret: "
                    + Console.safe(spared.prefix(8).joined(separator: ", ")) + more
            )
        }
        if server.hasForgottenSecrets {
            Console.say(
                "mockserve: more secrets were met than are remembered: later ones were replaced only where their names "
                    + "or shapes tell"
            )
        }
        if !wasTold {
            Self.list(
                server.failures.map { "\(server.isRecording ? "not recorded" : "failed"): \($0)" },
                of: server.failureCount
            )
        }
        sayMisses()
    }

    private func sayMisses() {
        let misses = server.misses
        guard let first = misses.first else { return }
        guard server.missCount > 1 else {
            if !wasTold { Self.list(["miss: \(first)"], of: 1) }
            return Console.say("\n" + Console.safe(lines: first.explanation))
        }
        let overview = MissOverview(misses.map { ToldMiss($0) }, cassette: cassette)
        Console.say("")
        for line in overview.lines(limit: Self.previewLimit) { Console.say(Console.safe(lines: line)) }
        if server.missCount > misses.count { Console.say("… and \(server.missCount - misses.count) more misses") }
        Console.say("")
    }

    /// What is said even in quiet mode: what went wrong, in one line each.
    func sayWorst() {
        if server.missCount > 0, let first = server.misses.first {
            let count = Counted.text(server.missCount, "request")
            Console.say(
                "mockserve: \(count) had no recorded answer: \(Console.safe(first.summary)) See `mockserve explain`."
            )
        }
        if server.failureCount > 0, let first = server.failures.first {
            let count = Counted.text(server.failureCount, "exchange")
            let lost = server.isRecording ? " and \(Counted.were(server.failureCount)) not recorded" : ""
            Console.say("mockserve: \(count) failed\(lost): \(Console.safe(first))")
        }
    }

    /// What `--require-all-used` found.
    static func sayUnused(_ unused: UnusedInteractions) {
        guard unused.count > 0 else { return }
        Console.say("mockserve: \(unused.sentence)")
        list(unused.first, of: unused.count)
    }

    private static func list(_ lines: [String], of count: Int) {
        for line in lines.prefix(20) { Console.say("  \(Console.safe(line))") }
        if count > 20 { Console.say("  … and \(count - 20) more") }
    }
}
