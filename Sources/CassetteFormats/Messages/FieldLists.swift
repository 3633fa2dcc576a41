import HTTPMessages

/// Fields as an object of lists: each name once, with all its values.
enum FieldLists {
    /// In the order of the first field of each name. Names are the same if they are spelled so.
    static func node(_ fields: Fields) -> DataNode { node(fields) { .textOrBytes($0) } }

    /// For formats without binary data: what is not UTF-8 is replaced.
    static func text(_ fields: Fields) -> DataNode { node(fields) { .text(String(decoding: $0, as: UTF8.self)) } }

    private static func node(_ fields: Fields, _ value: (ArraySlice<UInt8>) -> DataNode) -> DataNode {
        var numbers: [String: Int] = [:]
        var lists: [(name: String, values: [DataNode])] = []
        for field in fields {
            let name = String(decoding: field.name, as: UTF8.self)
            let value = value(field.value)
            if let number = numbers[name] {
                lists[number].values.append(value)
            } else {
                numbers[name] = lists.count
                lists.append((name, [value]))
            }
        }
        return .object(lists.map { ($0.name, .list($0.values)) })
    }

    /// Each name once, in lower case or as it is, with its values joined.
    static func joined(_ fields: Fields, lowercasesNames: Bool = false) -> DataNode {
        var names: [String] = []
        var values: [String: String] = [:]
        for field in fields {
            let spelled = String(decoding: field.name, as: UTF8.self)
            let name = lowercasesNames ? spelled.lowercased() : spelled
            let value = String(decoding: field.value, as: UTF8.self)
            if let known = values[name] {
                values[name] = known + (name.lowercased() == "cookie" ? "; " : ", ") + value
            } else {
                names.append(name)
                values[name] = value
            }
        }
        return .object(names.map { ($0, .text(values[$0] ?? "")) })
    }
}
