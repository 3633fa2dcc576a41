import HTTPWire
package import MockServeCore

extension CassetteReader {
    /// Interactions around a target in the order of targets, and the first ones of all, that are looked at for a miss. A
    /// cassette of no more interactions than this is looked at as a whole.
    private static let candidateLimit: Int64 = 256
    /// Nearest candidates whose requests are compared in full.
    private static let comparedLimit = 8
    /// How much farther than the nearest another may be to be told: less than a path segment.
    private static let spread = 3

    /// The recorded requests nearest to one that nothing answers, nearest first. Takes the same time whatever the size of the
    /// cassette: neighbours in the order of targets share the beginning of their paths.
    package func nearMisses(to asked: ComparedRequest, _ rules: RuleSet, keys: [MatchKey]? = nil, limit: Int) throws
        -> [NearMiss]
    {
        let target = Latin1.string(asked.head.target)
        var candidates: [Int64: Int] = [:]
        for (sql, bindings) in Self.candidateQueries(target) {
            try eachCandidate(sql, bindings) { id, method, target in
                candidates[id] = NearMiss.distance(
                    method: asked.head.method,
                    target: asked.head.target,
                    toMethod: method,
                    target: target
                )
            }
        }
        // Of equally near ones the newest says most.
        let nearest = candidates.sorted { $0.value == $1.value ? $0.key > $1.key : $0.value < $1.value }
        let farthest = (nearest.first?.value ?? 0) + Self.spread
        let close = nearest.prefix(Self.comparedLimit).prefix { $0.value <= farthest }
        let compared = try close.compactMap { id, distance in
            try interaction(id).map { interaction in
                let sharesKey = keys.map { $0.contains(interaction.exchanged.matchKey) }
                let recorded = try compare(interaction, rules)
                return (
                    distance, NearMiss(id: id, asked: asked, recorded: recorded, rules: rules, sharesKey: sharesKey)
                )
            }
        }
        // Requests that are told apart by their bodies only come in the order of how much of them differs.
        let ordered = compared.sorted { left, right in
            (left.0, left.1.differences.count, -left.1.id) < (right.0, right.1.differences.count, -right.1.id)
        }
        var seen: [[Difference]] = []
        return ordered.map(\.1).filter { nearMiss in
            defer { seen.append(nearMiss.differences) }
            return !seen.contains(nearMiss.differences)
        }.prefix(limit).map { $0 }
    }

    private static func candidateQueries(_ target: String) -> [(String, [Binding])] {
        let half = Binding.integer(candidateLimit / 2)
        return [
            ("WHERE target >= ?1 ORDER BY target, id LIMIT ?2", [.text(target), half]),
            ("WHERE target < ?1 ORDER BY target DESC, id DESC LIMIT ?2", [.text(target), half]),
            ("ORDER BY id LIMIT ?1", [.integer(candidateLimit)]),
        ]
    }

    private func eachCandidate(
        _ condition: String,
        _ bindings: [Binding],
        _ body: (Int64, [UInt8], [UInt8]) -> Void
    ) throws {
        try eachRow("SELECT id, method, target FROM interaction \(condition)", bindings) { row in
            guard let method = Latin1.bytes(row.text(1)), let target = Latin1.bytes(row.text(2)) else { return }
            body(row.integer(0), method, target)
        }
    }

    private func compare(_ interaction: Interaction, _ rules: RuleSet) throws -> ComparedRequest {
        let builder = MatchKeyBuilder(interaction.request, rules)
        let body = try bytes(of: interaction.requestBody, limit: MatchKeyBuilder.structuredLimit)
        body?.withUnsafeBytes { builder.update($0) }
        var compared = builder.compared(origin: interaction.exchanged.origin)
        if body == nil { (compared.body, compared.bodySize) = (nil, interaction.requestBody?.size ?? 0) }
        return compared
    }
}
