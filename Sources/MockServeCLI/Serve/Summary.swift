import MockServe

/// What is said when a server has stopped.
enum Summary {
    static func say(_ server: MockServer) {
        var parts: [String] = []
        if server.isRecording { parts.append("\(server.recordedCount) recorded") }
        if server.recordedCutCount > 0 { parts.append("\(server.recordedCutCount) of them cut by the upstream") }
        if server.replayedCount > 0 || !server.isRecording { parts.append("\(server.replayedCount) replayed") }
        if server.missCount > 0 { parts.append("\(server.missCount) missed") }
        if server.failureCount > 0 { parts.append("\(server.failureCount) failed") }
        Console.say("mockserve: " + parts.joined(separator: ", "))
        for likeness in server.likenesses.prefix(5) { Console.say("mockserve: \(likeness)") }
        if server.likenesses.count > 5 { Console.say("  … and \(server.likenesses.count - 5) more such requests") }
        if let first = server.firstDeparture {
            let count = server.departureCount == 1 ? "1 answer departs" : "\(server.departureCount) answers depart"
            Console.say("mockserve: \(count) from the recorded order; the first: \(Console.safe(first))")
        }
        let redacted = server.redactedCounts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        if !redacted.isEmpty { Console.say("mockserve: redacted: " + redacted.joined(separator: ", ")) }
        list(server.misses.map { "miss: \($0)" }, of: server.missCount)
        // The first is told in full: the others are often its consequences.
        if let first = server.misses.first { Console.say("\n" + Console.safe(first.explanation)) }
        list(server.failures.map { "not recorded: \($0)" }, of: server.failureCount)
    }

    /// What `--require-all-used` found.
    static func sayUnused(_ unused: UnusedInteractions) {
        guard unused.count > 0 else { return }
        Console.say("mockserve: \(unused.count) recorded interactions were not used")
        list(unused.first, of: unused.count)
    }

    private static func list(_ lines: [String], of count: Int) {
        for line in lines.prefix(20) { Console.say("  \(Console.safe(line))") }
        if count > 20 { Console.say("  … and \(count - 20) more") }
    }
}
