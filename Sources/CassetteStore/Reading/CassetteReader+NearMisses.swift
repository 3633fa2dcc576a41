import GRDB
import HTTPMessages
package import MockServeCore
import Synchronization

extension CassetteReader {
    /// Interactions around a target, in the order of targets, that are looked at for a miss, and as many of the first
    /// ones. A cassette with no more interactions than this is looked at as a whole.
    private static let candidateLimit: Int64 = 256
    /// Targets of the same path with other queries that are looked at on either side of the one asked for.
    private static let queryLimit: Int64 = 3_072
    /// Nearest candidates whose requests are compared in full.
    private static let comparedLimit = 8
    /// How many of these are compared even if their bodies are long, and up to how many bytes.
    private static let longLimit = 3
    private static let longBodyLimit = 32 << 20
    /// How much farther than the nearest another may be to be reported: less than a path segment.
    private static let spread = 3

    /// A recorded request that was compared in full, and how far it is: by its head, and then by all of its content.
    private struct Compared {
        let nearMiss: NearMiss
        let distance: Int
        let partDistance: Int

        var order: (Int, Int, Int, Int64) {
            (distance, partDistance, nearMiss.differences.count, ~nearMiss.id)
        }
    }

    /// The recorded requests nearest to one that missed, nearest first.
    ///
    /// All interactions with the same method and target are ranked by their content (up to the limits of
    /// `CallDigests`). Apart from that, the time does not depend on the size of the cassette: only neighbours in the
    /// order of targets are looked at, which share the beginning of their paths.
    ///
    /// - Parameter keys: under which an answer was looked up; nil if that is not known.
    package func nearMisses(
        to asked: ComparedRequest,
        _ rules: RuleSet,
        keys: [MatchKey]? = nil,
        limit: Int
    ) throws -> [NearMiss] {
        let close = try candidates(asked, rules)
        let applying = rules.applying(toMethod: asked.head.method, target: Target(asked.head.target))
        let own = RequestParts(fields: asked.head.fields, body: asked.body, rules: applying)
        var compared: [Compared] = []
        for (index, candidate) in close.enumerated() {
            guard let interaction = try interaction(candidate.id) else { continue }
            let readsLong = index < Self.longLimit && asked.bodySize > NearMiss.bodyLimit
            let recorded = try compare(interaction, rules, readsLong: readsLong)
            let parts = RequestParts(fields: recorded.head.fields, body: recorded.body, rules: applying)
            let nearMiss = NearMiss(
                id: interaction.id,
                asked: asked,
                recorded: recorded,
                rules: rules,
                sharesKey: keys.map { $0.contains(interaction.content.matchKey) }
            )
            let distance = candidate.distance
            compared.append(Compared(nearMiss: nearMiss, distance: distance, partDistance: own.distance(to: parts)))
        }
        compared.sort { $0.order < $1.order }
        var seen: [[Difference]] = []
        return compared.map(\.nearMiss).filter { nearMiss in
            defer { seen.append(nearMiss.differences) }
            return !seen.contains(nearMiss.differences)
        }.prefix(limit).map { $0 }
    }

    /// What should be compared in full, nearest first.
    private func candidates(_ asked: ComparedRequest, _ rules: RuleSet) throws -> [(id: Int64, distance: Int)] {
        let calls = try read { db in
            try callDigests.withLock { try $0.nearest(to: asked, rules, limit: Self.comparedLimit, db) }
        }
        var found: [Int64: Int] = [:]
        for id in calls { found[id] = 0 }
        func add(_ condition: String, _ bindings: [Binding]) throws {
            try eachRow("SELECT id, method, target FROM interaction \(condition)", bindings) { row in
                guard found[row.integer(0)] == nil, let method = Latin1.bytes(row.text(1)),
                    let target = Latin1.bytes(row.text(2))
                else { return }
                // Those that were ranked already, and are farther than `calls`.
                if !calls.isEmpty, target == asked.head.target, method == asked.head.method { return }
                found[row.integer(0)] = NearMiss.distance(
                    method: asked.head.method,
                    target: asked.head.target,
                    toMethod: method,
                    target: target
                )
            }
        }
        for (condition, bindings) in Self.neighbours(of: asked.head) { try add(condition, bindings) }
        for id in try nearestQueries(asked.head.target) { try add("WHERE id = ?1", [.integer(id)]) }
        let ranks = Dictionary(uniqueKeysWithValues: calls.enumerated().map { ($1, $0) })
        // Of equally near ones, the newest is the most useful.
        let nearest = found.sorted { left, right in
            let (one, other) = (ranks[left.key] ?? calls.count, ranks[right.key] ?? calls.count)
            return (left.value, one, ~left.key) < (right.value, other, ~right.key)
        }
        let farthest = (nearest.first?.value ?? 0) + Self.spread
        return nearest.prefix(Self.comparedLimit).prefix { $0.value <= farthest }.map { ($0.key, $0.value) }
    }

    private static func neighbours(of head: RequestHead) -> [(String, [Binding])] {
        let half = Binding.integer(candidateLimit / 2)
        let (target, method) = (Binding.text(Latin1.string(head.target)), Binding.text(Latin1.string(head.method)))
        return [
            ("WHERE target = ?1 AND method < ?2 ORDER BY method DESC LIMIT ?3", [target, method, half]),
            ("WHERE target = ?1 AND method > ?2 ORDER BY method LIMIT ?3", [target, method, half]),
            ("WHERE target > ?1 ORDER BY target, id LIMIT ?2", [target, half]),
            ("WHERE target < ?1 ORDER BY target DESC, id DESC LIMIT ?2", [target, half]),
            ("ORDER BY id LIMIT ?1", [.integer(candidateLimit)]),
        ]
    }

    /// Interactions of the same path whose queries are nearest.
    private func nearestQueries(_ target: [UInt8]) throws -> [Int64] {
        let path = Latin1.string(Target(target).path)
        // All that begins with the path and `?` sorts before the path with `@`, the next character.
        let (low, high) = (Binding.text(path + "?"), Binding.text(path + "@"))
        var nearness = QueryNearness(to: target, limit: Self.comparedLimit)
        for condition in [
            "target > ?1 AND target < ?3 ORDER BY target LIMIT ?4",
            "target < ?1 AND target >= ?2 ORDER BY target DESC LIMIT ?4",
        ] {
            let sql = "SELECT id, target FROM interaction WHERE \(condition)"
            let own = Target(target).query == nil ? low : Binding.text(Latin1.string(target))
            try eachRow(sql, [own, low, high, .integer(Self.queryLimit)]) { row in
                row.withText(1) { nearness.add(row.integer(0), $0) }
            }
        }
        return nearness.take()
    }

    private func compare(_ interaction: Interaction, _ rules: RuleSet, readsLong: Bool) throws -> ComparedRequest {
        let builder = MatchKeyBuilder(interaction.request, rules)
        let limit = readsLong ? Self.longBodyLimit : NearMiss.bodyLimit
        let isRead = interaction.requestBody.map { $0.size <= limit } ?? true
        if let body = interaction.requestBody, isRead {
            for number in 0..<BodySlices.count(of: body.size) {
                let slice = try slice(number, of: body)
                slice.withUnsafeBytes { builder.update($0) }
            }
        }
        var compared = builder.compared(origin: interaction.content.origin)
        if !isRead { (compared.body, compared.bodySize) = (nil, interaction.requestBody?.size ?? 0) }
        return compared
    }
}
