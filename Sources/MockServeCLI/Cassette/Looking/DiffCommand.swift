import ArgumentParser
import CassetteStore
import MockServeCore

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what differs between two cassettes.",
        discussion: """
            Interactions that answer the same requests are compared, whatever their numbers are. JSON is compared by its \
            value. What changes with every recording, such as Date and request ids, does not count, nor does what the rules \
            `volatile` of the second cassette name; --all shows that, too.

            EXAMPLE
              mockserve cassette diff old.cassette new.cassette
              mockserve cassette diff --exit-code old.cassette new.cassette || echo 'The service has changed.'
            """
    )

    @Argument(help: "The older cassette.", completion: .file(extensions: ["cassette"]))
    var old: String

    @Argument(help: "The newer cassette.", completion: .file(extensions: ["cassette"]))
    var new: String

    @Flag(help: "Show what changes with every recording, too.")
    var all = false

    @Flag(name: .customLong("exit-code"), help: "End with status 1 if anything differs.")
    var exitCode = false

    @Flag(name: [.long, .customShort("q")], help: "Print nothing, and end with status 1 if anything differs.")
    var quiet = false

    func run() throws {
        let count = try ExitStatus.reporting {
            let (left, right) = (try CassetteReader(path: old), try CassetteReader(path: new))
            defer {
                left.close()
                right.close()
            }
            var counts = (changed: 0, added: 0, removed: 0, alike: 0)
            try Console.paged(isWanted: !quiet) { output in
                var isFirst = true
                func show(_ lines: [String]) {
                    guard !quiet else { return }
                    output.write(lines, isFirst: isFirst)
                    isFirst = false
                }
                try CassetteDiff.each(left, right, isFull: all) { change in
                    switch change {
                    case .top(let old, let new):
                        counts.changed += 1
                        show(LineDiff.lines(old, new))
                    case .removed(let lines):
                        counts.removed += 1
                        show(lines.map { "-" + $0 })
                    case .added(let lines):
                        counts.added += 1
                        show(lines.map { "+" + $0 })
                    case .changed(let old, let new):
                        counts.changed += 1
                        show(Self.difference(old, new))
                    case .alike(let old, let new):
                        counts.alike += 1
                        if all { show(Self.difference(old, new)) }
                    }
                }
            }
            var parts = ["\(counts.changed) changed", "\(counts.added) added", "\(counts.removed) removed"]
            if counts.alike > 0 { parts.append("\(counts.alike) alike but for what changes with every recording") }
            if !quiet { Console.say("mockserve: " + parts.joined(separator: ", ")) }
            return counts.changed + counts.added + counts.removed + (all ? counts.alike : 0)
        }
        if count > 0, exitCode || quiet { throw ExitCode(1) }
    }

    /// Under the header of the newer one.
    static func difference(_ old: [String], _ new: [String]) -> [String] {
        guard let (before, after) = zip(old, new).first(where: { _ in true }) else { return [] }
        let header = before == after ? [" " + after] : ["-" + before, "+" + after]
        return header + LineDiff.lines(Array(old.dropFirst()), Array(new.dropFirst()))
    }
}
