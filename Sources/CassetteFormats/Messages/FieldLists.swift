import HTTPMessages

/// Fields as an object of lists: each name once, with all its values.
enum FieldLists {
    /// In the order of the first field of each name, and as that is spelled: case does not count.
    static func node(_ fields: Fields) -> DataNode { node(fields) { .textOrBytes($0) } }

    /// For formats without binary data: what is not UTF-8 is replaced.
    static func text(_ fields: Fields) -> DataNode { node(fields) { .text(String(decoding: $0, as: UTF8.self)) } }

    private static func node(_ fields: Fields, _ value: (ArraySlice<UInt8>) -> DataNode) -> DataNode {
        var numbers: [String: Int] = [:]
        var lists: [(name: String, values: [DataNode])] = []
        for field in fields {
            let name = String(decoding: field.name, as: UTF8.self)
            let value = value(field.value)
            let key = name.lowercased()
            if let number = numbers[key] {
                lists[number].values.append(value)
            } else {
                numbers[key] = lists.count
                lists.append((name, [value]))
            }
        }
        return .object(lists.map { ($0.name, .list($0.values)) })
    }

    /// Each name once, in lower case, with its values joined.
    static func joined(_ fields: Fields) -> DataNode {
        var names: [String] = []
        var values: [String: String] = [:]
        for field in fields {
            let name = String(decoding: field.name, as: UTF8.self).lowercased()
            let value = String(decoding: field.value, as: UTF8.self)
            if let known = values[name] {
                values[name] = known + (name == "cookie" ? "; " : ", ") + value
            } else {
                names.append(name)
                values[name] = value
            }
        }
        return .object(names.map { ($0, .text(values[$0] ?? "")) })
    }
}

extension Fields {
    /// Without those that say how a message is framed on its connection, which whoever sends it decides.
    var withoutFraming: Fields {
        let names: [StaticString] = [
            "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "trailer", "upgrade",
        ]
        return filter { field in !names.contains { field.isNamed($0) } }
    }
}
