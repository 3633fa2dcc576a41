import MockServeCore

/// A schema of JSON that values were seen of: types, members, and which of them were always there.
struct InferredSchema {
    /// Members that are told apart; an object with more is taken for a map.
    private static let memberLimit = 200
    private static let depthLimit = 20

    private var count = 0
    private var types: Set<String> = []
    private var members: [String: InferredSchema] = [:]
    private var order: [String] = []
    private var isMap = false
    /// One element at most.
    private var elements: [InferredSchema] = []

    mutating func add(_ value: DataNode, _ depth: Int = 0) {
        count += 1
        switch value.value {
        case .plain(let text):
            types.insert(
                value.isNull
                    ? "null"
                    : value.bool != nil
                        ? "boolean" : text.contains(where: { ".eE".contains($0) }) ? "number" : "integer"
            )
        case .text, .bytes: types.insert("string")
        case .list(let values):
            types.insert("array")
            guard depth < Self.depthLimit else { return }
            var element = elements.first ?? InferredSchema()
            for value in values { element.add(value, depth + 1) }
            if element.count > 0 { elements = [element] }
        case .map(let values):
            types.insert("object")
            guard depth < Self.depthLimit, !isMap else { return }
            for (name, value) in values {
                if members[name] == nil { order.append(name) }
                members[name, default: InferredSchema()].add(value, depth + 1)
            }
            if members.count > Self.memberLimit {
                isMap = true
                (members, order) = ([:], [])
            }
        }
    }

    var node: DataNode {
        var types = self.types
        // Every integer is a number.
        if types.contains("number") { types.remove("integer") }
        var schema = DataNode.object([])
        let sorted = types.sorted()
        if sorted.count == 1 {
            schema.set("type", .text(sorted[0]))
        } else if !sorted.isEmpty {
            schema.set("type", .list(sorted.map { .text($0) }))
        }
        if let element = elements.first { schema.set("items", element.node) }
        if types.contains("array"), elements.isEmpty { schema.set("items", .object([])) }
        if !order.isEmpty {
            schema.set("properties", .object(order.map { ($0, members[$0]?.node ?? .null) }))
            // What was missing once is not required.
            let required = types.count == 1 ? order.filter { members[$0]?.count == count } : []
            if !required.isEmpty { schema.set("required", .list(required.map { .text($0) })) }
        }
        return schema
    }
}
