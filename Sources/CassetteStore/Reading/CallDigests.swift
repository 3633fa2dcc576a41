import GRDB
import HTTPMessages
import MockServeCore

/// The content of the calls of one target and method, as digests by which the nearest of them are found: `POST /` may
/// be every call of an API.
///
/// They are computed at the first miss for a target, at some microseconds for each interaction, and kept until the
/// cassette changes.
struct CallDigests: Sendable {
    /// Calls of one target that are listed: the newest.
    private static let listLimit: Int64 = 32_768
    /// Calls that are looked at. If there are more, or their bodies exceed `readLimit`, those nearest in size come
    /// first.
    private static let limit = 16_384
    /// Bytes of bodies that are read for one miss.
    private static let readLimit = 32 << 20
    /// Bytes of memory for what is kept.
    private static let memoryLimit = 32 << 20

    private struct Call {
        let id: Int64
        let size: Int
    }

    private var version: Int64?
    private var rules = RuleSet.none
    private var parts: [Int64: RequestParts] = [:]
    private var memory = 0

    /// Numbers of the interactions with the same method and target that are nearest to the request, nearest first.
    mutating func nearest(
        to asked: ComparedRequest,
        _ rules: RuleSet,
        limit: Int,
        _ db: Database
    ) throws -> [Int64] {
        try forgetIfChanged(rules, db)
        let rules = rules.applying(toMethod: asked.head.method, target: Target(asked.head.target))
        let own = RequestParts(fields: asked.head.fields, body: asked.body, rules: rules)
        let calls = try list(asked, db)
        if memory > Self.memoryLimit, calls.contains(where: { parts[$0.id] == nil }) { forget() }
        var (read, ranked) = (0, [(distance: Int, size: Int, id: Int64)]())
        for call in calls {
            let kept = try parts[call.id] ?? load(call, rules, &read, db)
            guard let kept else { continue }
            ranked.append((own.distance(to: kept), abs(call.size - asked.bodySize), call.id))
        }
        ranked.sort { ($0.distance, $0.size, ~$0.id) < ($1.distance, $1.size, ~$1.id) }
        return ranked.prefix(limit).map(\.id)
    }

    private mutating func forgetIfChanged(_ rules: RuleSet, _ db: Database) throws {
        let version = try db.firstInteger("PRAGMA data_version")
        let isSame = self.rules === rules || self.rules.rules == rules.rules && self.rules.redactor === rules.redactor
        if version != self.version || !isSame { forget() }
        (self.version, self.rules) = (version, rules)
    }

    private mutating func forget() {
        parts = [:]
        memory = 0
    }

    /// The calls to look at, those with bodies of the nearest sizes first if there are too many.
    private func list(_ asked: ComparedRequest, _ db: Database) throws -> [Call] {
        let sql = """
            SELECT call.id, body.size FROM (SELECT id, request_body_id FROM interaction \
            WHERE target = ?1 AND method = ?2 ORDER BY id DESC LIMIT ?3) AS call \
            LEFT JOIN body ON body.id = call.request_body_id
            """
        let bindings = [
            Binding.text(Latin1.string(asked.head.target)), .text(Latin1.string(asked.head.method)),
            .integer(Self.listLimit),
        ]
        var calls: [Call] = []
        try db.query(sql, bindings) { row in
            calls.append(Call(id: row.integer(0), size: Int(clamping: max(0, row.integer(1)))))
            return true
        }
        let total = calls.reduce(0) { $0 + min($1.size, NearMiss.bodyLimit) }
        guard calls.count > Self.limit || total > Self.readLimit else { return calls }
        let size = asked.bodySize
        return Array(calls.sorted { (abs($0.size - size), ~$0.id) < (abs($1.size - size), ~$1.id) }.prefix(Self.limit))
    }

    /// - Parameter read: bytes of bodies that have been read.
    /// - Returns: nil if too much has been read already.
    private mutating func load(
        _ call: Call,
        _ rules: RuleSet,
        _ read: inout Int,
        _ db: Database
    ) throws -> RequestParts? {
        guard read <= Self.readLimit else { return nil }
        let sql = """
            SELECT request_fields, bytes FROM interaction LEFT JOIN body ON body.id = request_body_id \
            AND body.size <= ?2 WHERE interaction.id = ?1
            """
        var made: RequestParts?
        try db.query(sql, [.integer(call.id), .integer(Int64(NearMiss.bodyLimit))]) { row in
            // Damage is reported where the interaction is read in full.
            let fields = row.withText(0) { FieldsJSON.decode($0) } ?? Fields()
            let bytes = row.isNull(1) ? nil : DecodedBody.decode(row.bytes(1), fields)
            made = RequestParts(fields: fields, body: bytes, rules: rules)
            return false
        }
        guard let made else { return nil }
        read += min(call.size, NearMiss.bodyLimit) + 512
        if memory <= Self.memoryLimit {
            parts[call.id] = made
            memory += made.memory + 32
        }
        return made
    }
}
