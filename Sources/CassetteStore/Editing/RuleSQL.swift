import GRDB
import MockServeCore

/// The rules of a cassette, and the match keys that follow from them.
enum RuleSQL {
    /// Rules a cassette may hold; each costs time for every request.
    private static let limit = 1000

    static func all(_ db: Database, path: String, secrets: KnownSecrets = KnownSecrets()) throws -> RuleSet {
        let rules = RuleSet(try numbered(db, path: path).map(\.rule), secrets: secrets)
        do {
            try rules.redactor?.check()
        } catch {
            throw CassetteError(.unreadable, path: path, "cannot be redacted: \(error).")
        }
        return rules
    }

    static func numbered(_ db: Database, path: String) throws -> [(number: Int64, rule: Rule)] {
        var rules: [(number: Int64, rule: Rule)] = []
        let sql = "SELECT id, action, part, pattern, replacement, scope FROM rule ORDER BY id LIMIT ?1"
        try db.query(sql, [.integer(Int64(limit + 1))]) { row in
            guard rules.count < limit else {
                throw CassetteError(.damaged, path: path, "is damaged: it has more than \(limit) rules.")
            }
            do {
                rules.append((row.integer(0), try rule(row)))
            } catch let error as RuleError {
                throw CassetteError(.damaged, path: path, "is damaged: rule \(row.integer(0)): \(error).")
            }
            return true
        }
        return rules
    }

    private static func rule(_ row: RowView) throws -> Rule {
        guard let action = Rule.Action(rawValue: row.text(1)) else { throw RuleError("it has no known action") }
        let (pattern, scopeText) = (row.text(3), row.text(5))
        let scope = RequestPattern(scopeText)
        guard scope != nil || scopeText.isEmpty else { throw RuleError("`\(scopeText)` is no METHOD PATH") }
        let map = try pattern.isEmpty ? nil : ValueMap(pattern, to: row.text(4))
        return try Rule(action, part: row.text(2), map: map, scope: scope)
    }

    /// - Returns: whether any of them is new.
    static func add(_ rules: [Rule], _ db: Database, path: String) throws -> Bool {
        var hasNew = false
        let own = try numbered(db, path: path).map(\.rule)
        for rule in rules.filter({ rule in !own.contains { rule.isMet(by: $0) } }).map(\.salted) {
            let sql = """
                INSERT INTO rule (action, part, pattern, replacement, scope) VALUES (?1, ?2, ?3, ?4, ?5) \
                ON CONFLICT DO NOTHING
                """
            let values = [
                rule.action.rawValue, rule.partText, rule.map?.pattern ?? "", rule.map?.replacement ?? "",
                rule.scope?.text ?? "",
            ]
            try db.query(sql, values.map { .text($0) })
            hasNew = hasNew || db.changesCount > 0
        }
        return hasNew
    }

    /// Computes every match key anew.
    ///
    /// - Returns: what now matches the same requests, and what no longer does.
    static func recomputeKeys(_ db: Database, path: String) throws -> KeyChanges {
        let all = try all(db, path: path)
        var scopes = RuleScopes(all)
        var groups = KeyGroups()
        var last: Int64 = 0
        while let interaction = try next(db, after: last) {
            let before = interaction.content.matchKey
            let rules = try scopes.rules(for: interaction.id, db)
            let key = try self.key(of: interaction, rules, db, path: path)
            groups.add(interaction.id, before: before, after: key)
            var served: Set<Int> = []
            let sql = "SELECT redacted FROM interaction WHERE id = ?1 AND redacted IS NOT NULL"
            try db.query(sql, [.integer(interaction.id)]) { row in
                served = RedactionsJSON.served(row.text(0))
                return false
            }
            let variant = InteractionRow.variant(of: interaction.content, served: served, rules)
            try db.query(
                """
                UPDATE interaction SET match_key = ?2, vary = ?3, vary_key = ?4 WHERE id = ?1 \
                AND (match_key <> ?2 OR vary IS NOT ?3 OR vary_key IS NOT ?4)
                """,
                [
                    .integer(interaction.id), .bytes(key.bytes), variant.map { .text($0.names) } ?? .null,
                    variant.map { .bytes($0.key) } ?? .null,
                ]
            )
            last = interaction.id
        }
        return groups.changes
    }

    /// What each of several sets of rules would change if it were added; nothing is written.
    ///
    /// - Returns: nil if there are more than `limit` interactions (nil is no limit).
    static func preview(_ sets: [[Rule]], limit: Int64?, _ db: Database, path: String) throws -> [KeyChanges]? {
        if let limit {
            let sql = "SELECT 1 FROM interaction LIMIT 1 OFFSET ?1"
            guard try db.firstInteger(sql, [.integer(limit)]) == nil else { return nil }
        }
        let own = try all(db, path: path)
        let sets = sets.map { own.adding($0) }
        var groups = sets.map { _ in KeyGroups() }
        var last: Int64 = 0
        while let interaction = try next(db, after: last) {
            for (index, rules) in sets.enumerated() {
                let key = try self.key(of: interaction, rules, db, path: path)
                groups[index].add(interaction.id, before: interaction.content.matchKey, after: key)
            }
            last = interaction.id
        }
        return groups.map(\.changes)
    }

    /// The key that a request has under these rules; the recorded one if it cannot be computed again.
    static func key(
        of interaction: Interaction,
        _ rules: RuleSet,
        _ db: Database,
        path: String
    ) throws -> MatchKey {
        let builder = MatchKeyBuilder(interaction.request, rules)
        if let body = interaction.requestBody {
            for number in 0..<BodySlices.count(of: body.size) {
                let slice = try BodySQL.slice(number, of: body, db, path: path)
                slice.withUnsafeBytes { builder.update($0) }
            }
        }
        if builder.dependsOnCompression, try isRequestBodyRedacted(interaction.id, db) {
            return interaction.content.matchKey
        }
        return builder.key(origin: interaction.content.origin)
    }

    private static func isRequestBodyRedacted(_ id: Int64, _ db: Database) throws -> Bool {
        var isRedacted = false
        try db.query("SELECT redacted FROM interaction WHERE id = ?1 AND redacted IS NOT NULL", [.integer(id)]) { row in
            isRedacted = RedactionsJSON.decode(row.text(0))?.contains { $0.place == "request body" } ?? false
            return false
        }
        return isRedacted
    }

    /// Checks that a recording can be played: every request after number `last`, as it is in the cassette, must have
    /// the key under which its answer is looked up.
    ///
    /// - Parameter late: interactions that are left out.
    /// - Throws: `CassetteError` that names the first one that would miss its own recording.
    static func proveKeys(_ db: Database, after last: Int64, without late: Set<Int64>, path: String) throws {
        var scopes = RuleScopes(try all(db, path: path))
        let newestBefore = last
        // Where requests are told apart in order of first use, that begins with the first of their run.
        var last = scopes.areSeveral ? 0 : last
        while let interaction = try next(db, after: last) {
            let isExempt = late.contains(interaction.id) || interaction.id <= newestBefore
            let key = try key(of: interaction, try scopes.rules(for: interaction.id, db), db, path: path)
            guard isExempt || key == interaction.content.matchKey else {
                throw CassetteError(
                    .damaged,
                    path: path,
                    "interaction \(interaction.id) would not answer the request it was recorded from. Please report this."
                )
            }
            last = interaction.id
        }
    }

    static func next(_ db: Database, after id: Int64) throws -> Interaction? {
        var found: Interaction?
        let sql = """
            SELECT \(InteractionRow.columns) FROM \(InteractionRow.tables) WHERE interaction.id > ?1 \
            ORDER BY interaction.id LIMIT 1
            """
        try db.query(sql, [.integer(id)]) { row in
            found = try InteractionRow.decode(row)
            return false
        }
        return found
    }
}

/// The rules by which the keys of a cassette are computed. Where requests are told apart in order of first use, that begins
/// anew with every recording run, as it does with every replay.
private struct RuleScopes {
    private let rules: RuleSet
    private var byEpisode: [Int64: RuleSet] = [:]

    init(_ rules: RuleSet) { self.rules = rules }

    var areSeveral: Bool { rules.redactor?.tellsApart == true }

    mutating func rules(for number: Int64, _ db: Database) throws -> RuleSet {
        guard areSeveral else { return rules }
        let sql = "SELECT episode_id FROM interaction WHERE id = ?1"
        let episode = try db.firstInteger(sql, [.integer(number)]) ?? 0
        if let known = byEpisode[episode] { return known }
        let own = RuleSet(rules.rules)
        byEpisode[episode] = own
        return own
    }
}

/// What a change of rules did to a cassette.
package struct KeyChanges: Sendable, Equatable {
    /// Interactions that had different keys and now share one.
    package var merged: [[Int64]] = []
    /// Interactions that shared a key and now have different ones.
    package var parted: [[Int64]] = []
}

/// Interactions by their keys before and after.
private struct KeyGroups {
    private var before: [MatchKey: [(id: Int64, other: MatchKey)]] = [:]
    private var after: [MatchKey: [(id: Int64, other: MatchKey)]] = [:]

    mutating func add(_ id: Int64, before old: MatchKey, after new: MatchKey) {
        before[old, default: []].append((id, new))
        after[new, default: []].append((id, old))
    }

    var changes: KeyChanges { KeyChanges(merged: Self.mixed(after), parted: Self.mixed(before)) }

    private static func mixed(_ groups: [MatchKey: [(id: Int64, other: MatchKey)]]) -> [[Int64]] {
        groups.values.filter { Set($0.map(\.other)).count > 1 }.map { $0.map(\.id) }
            .sorted { $0[0] < $1[0] }
    }
}
