import ArgumentParser
import CassetteStore
import MockServeCore

/// Tells a person of the conflicts of a merge.
enum ConflictReport {
    /// Conflicts that are shown with both sides.
    private static let limit = 10

    /// - Parameter name: of the cassette, for the command that settles them.
    static func say(_ conflicts: [Conflict], _ reader: CassetteReader, named name: String) throws {
        for conflict in conflicts.prefix(limit) {
            Console.say("")
            for line in try lines(conflict, reader) { Console.say(line) }
        }
        if conflicts.count > limit { Console.say("\n… and \(conflicts.count - limit) more conflicts") }
        let what = Counted.text(conflicts.count, "conflict")
        let path = ShellText.quoted(name)
        Console.say(
            "\nmockserve: \(what) in \(name). Settle \(conflicts.count == 1 ? "it" : "them"): mockserve cassette resolve \(path) --ours | --theirs | --both [N…]"
        )
    }

    /// What both sides say: `-` is ours, `+` is theirs.
    static func lines(_ conflict: Conflict, _ reader: CassetteReader) throws -> [String] {
        func text(_ number: Int64?) throws -> [String] {
            guard let number else { return [] }
            switch conflict.kind {
            case .interaction: return try reader.interaction(number).map { try reader.text(of: $0) } ?? []
            case .stub: return try reader.stubs().first { $0.number == number }.map { try reader.text(of: $0) } ?? []
            }
        }
        let (ours, theirs) = (try text(conflict.ours), try text(conflict.theirs))
        let name = "conflict \(conflict.number):"
        if ours.isEmpty { return ["\(name) removed by us, changed by them"] + theirs.map { "+" + $0 } }
        if theirs.isEmpty { return ["\(name) changed by us, removed by them"] + ours.map { "-" + $0 } }
        return ["\(name) - is ours, + is theirs"] + DiffCommand.difference(ours, theirs)
    }
}
