import GRDB
import HTTPMessages
import MockServeCore

/// What a merge did to our version.
package struct MergeOutcome: Sendable, Equatable {
    package var added = 0
    package var changed = 0
    package var removed = 0
    package var conflicts: [Conflict] = []
}

/// Merges cassettes three ways: by interaction and by stub, with rules, upstreams and bodies.
package enum CassetteMerger {
    /// Merges their version into ours, in one transaction.
    ///
    /// - Parameters:
    ///   - base: what both come from; nil if they have nothing in common.
    ///   - allowsConflicts: whether either may have conflicts, as what git makes of several things that branches come from: the
    ///     result is then such a thing, and nothing that anybody keeps.
    ///   - path: our version, which becomes the result.
    /// - Returns: what changed, and the conflicts, which stay in the file with both sides.
    /// - Throws: `CassetteError`; then nothing was changed.
    package static func merge(
        base: CassetteReader?,
        theirs: CassetteReader,
        allowsConflicts: Bool = false,
        into path: String
    ) throws -> MergeOutcome {
        if !allowsConflicts, let error = CassetteError.unresolved(try theirs.conflicts(), path: theirs.path) {
            throw error
        }
        return try CassetteEditor.change(path, allowsConflicts: allowsConflicts) { db in
            try EpisodeSQL.refuseWhileOpen(db, path: path)
            return try theirs.read { other in
                func merge(_ base: Database?) throws -> MergeOutcome {
                    var merge = Merge(base, db, other, path: path, theirs: theirs)
                    return try merge.run()
                }
                guard let base else { return try merge(nil) }
                return try base.read { try merge($0) }
            }
        }
    }

    /// Settles conflicts.
    ///
    /// - Parameter numbers: nil for all.
    /// - Returns: those that were settled.
    /// - Throws: `CassetteError`, also if there is no conflict with a number; then nothing was changed.
    package static func resolve(
        _ choice: ConflictChoice,
        _ numbers: Set<Int64>?,
        isDryRun: Bool = false,
        in path: String
    ) throws -> [Conflict] {
        try CassetteEditor.change(path, allowsConflicts: true, isDryRun: isDryRun) { db in
            let all = try ConflictSQL.all(db)
            if let missing = numbers?.subtracting(all.map(\.number)).min() {
                throw CassetteError(.unreadable, path: path, "has no conflict \(missing); nothing was changed.")
            }
            let chosen = all.filter { numbers?.contains($0.number) ?? true }
            for conflict in chosen { try ConflictSQL.settle(conflict, choice, db) }
            try EpisodeSQL.removeUnused(db)
            return chosen
        }
    }
}

/// One merge, within a transaction of our cassette.
private struct Merge {
    private let base: Database?
    private let ours: Database
    private let theirs: Database
    private let path: String
    private let reader: CassetteReader
    private var outcome = MergeOutcome()

    init(_ base: Database?, _ ours: Database, _ theirs: Database, path: String, theirs reader: CassetteReader) {
        (self.base, self.ours, self.theirs, self.path, self.reader) = (base, ours, theirs, path, reader)
    }

    mutating func run() throws -> MergeOutcome {
        let before = try RuleSQL.all(ours, path: path).rules
        try mergeRules()
        try mergeUpstreams()
        try PlaceholderSQL.refuseMixed(base, ours, path: path, theirs, path: reader.path)
        try PlaceholderSQL.raise(try PlaceholderSQL.last(theirs), ours)
        let rules = try RuleSQL.all(ours, path: path)
        try mergeInteractions(rules)
        try merge("stub", .stub, MergeEntries.stubs) { _, _ in false }
        // Keys depend on the rules.
        let theirRules = try RuleSQL.all(theirs, path: reader.path).rules
        if before != rules.rules || theirRules != rules.rules {
            _ = try RuleSQL.recomputeKeys(ours, path: path)
        }
        let hasOthers = before != rules.rules || theirRules != rules.rules
        if hasOthers,
            let redactor = try RuleSQL.all(ours, path: path, secrets: KnownSecrets([], learned: LearnedSecrets()))
                .redactor
        {
            // What one side had before the other's rules.
            let book = PlaceholderBook(try PlaceholderSQL.last(ours))
            try RedactionSQL.redactAll(redactor, rules, ours, path: path, book).refuse(path: path)
        }
        try EpisodeSQL.removeUnused(ours)
        return outcome
    }

    // MARK: Interactions and stubs

    private mutating func mergeInteractions(_ rules: RuleSet) throws {
        let path = path
        // Where other rules hold, other keys were kept.
        func entries(_ db: Database) throws -> MergeEntries {
            guard try RuleSQL.all(db, path: path).rules != rules.rules else { return try MergeEntries.interactions(db) }
            return try MergeEntries.interactions(db, rules, path: path)
        }
        let (ours, theirs) = (ours, theirs)
        try merge("interaction", .interaction, entries) { our, their in
            try AnswerSQL.digest(our, rules, ours, path: path) == AnswerSQL.digest(their, rules, theirs, path: path)
                && RequestSQL.digest(our, ours, path: path) == RequestSQL.digest(their, theirs, path: path)
        }
    }

    /// - Parameter isAlike: takes the number of one of ours and of one of theirs.
    private mutating func merge(
        _ table: String,
        _ kind: Conflict.Kind,
        _ entries: (Database) throws -> MergeEntries,
        isAlike: (Int64, Int64) throws -> Bool
    ) throws {
        let (mine, other) = (try entries(ours), try entries(theirs))
        let old =
            try base.map { try entries($0).settling(try ConflictSQL.all($0).filter { $0.kind == kind }) }
            ?? MergeEntries()
        let plan = try MergePlan(base: old.entries, ours: mine.entries, theirs: other.entries) {
            try isAlike(mine.numbers[$0], other.numbers[$1])
        }
        // What is to be there, in order: a number of ours, or one of theirs.
        var rows: [(ours: Int64?, theirs: Int64?)] = []
        var conflicts: [(ours: Int?, theirs: Int?)] = []
        for item in plan.items {
            switch item {
            case .ours(let place): rows.append((mine.numbers[place], nil))
            case .theirs(let place): rows.append((nil, other.numbers[place]))
            case .conflict(let our, let their):
                if let our { rows.append((mine.numbers[our], nil)) }
                let first = our.map { _ in rows.count - 1 }
                if let their { rows.append((nil, other.numbers[their])) }
                conflicts.append((first, their.map { _ in rows.count - 1 }))
            }
        }
        let kept = Set(rows.compactMap(\.ours))
        let gone = mine.numbers.filter { !kept.contains($0) }
        for number in gone { try ours.query("DELETE FROM \(table) WHERE id = ?1", [.integer(number)]) }
        if kind == .interaction {
            try ours.query("DELETE FROM message WHERE interaction_id NOT IN (SELECT id FROM interaction)")
        }
        let places = Dictionary(uniqueKeysWithValues: zip(mine.numbers, mine.entries.map(\.key)))
        var goneKeys = Dictionary(grouping: gone) { places[$0] ?? [] }.mapValues(\.count)
        let theirKeys = Dictionary(uniqueKeysWithValues: zip(other.numbers, other.entries.map(\.key)))
        for number in rows.compactMap(\.theirs) {
            let key = theirKeys[number] ?? []
            // What answers the same requests is the same thing, changed.
            if let left = goneKeys[key], left > 0 {
                goneKeys[key] = left - 1
                outcome.changed += 1
            } else {
                outcome.added += 1
            }
        }
        outcome.removed += goneKeys.values.reduce(0, +)
        let order = RowOrder(table, wanted: rows.map { $0.ours ?? $0.theirs ?? 0 })
        var copy = try RowCopy(from: theirs, to: ours)
        try order.apply(ours, old: rows.map(\.ours)) { place, number in
            guard let source = rows[place].theirs else { return }
            if kind == .stub { try copy.stub(source, as: number) } else { try copy.interaction(source, as: number) }
        }
        try ConflictSQL.follow(kind, rows.map(\.ours), order.numbers, ours)
        for conflict in try ConflictSQL.all(theirs) where conflict.kind == kind {
            let numbers = [conflict.ours, conflict.theirs].map { number in
                number.flatMap { number in rows.firstIndex { $0.theirs == number } }.map { order.numbers[$0] }
            }
            // What both sides know is a conflict of ours.
            if let our = numbers[0], let their = numbers[1] {
                try ConflictSQL.add(kind, ours: our, theirs: their, ours)
            }
        }
        for conflict in conflicts {
            let (our, their) = (conflict.ours.map { order.numbers[$0] }, conflict.theirs.map { order.numbers[$0] })
            try ConflictSQL.add(kind, ours: our, theirs: their, ours)
        }
        outcome.conflicts = try ConflictSQL.all(ours)
    }

    // MARK: Rules and upstreams

    private func mergeRules() throws {
        let old = try base.map { try RuleSQL.numbered($0, path: path).map(\.rule) } ?? []
        let mine = try RuleSQL.numbered(ours, path: path)
        let other = try RuleSQL.numbered(theirs, path: reader.path).map(\.rule)
        for (number, rule) in mine where old.contains(rule) && !other.contains(rule) && !Self.isOfAll(rule) {
            try ours.query("DELETE FROM rule WHERE id = ?1", [.integer(number)])
        }
        // Keys and redaction have one version in a cassette: ours.
        let added = other.filter { rule in
            !old.contains(rule)
                && !mine.contains { $0.rule == rule || Self.isOfAll(rule) && Self.isSameKind($0.rule, rule) }
        }
        _ = try RuleSQL.add(added, ours, path: path)
    }

    private static func isOfAll(_ rule: Rule) -> Bool { rule.isDefaultRedaction || rule.keyVersion != nil }

    private static func isSameKind(_ left: Rule, _ right: Rule) -> Bool {
        left.isDefaultRedaction && right.isDefaultRedaction || left.keyVersion != nil && right.keyVersion != nil
    }

    private func mergeUpstreams() throws {
        let old = try base.map { try CassetteReader.upstreams($0, path: path) } ?? []
        let other = try CassetteReader.upstreams(theirs, path: reader.path)
        try EpisodeSQL.register(other.filter { !old.contains($0) }, ours, path: path)
        for upstream in old where !other.contains(upstream) {
            let sql =
                "DELETE FROM upstream WHERE origin = ?1 AND name = ?2 AND origin NOT IN (SELECT origin FROM interaction)"
            try ours.query(sql, [.text(upstream.origin.description), .text(upstream.name)])
        }
    }
}
