package import HTTPWire

/// A part in which a request differs from a recorded one.
package struct Difference: Sendable, Equatable {
    /// `method`, `upstream`, `path`, `query:NAME`, `field:Range`, `json:PATH`, `form:NAME` or `body`.
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

/// A request as near misses are told by it.
package struct ComparedRequest: Sendable {
    package var origin: String
    package var head: RequestHead
    /// Decoded, and at most `NearMiss.bodyLimit` bytes; nil if it is longer or not known.
    package var body: [UInt8]?
    /// Bytes of the whole body as sent.
    package var bodySize: Int

    package init(origin: String, head: RequestHead, body: [UInt8]?, bodySize: Int) {
        self.origin = origin
        self.head = head
        self.body = body
        self.bodySize = bodySize
    }
}

extension ComparedRequest {
    /// The same with its secrets replaced.
    package func redacted(by rules: RuleSet) -> ComparedRequest {
        guard let redactor = rules.redactor else { return self }
        var (copy, notes) = (self, RedactionNotes())
        copy.head = redactor.redact(head, nil, &notes)
        copy.body = body.map { redactor.redact(body: $0, head.fields, nil, &notes) }
        return copy
    }
}

/// A recorded request that is close to one nothing answers, and what differs.
package struct NearMiss: Sendable {
    /// Bytes of a body that are compared part by part: 256 KiB.
    package static let bodyLimit = 256 << 10
    /// Differences that are listed of one body.
    static let bodyDifferences = 8

    /// Number of the interaction.
    package let id: Int64
    package let recorded: ComparedRequest
    /// Most telling first; none if the two requests match each other.
    package let differences: [Difference]

    /// - Parameter rules: of the cassette; what they leave out is no difference.
    package init(id: Int64, asked: ComparedRequest, recorded: ComparedRequest, rules: RuleSet = .none) {
        let rules = rules.applying(toMethod: asked.head.method, target: Target(asked.head.target))
        self.id = id
        self.recorded = recorded
        differences =
            Self.heads(asked, recorded, rules) + Self.queries(asked.head, recorded.head, rules)
            + (rules.ignoresBody ? [] : BodyDifferences.find(asked, recorded, rules))
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

    private static func queries(_ asked: RequestHead, _ recorded: RequestHead, _ rules: RuleSet) -> [Difference] {
        PairDifferences.find(
            "query",
            rules.counted(Target(asked.target).pairs),
            rules.counted(Target(recorded.target).pairs)
        )
    }

    /// How far a recorded request is from the one asked for, by what an index can tell: lower is nearer.
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

    /// Edits that make one path the other, in segments; a segment of another spelling but alike counts half.
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

/// Names and values of queries and forms.
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
