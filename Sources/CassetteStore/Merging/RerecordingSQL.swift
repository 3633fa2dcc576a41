import GRDB
import HTTPMessages
import MockServeCore

/// What a run that records everything again takes the place of. An answer that is the same as before leaves the older
/// interaction as it is, and one that is not gets its number, so that a file changes only where the service has changed.
enum RerecordingSQL {
    /// What becomes of what a run has recorded.
    struct Plan {
        /// Interactions that were recorded again without a change.
        var unchanged = 0
        /// Whether nothing else was recorded, and nothing removed.
        var isSame = true
        /// For what was recorded, the number that it will have, or that of the older interaction that stays.
        var numbers: [Int64: Int64] = [:]
        /// Those that say nothing new, and are gone.
        fileprivate var unchangedNumbers: Set<Int64> = []
        /// All interactions in the order that they are to have, and the numbers that they should have.
        fileprivate var order: [(number: Int64, wanted: Int64)] = []
    }

    private struct Recorded {
        let number: Int64
        let isWrite: Bool
        let entry: MergeEntry
    }

    /// Removes older interactions that are replaced, and newer ones that say nothing new.
    ///
    /// - Parameters:
    ///   - mode: of the run; those that replace nothing do nothing here.
    ///   - newest: the newest interaction when it began.
    static func settle(
        _ episode: Int64,
        _ mode: EpisodeMode,
        after newest: Int64,
        _ rules: RuleSet,
        _ db: Database,
        path: String
    ) throws -> Plan {
        guard mode == .all || mode == .rewrite else { return Plan() }
        let own = try recorded("episode_id = ?1", [.integer(episode)], rules, db, path: path)
        guard !own.isEmpty else { return Plan() }
        let replaced =
            mode == .all
            ? "episode_id <> ?1 AND id <= ?2 AND match_key IN (SELECT match_key FROM interaction WHERE episode_id = ?1)"
            : "id <= ?2 AND episode_id IN (SELECT id FROM episode WHERE id <> ?1 AND mode <> 'hand' AND state = 'kept')"
        let older = try recorded(replaced, [.integer(episode), .integer(newest)], rules, db, path: path)
        let newOfOld = aligned(older, own)
        var plan = Plan()
        // By number of an older interaction, what takes its place.
        var successors: [Int64: Int64] = [:]
        for (place, interaction) in older.enumerated() {
            guard let new = newOfOld[place] else {
                plan.isSame = false
                try delete(interaction.number, db)
                continue
            }
            plan.numbers[own[new].number] = interaction.number
            if own[new].entry.content == interaction.entry.content {
                plan.unchanged += 1
                plan.unchangedNumbers.insert(own[new].number)
                successors[interaction.number] = interaction.number
                try delete(own[new].number, db)
            } else {
                plan.isSame = false
                successors[interaction.number] = own[new].number
                try delete(interaction.number, db)
            }
        }
        plan.isSame = plan.isSame && plan.unchanged == own.count
        guard !plan.isSame else { return plan }
        plan.order = try order(own, Set(newOfOld.compactMap { $0 }), plan.numbers, successors, db)
        return plan
    }

    /// Gives the interactions the numbers that they should have.
    ///
    /// Not while somebody else records: what is older than their runs is known by its number.
    static func renumber(_ plan: inout Plan, _ episode: Int64, _ db: Database) throws {
        let others = "SELECT 1 FROM episode WHERE state = 'open' AND id <> ?1 LIMIT 1"
        guard try db.firstInteger(others, [.integer(episode)]) == nil else {
            plan.numbers = plan.numbers.filter { plan.unchangedNumbers.contains($0.key) }
            return
        }
        let order = RowOrder("interaction", wanted: plan.order.map(\.wanted))
        for (row, number) in zip(plan.order, order.numbers) { plan.numbers[row.number] = number }
        guard zip(plan.order, order.numbers).contains(where: { $0.number != $1 }) else { return }
        try order.apply(db, old: plan.order.map(\.number)) { _, _ in }
    }

    private static func delete(_ number: Int64, _ db: Database) throws {
        try db.query("DELETE FROM interaction WHERE id = ?1", [.integer(number)])
    }

    private static func recorded(
        _ condition: String,
        _ bindings: [Binding],
        _ rules: RuleSet,
        _ db: Database,
        path: String
    ) throws -> [Recorded] {
        var rows: [(number: Int64, method: [UInt8], key: [UInt8])] = []
        try db.query("SELECT id, method, match_key FROM interaction WHERE \(condition) ORDER BY id", bindings) { row in
            rows.append((row.integer(0), Array(row.text(1).utf8), row.bytes(2)))
            return true
        }
        return try rows.map { row in
            Recorded(
                number: row.number,
                isWrite: !RequestHead(method: row.method, target: []).isSafe,
                entry: MergeEntry(key: row.key, content: try AnswerSQL.digest(row.number, rules, db, path: path))
            )
        }
    }

    /// For each of the older ones, the newer one that stands for it at the same time: between the same writes.
    private static func aligned(_ older: [Recorded], _ newer: [Recorded]) -> [Int?] {
        let pairs = EntryPairs(older.map(\.entry), newer.map(\.entry)).newOfOld
        let writes = older.indices.filter { older[$0].isWrite && pairs[$0] != nil }
        let kept = Alignment.ascending(writes.map { pairs[$0] ?? 0 }).map { writes[$0] }
        let (keptOld, keptNew) = (Set(kept), Set(kept.compactMap { pairs[$0] }))
        func times(_ count: Int, _ writes: Set<Int>) -> [Int] {
            var time = 0
            return (0..<count).map { place in
                if writes.contains(place) { time += 1 }
                return time
            }
        }
        let (oldTimes, newTimes) = (times(older.count, keptOld), times(newer.count, keptNew))
        return older.indices.map { place in
            guard let other = pairs[place] else { return nil }
            if older[place].isWrite { return keptOld.contains(place) ? other : nil }
            return oldTimes[place] == newTimes[other] ? other : nil
        }
    }

    /// What has taken the place of an older one is there; what is new comes after what it was recorded after, and at the end
    /// after everything.
    private static func order(
        _ own: [Recorded],
        _ aligned: Set<Int>,
        _ numbers: [Int64: Int64],
        _ successors: [Int64: Int64],
        _ db: Database
    ) throws -> [(number: Int64, wanted: Int64)] {
        let lastAligned = aligned.max() ?? -1
        // By the place that it comes after; zero is the front of what was recorded again.
        var following: [Int64: [Int64]] = [:]
        var end: [Int64] = []
        var anchor: Int64 = 0
        for (place, interaction) in own.enumerated() {
            if aligned.contains(place) {
                anchor = numbers[interaction.number] ?? anchor
            } else if place > lastAligned {
                end.append(interaction.number)
            } else {
                following[anchor, default: []].append(interaction.number)
            }
        }
        let front = successors.keys.min()
        let moved = Set(successors.values).union(own.map(\.number))
        var slots = Array(successors.keys)
        try db.query("SELECT id FROM interaction ORDER BY id") { row in
            if !moved.contains(row.integer(0)) { slots.append(row.integer(0)) }
            return true
        }
        var order: [(number: Int64, wanted: Int64)] = []
        for slot in slots.sorted() {
            // A place is wanted only by who has it; the others come after it.
            if slot == front { order += (following[0] ?? []).map { ($0, slot) } }
            order.append((successors[slot] ?? slot, slot))
            order += (following[slot] ?? []).map { ($0, slot) }
        }
        return order + end.map { ($0, $0) }
    }
}
