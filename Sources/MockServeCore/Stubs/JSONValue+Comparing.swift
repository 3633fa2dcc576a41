extension JSONValue {
    /// Elements of an array that are compared with each other in any order.
    private static let unorderedLimit = 1000

    /// Whether it is another value, whatever the order of the elements of arrays.
    ///
    /// - Parameter allowsMore: whether it may have more members and elements than the other one.
    package func matchesUnordered(_ other: JSONValue, allowsMore: Bool) -> Bool {
        switch (self, other) {
        case (.object(let own), .object(let wanted)):
            return (allowsMore || own.count == wanted.count)
                && wanted.allSatisfy { name, value in
                    own[name]?.matchesUnordered(value, allowsMore: allowsMore) ?? false
                }
        case (.array(var own), .array(let wanted)):
            guard allowsMore ? own.count >= wanted.count : own.count == wanted.count, own.count <= Self.unorderedLimit
            else {
                return false
            }
            for value in wanted {
                guard let found = own.firstIndex(where: { $0.matchesUnordered(value, allowsMore: allowsMore) }) else {
                    return false
                }
                own.remove(at: found)
            }
            return true
        default: return self == other
        }
    }

    /// The values under a path, in no particular order.
    func values(at path: JSONPath) -> [JSONValue] {
        var found: [JSONValue] = []
        collect(JSONPathMatch([path]), &found)
        return found
    }

    private func collect(_ match: JSONPathMatch, _ found: inout [JSONValue]) {
        guard !match.isEmpty else { return }
        if !match.selected.isEmpty { found.append(self) }
        switch self {
        case .object(let members):
            for (name, value) in members { value.collect(match.member(Array(name.utf8)), &found) }
        case .array(let elements):
            for (index, value) in elements.enumerated() { value.collect(match.element(index), &found) }
        default: break
        }
    }

    /// A string as it is; any other value as JSON.
    var plainText: [UInt8] { if case .string(let text) = self { Array(text.utf8) } else { text } }
}
