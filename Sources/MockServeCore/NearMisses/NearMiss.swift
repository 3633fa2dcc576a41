package import HTTPMessages

/// A part in which a request differs from a recorded one.
package struct Difference: Sendable, Equatable {
    /// `method`, `upstream`, `path`, `query:NAME`, `field:Range`, `json:PATH`, `form:NAME`, `part:NAME` or `body`;
    /// `match key` if only that differs.
    package let part: String
    /// What was asked; nil if the request has no such part.
    package let asked: String?
    /// What was recorded; nil if the recorded request has no such part.
    package let recorded: String?

    package init(_ part: String, asked: String?, recorded: String?) {
        self.part = part
        self.asked = asked
        self.recorded = recorded
    }
}

/// A request as it is compared to find near misses.
package struct ComparedRequest: Sendable {
    package var origin: String
    package var head: RequestHead
    /// Decoded, and at most `MatchKeyBuilder.structuredLimit` bytes as sent; nil if it is longer or not known.
    package var body: [UInt8]?
    /// Bytes of the whole body as sent.
    package var bodySize: Int
    /// Digests of the beginnings of a body that is not kept; see `BodyDigester`. Empty if nothing is known of it.
    var steps: [UInt64]

    package init(origin: String, head: RequestHead, body: [UInt8]?, bodySize: Int, steps: [UInt64] = []) {
        self.origin = origin
        self.head = head
        self.body = body
        self.bodySize = bodySize
        self.steps = steps
    }
}

extension ComparedRequest {
    /// The same with its secrets replaced.
    package func redacted(by rules: RuleSet) -> ComparedRequest {
        guard let redactor = rules.redactor?.applying(to: head) else { return self }
        var (copy, notes) = (self, RedactionNotes())
        copy.head = redactor.redact(head, nil, &notes)
        copy.body = body.map { redactor.redact(body: $0, head.fields, nil, &notes) }
        return copy
    }

    /// The key that the request has under other rules; nil if its body is not known.
    func key(_ rules: RuleSet, origin: String) -> MatchKey? {
        guard let body else { return nil }
        var head = head
        // The body is decoded already.
        head.fields = head.fields.filter { !$0.isNamed("content-encoding") }
        let builder = MatchKeyBuilder(head, rules)
        body.withUnsafeBytes { builder.update($0) }
        return builder.key(origin: origin)
    }
}

/// A recorded request that is close to one that missed, and what differs.
package struct NearMiss: Sendable {
    /// Bytes of a body that is compared in every candidate: 256 KiB. Longer ones are compared only in the very nearest.
    package static let bodyLimit = 256 << 10
    /// Bytes of a JSON text or a form that is compared part by part: 1 MiB.
    static let structureLimit = 1 << 20
    /// Differences that are listed for one body.
    static let bodyDifferences = 8
    /// Differences up to which rules are suggested that ignore them.
    private static let ignorableDifferences = 4

    /// Number of the interaction.
    package let id: Int64
    package let recorded: ComparedRequest
    /// Most telling first; none if the two requests match each other.
    package let differences: [Difference]
    /// Whether the two requests match each other, so that only the order of playback forbids the answer.
    package let isHeldBackByPlayback: Bool
    /// Rules, as they are written after `--ignore`, with which the recorded answer would be given. Empty if no such
    /// rules would do, or too many would be needed.
    package let ignorable: [String]

    /// - Parameters:
    ///   - rules: of the cassette; what they leave out is not a difference.
    ///   - sharesKey: whether the two have the same match key; nil if that is not known.
    package init(
        id: Int64,
        asked: ComparedRequest,
        recorded: ComparedRequest,
        rules: RuleSet = .none,
        sharesKey: Bool? = nil
    ) {
        let applying = rules.applying(toMethod: asked.head.method, target: Target(asked.head.target))
        self.id = id
        self.recorded = recorded
        var found = Self.heads(asked, recorded, applying) + Self.queries(asked.head, recorded.head, applying)
        if !applying.ignoresBody { found += BodyDifferences.find(asked, recorded, applying) }
        if found.isEmpty, sharesKey == false { found = [Self.rest(asked, recorded)] }
        let isSame = sharesKey ?? found.isEmpty
        // Between requests that are otherwise the same, the conditions may decide which answer is given.
        let conditions = isSame && rules.knowsConditions ? Self.conditions(asked.head.fields, recorded.head.fields) : []
        differences = found + conditions
        isHeldBackByPlayback = isSame && conditions.isEmpty
        ignorable = Self.ignorable(found, asked, recorded, rules)
    }

    /// How requests differ whose content is the same.
    private static func rest(_ asked: ComparedRequest, _ recorded: ComparedRequest) -> Difference {
        if let difference = BodyDifferences.bytes(asked, recorded) { return difference }
        let fields: [(String, StaticString)] = [
            ("Content-Type", "content-type"), ("Content-Encoding", "content-encoding"),
        ]
        for (name, field) in fields {
            let (one, other) = (asked.head.fields.values(field), recorded.head.fields.values(field))
            guard one != other else { continue }
            func text(_ values: [ArraySlice<UInt8>]) -> String? {
                values.isEmpty ? nil : values.map { Latin1.string($0) }.joined(separator: ", ")
            }
            return Difference("field:\(name)", asked: text(one), recorded: text(other))
        }
        return Difference("match key", asked: nil, recorded: nil)
    }

    private static func ignorable(
        _ differences: [Difference],
        _ asked: ComparedRequest,
        _ recorded: ComparedRequest,
        _ rules: RuleSet
    ) -> [String] {
        guard !differences.isEmpty, differences.count <= ignorableDifferences else { return [] }
        let kinds = ["query:", "json:", "form:", "part:"]
        guard differences.allSatisfy({ difference in kinds.contains { difference.part.hasPrefix($0) } }) else {
            return []
        }
        let parts = ignorableParts(differences)
        // Parsed as they would be written, because a name may look like a rule's ` for METHOD PATH`.
        let ignoring = parts.compactMap { part in (try? Rule(.ignore, part)).flatMap { $0.partText == part ? $0 : nil }
        }
        guard ignoring.count == parts.count, parts.allSatisfy(isTellable) else { return [] }
        // Proven, not guessed: under these rules both must have the same key.
        let more = rules.adding(ignoring)
        guard let key = asked.key(more, origin: recorded.origin), key == recorded.key(more, origin: recorded.origin)
        else { return [] }
        return parts
    }

    /// Whether it can be copied from a terminal into a command.
    private static func isTellable(_ part: String) -> Bool {
        part.count <= 200
            && part.unicodeScalars.allSatisfy {
                $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) && $0 != "\u{FFFD}"
            }
    }

    /// For arrays of different lengths, the whole array: an ignored element still takes up its place.
    private static func ignorableParts(_ differences: [Difference]) -> [String] {
        var arrays: [String] = []
        for difference in differences where difference.asked == nil || difference.recorded == nil {
            guard difference.part.hasPrefix("json:"), difference.part.last == "]",
                let bracket = difference.part.lastIndex(of: "["),
                difference.part[bracket...].dropFirst().dropLast().allSatisfy(\.isNumber)
            else { continue }
            let array = String(difference.part[..<bracket])
            if array != "json:$", !arrays.contains(array) { arrays.append(array) }
        }
        let others = differences.map(\.part).filter { part in
            !arrays.contains { part.hasPrefix($0 + "[") || part.hasPrefix($0 + ".") }
        }
        return others + arrays
    }

    private static func heads(
        _ asked: ComparedRequest,
        _ recorded: ComparedRequest,
        _ rules: RuleSet
    ) -> [Difference] {
        var found: [Difference] = []
        func compare(_ part: String, _ one: String?, _ other: String?) {
            if one != other { found.append(Difference(part, asked: one, recorded: other)) }
        }
        compare("method", Latin1.string(asked.head.method), Latin1.string(recorded.head.method))
        if !recorded.origin.isEmpty { compare("upstream", asked.origin, recorded.origin) }
        let (one, other) = (Target(asked.head.target), Target(recorded.head.target))
        if rules.counted(path: one.normalPath) != rules.counted(path: other.normalPath) {
            compare("path", Latin1.string(one.path), Latin1.string(other.path))
        }
        func range(_ head: RequestHead) -> String? { head.fields.first("range").map { Latin1.string($0) } }
        compare("field:Range", range(asked.head), range(recorded.head))
        if rules.keyVersion > 1 { found += operations(asked.head.fields, recorded.head.fields, rules) }
        for name in rules.requiredFields {
            func values(_ head: RequestHead) -> String? {
                let values = head.fields.filter { equalsIgnoringCase($0.name, name) }.map {
                    Latin1.string(rules.counted($0.value[...], of: name))
                }
                return values.isEmpty ? nil : values.joined(separator: ", ")
            }
            compare("field:\(Latin1.string(name))", values(asked.head), values(recorded.head))
        }
        return found
    }

    /// The fields that name the operation, as the key has them.
    private static func operations(_ asked: Fields, _ recorded: Fields, _ rules: RuleSet) -> [Difference] {
        func values(_ fields: Fields) -> [[UInt8]: [[UInt8]]] {
            Dictionary(grouping: OperationFields.pairs(of: fields, without: rules.ignoredFields), by: \.name)
                .mapValues { $0.map(\.value) }
        }
        return differences(values(asked), values(recorded))
    }

    /// The conditions, which distinguish requests that are otherwise the same.
    private static func conditions(_ asked: Fields, _ recorded: Fields) -> [Difference] {
        func values(_ fields: Fields) -> [[UInt8]: [[UInt8]]] {
            let names = Condition.names(in: fields).split(separator: ",").map { Array($0.utf8) }
            return Dictionary(
                uniqueKeysWithValues: names.map { name in
                    (name, fields.filter { equalsIgnoringCase($0.name, name) }.map { Array($0.value) })
                }
            )
        }
        return differences(values(asked), values(recorded))
    }

    private static func differences(_ one: [[UInt8]: [[UInt8]]], _ other: [[UInt8]: [[UInt8]]]) -> [Difference] {
        func text(_ values: [[UInt8]]?) -> String? {
            values.map { $0.map { Latin1.string($0) }.joined(separator: ", ") }
        }
        return Set(one.keys).union(other.keys).sorted { $0.lexicographicallyPrecedes($1) }
            .filter { one[$0] != other[$0] }
            .map { Difference("field:\(Latin1.string($0))", asked: text(one[$0]), recorded: text(other[$0])) }
    }

    private static func queries(_ asked: RequestHead, _ recorded: RequestHead, _ rules: RuleSet) -> [Difference] {
        PairDifferences.find(
            "query",
            rules.counted(Target(asked.target).pairs),
            rules.counted(Target(recorded.target).pairs)
        )
    }

    /// How far a recorded request is from the one asked for, by method and target only, which an index has: lower is
    /// nearer.
    package static func distance(
        method: [UInt8],
        target: [UInt8],
        toMethod otherMethod: [UInt8],
        target otherTarget: [UInt8]
    ) -> Int {
        let (one, other) = (Target(target), Target(otherTarget))
        let path = segmentDistance(one.path, other.path)
        let query = PairDifferences.find("query", one.pairs, other.pairs).count
        return (method == otherMethod ? 0 : 5) + path * 4 + query
    }

    /// Edit distance of two paths in segments, of which the first 32 count.
    private static func segmentDistance(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Int {
        let limit = 32
        let left = one.split(separator: UInt8(ascii: "/")).prefix(limit)
        let right = other.split(separator: UInt8(ascii: "/")).prefix(limit)
        var row = Array(0...right.count)
        for (index, segment) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, candidate) in right.enumerated() {
                let change = diagonal + (segment == candidate ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(change, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}

/// How the names and values of two queries or forms differ.
enum PairDifferences {
    static func find(_ kind: String, _ asked: [FormPair], _ recorded: [FormPair]) -> [Difference] {
        let (one, other) = (values(asked), values(recorded))
        let names = Set(one.keys).union(other.keys).sorted { $0.lexicographicallyPrecedes($1) }
        return names.compactMap { name in
            guard one[name] != other[name] else { return nil }
            return Difference("\(kind):\(Latin1.string(name))", asked: text(one[name]), recorded: text(other[name]))
        }
    }

    private static func values(_ pairs: [FormPair]) -> [[UInt8]: [[UInt8]]] {
        Dictionary(grouping: pairs, by: \.name).mapValues { pairs in
            pairs.map(\.value).sorted { $0.lexicographicallyPrecedes($1) }
        }
    }

    private static func text(_ values: [[UInt8]]?) -> String? {
        values.map { $0.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ") }
    }
}
