package import HTTPMessages
import CassetteSchema
import GRDB
package import MockServeCore
import Synchronization

/// A server that was recorded from.
package struct Upstream: Sendable, Hashable {
    /// `default`, or the name given with `--upstream NAME=URL`.
    package let name: String
    package let origin: Origin

    package init(name: String, origin: Origin) {
        self.name = name
        self.origin = origin
    }
}

/// Reads a cassette on a connection of its own. Any number of readers and writers may be open at once.
package final class CassetteReader: Sendable {
    package let path: String
    let queue: DatabaseQueue
    /// For near misses.
    let callDigests = Mutex(CallDigests())

    /// Opens an existing cassette, also on a read-only file system. Writes only to roll back an interrupted change.
    ///
    /// - Throws: `CassetteError`.
    package convenience init(path: String) throws { try self.init(path: path, keepsTransactions: false) }

    /// - Parameter keepsTransactions: whether a transaction may stay open between two uses of the connection.
    init(path: String, keepsTransactions: Bool) throws {
        self.path = path
        try CassetteFile.checkKind(path)
        do {
            queue = try CassetteFile.retryingWhileBusy {
                try CassetteFile.mendingRemains(path) {
                    var configuration = CassetteFile.configuration(isReadOnly: true)
                    configuration.allowsUnsafeTransactions = keepsTransactions
                    let queue = try DatabaseQueue(path: CassetteFile.databasePath(path), configuration: configuration)
                    try queue.inDatabase { try CassetteFile.check($0, path: path) }
                    return queue
                }
            }
        } catch {
            throw CassetteFile.explain(error, path: path, .unreadable)
        }
    }

    package func close() {
        // Nothing is written on this connection, so a failed close loses nothing.
        try? queue.close()
    }

    func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
        do {
            return try queue.inDatabase(body)
        } catch let error as InteractionRow.Malformed {
            throw CassetteFile.explain(error, path: path)
        } catch {
            throw CassetteFile.explain(error, path: path, .unreadable)
        }
    }

    /// When the first interaction was recorded, in milliseconds since 1970 UTC; nil if there is none.
    package func recordedAt() throws -> Int64? {
        try read { try $0.firstInteger("SELECT recorded_at FROM interaction ORDER BY id LIMIT 1") }
    }

    /// The servers recorded from, in the order in which they were added.
    package func upstreams() throws -> [Upstream] {
        try read { try Self.upstreams($0, path: path) }
    }

    static func upstreams(_ db: Database, path: String) throws -> [Upstream] {
        var upstreams: [Upstream] = []
        try db.query("SELECT name, origin FROM upstream ORDER BY id LIMIT 1000") { row in
            guard let origin = Origin(row.text(1)) else {
                throw CassetteError(.damaged, path: path, "is damaged: `\(row.text(1))` is not an origin.")
            }
            upstreams.append(Upstream(name: row.text(0), origin: origin))
            return true
        }
        return upstreams
    }

    /// Calls `body` with every row of a query.
    func eachRow(_ sql: String, _ bindings: [Binding], _ body: (RowView) -> Void) throws {
        try read { db in
            try db.query(sql, bindings) { row in
                body(row)
                return true
            }
        }
    }

    /// The rules of the cassette.
    package func rules(secrets: KnownSecrets = KnownSecrets()) throws -> RuleSet {
        try read { try RuleSQL.all($0, path: path, secrets: secrets) }
    }

    /// The rules with their numbers, in the order in which they were added.
    package func numberedRules() throws -> [(number: Int64, rule: Rule)] {
        try read { try RuleSQL.numbered($0, path: path) }
    }

    /// What each of several sets of rules would change if it were added; nothing is written. Computes the keys of all
    /// interactions.
    ///
    /// - Returns: nil if there are more than `limit` interactions (nil is no limit).
    package func preview(_ sets: [[Rule]], limit: Int?) throws -> [KeyChanges]? {
        try read { try RuleSQL.preview(sets, limit: limit.map { Int64($0) }, $0, path: path) }
    }

    /// Those of these rules that the cassette does not have.
    package func lacking(_ rules: [Rule]) throws -> [Rule] {
        let own = Set(try numberedRules().map(\.rule))
        return rules.filter { rule in !own.contains { rule.isMet(by: $0) } }
    }

    /// The number that a query returns; nil if it returns none.
    func number(_ sql: String, _ bindings: [Binding]) throws -> Int64? {
        try read { try $0.firstInteger(sql, bindings) }
    }

    /// The text that a query returns; nil if it returns none.
    func text(_ sql: String, _ bindings: [Binding]) throws -> String? {
        try read { db in
            var text: String?
            try db.query(sql, bindings) { row in
                text = row.text(0)
                return false
            }
            return text
        }
    }

    /// Interactions that were written by hand.
    package func handWritten() throws -> Set<Int64> {
        var numbers: Set<Int64> = []
        let sql = "SELECT interaction.id FROM interaction JOIN episode ON episode.id = episode_id WHERE mode = 'hand'"
        try eachRow(sql, []) { numbers.insert($0.integer(0)) }
        return numbers
    }

    /// The recording run of every interaction.
    package func episodes() throws -> [Int64: Int64] {
        var episodes: [Int64: Int64] = [:]
        try eachRow("SELECT id, episode_id FROM interaction", []) { episodes[$0.integer(0)] = $0.integer(1) }
        return episodes
    }

    /// Calls `body` with the number, method and target of every interaction, in recording order.
    package func eachNumber(_ body: (Int64, String, String) -> Void) throws {
        try eachRow("SELECT id, method, target FROM interaction ORDER BY id", []) { row in
            body(row.integer(0), row.text(1), row.text(2))
        }
    }

    /// How many interactions there are. Counts them: not for the hot path.
    package func count() throws -> Int {
        try read { Int(try $0.firstInteger("SELECT count(*) FROM interaction") ?? 0) }
    }

    /// The version of the schema that this program writes.
    package static let newestVersion = CassetteSchema.version

    /// The version of the schema of the file.
    package func version() throws -> Int { try read { Int(try $0.firstInteger("PRAGMA user_version") ?? 0) } }

    /// Whether every request finds its own answer.
    ///
    /// - Throws: `CassetteError` that names the first that does not.
    package func proveKeys() throws { try read { try RuleSQL.proveKeys($0, after: 0, without: [], path: path) } }

    /// Sizes and counts, each with its name.
    package func statistics() throws -> CassetteStatistics { try read { try CassetteStatistics($0) } }

    /// What SQLite finds wrong with the file; empty if it is whole.
    package func damage() throws -> [String] {
        try read { db in
            var found: [String] = []
            try db.query("PRAGMA integrity_check(10)") { row in
                found.append(row.text(0))
                return true
            }
            return found == ["ok"] ? [] : found
        }
    }

    package func isEmpty() throws -> Bool {
        try read { try $0.firstInteger("SELECT 1 FROM interaction LIMIT 1") == nil }
    }

    /// The number of the newest interaction; zero if there is none.
    package func newestID() throws -> Int64 {
        try read { try $0.firstInteger("SELECT max(id) FROM interaction") ?? 0 }
    }

    /// Whether there is an answer written by hand for any upstream.
    package func hasAnswersForAnyUpstream() throws -> Bool {
        try read { try Self.hasAnswersForAnyUpstream($0) }
    }

    static func hasAnswersForAnyUpstream(_ db: Database) throws -> Bool {
        let sql = "SELECT 1 FROM interaction INDEXED BY interaction_for_any_upstream WHERE origin = '' LIMIT 1"
        return try db.firstInteger(sql) != nil
    }

    /// What was redacted in an interaction: where, and the placeholders.
    package func redactions(of id: Int64) throws -> [(place: String, placeholder: String)] {
        let json = try text("SELECT redacted FROM interaction WHERE id = ?1 AND redacted IS NOT NULL", [.integer(id)])
        guard let json else { return [] }
        guard let redactions = RedactionsJSON.decode(json) else {
            throw CassetteFile.explain(InteractionRow.Malformed(column: "redacted", id: id), path: path)
        }
        return redactions
    }

    /// When an interaction was recorded; nil if there is none with this number.
    package func recordedAt(_ id: Int64) throws -> Int64? {
        try number("SELECT recorded_at FROM interaction WHERE id = ?1", [.integer(id)])
    }

    /// Whether any answer depends on fields of its request.
    static func hasVariants(_ db: Database) throws -> Bool {
        let sql = "SELECT 1 FROM interaction INDEXED BY interaction_by_vary WHERE vary IS NOT NULL LIMIT 1"
        return try db.firstInteger(sql) != nil
    }

    package func interaction(_ id: Int64) throws -> Interaction? {
        try read { db in
            var found: Interaction?
            let sql = "SELECT \(InteractionRow.columns) FROM \(InteractionRow.tables) WHERE interaction.id = ?1"
            try db.query(sql, [.integer(id)]) { row in
                found = try InteractionRow.decode(row)
                return false
            }
            return found
        }
    }

    /// Calls `body` with every interaction, in recording order, until it returns false. They are read in batches, so
    /// that memory is bounded and `body` may use this reader.
    package func forEach(_ body: (Interaction) throws -> Bool) throws {
        var last: Int64 = 0
        while true {
            let batch = try interactions(after: last, limit: 128)
            for interaction in batch {
                // In a damaged index, rows may repeat.
                guard interaction.id > last else {
                    throw CassetteError(.damaged, path: path, "is damaged: its interactions are out of order.")
                }
                guard try body(interaction) else { return }
                last = interaction.id
            }
            if batch.isEmpty { return }
        }
    }

    /// The same with those of some numbers, range by range.
    package func forEach(in ranges: [ClosedRange<Int64>], _ body: (Interaction) throws -> Void) throws {
        for range in ranges {
            var last = range.lowerBound - 1
            while let interaction = try interactions(after: last, limit: 1).first, interaction.id <= range.upperBound {
                try body(interaction)
                last = interaction.id
            }
        }
    }

    private func interactions(after id: Int64, limit: Int) throws -> [Interaction] {
        try read { db in
            var batch: [Interaction] = []
            let sql = """
                SELECT \(InteractionRow.columns) FROM \(InteractionRow.tables) WHERE interaction.id > ?1 \
                ORDER BY interaction.id LIMIT ?2
                """
            try db.query(sql, [.integer(id), .integer(Int64(limit))]) { row in
                batch.append(try InteractionRow.decode(row))
                return true
            }
            return batch
        }
    }

    /// Piece `number` of a body, counted from zero, `BodySlices.size` bytes each but the last.
    ///
    /// - Throws: `CassetteError` if the piece is missing or not as long as it must be.
    package func slice(_ number: Int, of body: BodyReference) throws -> [UInt8] {
        try read { try BodySQL.slice(number, of: body, $0, path: path) }
    }

    /// A whole body of at most `limit` bytes; nil if it is longer.
    package func bytes(of body: BodyReference?, limit: Int) throws -> [UInt8]? {
        guard let body else { return [] }
        return try read { try BodySQL.bytes(of: body, limit: limit, $0, path: path) }
    }
}
