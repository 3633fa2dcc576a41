/// Writes an object with a long list in it, element by element, as JSON or YAML.
struct DataList {
    private let style: DataText.Style
    private let export: FormatExport
    private let name: String
    private let before: [(name: String, value: DataNode)]
    private(set) var count = 0

    /// - Parameters:
    ///   - name: of the list.
    ///   - before: members in front of it.
    init(
        in name: String,
        after before: KeyValuePairs<String, DataNode> = [:],
        _ style: DataText.Style,
        _ export: FormatExport
    ) {
        (self.name, self.style, self.export) = (name, style, export)
        self.before = before.map { ($0.key, $0.value) }
    }

    private var isYAML: Bool { if case .yaml = style { true } else { false } }

    private func begin() throws {
        guard isYAML else {
            let members = before.map {
                #""\#($0.name)": "# + String(decoding: DataText.bytes($0.value, .compactJSON), as: UTF8.self)
            }
            return try export.write("{" + (members + [#""\#(name)": ["#]).joined(separator: ", "))
        }
        try export.write("---\n")
        try writeMembers(before)
        try export.write("\(name):\n")
    }

    private func writeMembers(_ members: [(name: String, value: DataNode)]) throws {
        guard !members.isEmpty else { return }
        try export.write(DataText.bytes(.object(members), style) + [0x0A])
    }

    mutating func write(_ element: DataNode) throws {
        if count == 0 { try begin() }
        if isYAML {
            try export.write("- ")
            try export.write(DataText.bytes(element, style, depth: 1))
            try export.write("\n")
        } else {
            try export.write(count == 0 ? "\n" : ",\n")
            try export.write(DataText.bytes(element, style))
        }
        count += 1
    }

    /// - Parameter after: members behind the list.
    func end(_ after: KeyValuePairs<String, DataNode> = [:]) throws {
        let members = after.map { (name: $0.key, value: $0.value) }
        if count == 0 { try begin() }
        guard isYAML else {
            let rest = members.map {
                #", "\#($0.name)": "# + String(decoding: DataText.bytes($0.value, .compactJSON), as: UTF8.self)
            }
            return try export.write((count == 0 ? "" : "\n") + "]" + rest.joined() + "}\n")
        }
        if count == 0 { try export.write("  []\n") }
        try writeMembers(members)
    }
}
