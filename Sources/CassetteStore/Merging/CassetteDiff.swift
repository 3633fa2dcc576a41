import GRDB
import HTTPMessages
import MockServeCore

/// What differs between two cassettes: interactions are paired by their match keys, stubs by what they ask for.
package enum CassetteDiff {
    package enum Change: Sendable {
        /// Upstreams and rules.
        case top(old: [String], new: [String])
        case removed([String])
        case added([String])
        case changed(old: [String], new: [String])
        /// They differ only in what changes with every recording.
        case alike(old: [String], new: [String])
    }

    /// Calls `body` with every change: first those of the top, then those of stubs, then those of interactions in the order of
    /// the new cassette, what is gone last.
    ///
    /// - Parameter isFull: whether what changes with every recording is in the texts.
    package static func each(
        _ old: CassetteReader,
        _ new: CassetteReader,
        isFull: Bool = false,
        _ body: (Change) -> Void
    ) throws {
        let top = (old: try old.topLines(), new: try new.topLines())
        if top.old != top.new { body(.top(old: top.old, new: top.new)) }
        try eachStub(old, new, body)
        // Keys are comparable only under the same rules.
        let rules = try new.rules()
        func entries(_ reader: CassetteReader) throws -> MergeEntries {
            let isSame = try reader.rules().rules == rules.rules
            return try reader.read { db in
                guard !isSame else { return try MergeEntries.interactions(db) }
                return try MergeEntries.interactions(db, rules, path: reader.path)
            }
        }
        let (left, right) = (try entries(old), try entries(new))
        let pairs = EntryPairs(left.entries, right.entries)
        func lines(_ reader: CassetteReader, _ number: Int64) throws -> [String] {
            guard let interaction = try reader.interaction(number) else { return [] }
            return isFull ? try reader.text(of: interaction) : try reader.stableText(of: interaction, rules)
        }
        for (place, number) in right.numbers.enumerated() {
            guard let before = pairs.oldOfNew[place] else {
                body(.added(try lines(new, number)))
                continue
            }
            guard left.entries[before].content != right.entries[place].content else { continue }
            let texts = (old: try lines(old, left.numbers[before]), new: try lines(new, number))
            func digest(_ reader: CassetteReader, _ number: Int64) throws -> [UInt8] {
                try reader.read { try AnswerSQL.digest(number, rules, $0, path: reader.path) }
            }
            let isAlike = try digest(old, left.numbers[before]) == digest(new, number)
            body(isAlike ? .alike(old: texts.old, new: texts.new) : .changed(old: texts.old, new: texts.new))
        }
        for (place, number) in left.numbers.enumerated() where pairs.newOfOld[place] == nil {
            body(.removed(try lines(old, number)))
        }
    }

    private static func eachStub(_ old: CassetteReader, _ new: CassetteReader, _ body: (Change) -> Void) throws {
        let (left, right) = (try old.read(MergeEntries.stubs), try new.read(MergeEntries.stubs))
        guard left.entries != right.entries else { return }
        let (before, after) = (try old.stubs(), try new.stubs())
        let pairs = EntryPairs(left.entries, right.entries)
        for (place, stored) in after.enumerated() {
            guard let other = pairs.oldOfNew[place] else {
                body(.added(try new.text(of: stored)))
                continue
            }
            let texts = (old: try old.text(of: before[other]), new: try new.text(of: stored))
            if texts.old != texts.new { body(.changed(old: texts.old, new: texts.new)) }
        }
        for (place, stored) in before.enumerated() where pairs.newOfOld[place] == nil {
            body(.removed(try old.text(of: stored)))
        }
    }
}
