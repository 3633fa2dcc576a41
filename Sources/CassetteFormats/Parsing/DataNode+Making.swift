/// Values that are written.
extension DataNode {
    static let null = DataNode(.plain("null"), line: 0)

    static func text(_ text: String) -> DataNode { DataNode(.text(text), line: 0) }

    static func number(_ number: some BinaryInteger) -> DataNode { DataNode(.plain(String(number)), line: 0) }

    static func number(_ number: Double) -> DataNode {
        DataNode(.plain(number.isFinite ? String(number) : "0"), line: 0)
    }

    static func bool(_ value: Bool) -> DataNode { DataNode(.plain(value ? "true" : "false"), line: 0) }

    static func list(_ elements: [DataNode]) -> DataNode { DataNode(.list(elements), line: 0) }

    /// Members that are nil are left out.
    static func object(_ members: KeyValuePairs<String, DataNode?>) -> DataNode {
        DataNode(.map(members.compactMap { name, value in value.map { (name, $0) } }), line: 0)
    }

    static func object(_ members: [(name: String, value: DataNode)]) -> DataNode { DataNode(.map(members), line: 0) }

    /// Text if it is UTF-8, and otherwise binary data, which only YAML has.
    static func textOrBytes(_ bytes: some Collection<UInt8>) -> DataNode {
        String(validating: bytes, as: UTF8.self).map { .text($0) } ?? DataNode(.bytes(Array(bytes)), line: 0)
    }

    /// With `value` for a member of this name, which is added at the end if there is none.
    mutating func set(_ name: String, _ value: DataNode) {
        guard case .map(var members) = self.value else { return }
        if let index = members.firstIndex(where: { $0.name == name }) {
            members[index].value = value
        } else {
            members.append((name, value))
        }
        self = DataNode(.map(members), line: line)
    }
}

extension DataNode {
    /// Plain values of YAML that JSON does not have become texts of it.
    var quotingTexts: DataNode {
        switch value {
        case .plain(let text):
            isNull ? .null : bool.map { .bool($0) } ?? (isJSONNumber ? self : .text(text))
        case .text, .bytes: self
        case .list(let elements): DataNode(.list(elements.map(\.quotingTexts)), line: line)
        case .map(let members): DataNode(.map(members.map { ($0.name, $0.value.quotingTexts) }), line: line)
        }
    }
}
