/// A value of JSON or YAML, with the line that it begins on. Mappings keep the order of their members.
package struct DataNode: Sendable {
    package enum Value: Sendable {
        /// Without quotation marks: a number, `true`, `null`, or a string of YAML.
        case plain(String)
        case text(String)
        /// `!!binary` of YAML.
        case bytes([UInt8])
        case list([DataNode])
        case map([(name: String, value: DataNode)])
    }

    package let value: Value
    package let line: Int

    package init(_ value: Value, line: Int) { (self.value, self.line) = (value, line) }

    // MARK: What it is

    package var isNull: Bool {
        guard case .plain(let text) = value else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// The text of a string, a number or a Boolean; nil for null and for others.
    package var text: String? {
        switch value {
        case .text(let text): text
        case .plain(let text): isNull ? nil : text
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        case .list, .map: nil
        }
    }

    /// The bytes of a text; nil for null and for others.
    package var bytes: [UInt8]? {
        if case .bytes(let bytes) = value { return bytes }
        return text.map { Array($0.utf8) }
    }

    package var integer: Int? {
        guard let text else { return nil }
        if let integer = Int(text) { return integer }
        // Some tools write every number with a fraction.
        return Double(text).flatMap { Int(exactly: $0.rounded()) }
    }

    package var number: Double? { text.flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil } }

    /// Whether it is a number as JSON spells it (RFC 8259 §6).
    var isJSONNumber: Bool {
        guard case .plain(let text) = value else { return false }
        return Self.isJSONNumber(Array(text.utf8))
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`
    static func isJSONNumber(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        func digits(_ rest: inout ArraySlice<UInt8>) -> Int {
            let count = rest.prefix { $0 &- 0x30 < 10 }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        let isZero = rest.first == UInt8(ascii: "0")
        let whole = digits(&rest)
        guard whole > 0, !isZero || whole == 1 else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            guard digits(&rest) > 0 else { return false }
        }
        if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
            guard digits(&rest) > 0 else { return false }
        }
        return rest.isEmpty
    }

    package var bool: Bool? {
        switch text {
        case "true", "True", "TRUE": true
        case "false", "False", "FALSE": false
        default: nil
        }
    }

    package var list: [DataNode]? { if case .list(let elements) = value { elements } else { nil } }

    package var members: [(name: String, value: DataNode)]? {
        if case .map(let members) = value { members } else { nil }
    }

    /// The member of this name; nil if there is none, or it is null.
    package subscript(_ name: String) -> DataNode? {
        guard case .map(let members) = value else { return nil }
        return members.last { $0.name == name }.flatMap { $0.value.isNull ? nil : $0.value }
    }

    /// Whether any text in it, or any name of a member, meets a condition.
    func containsText(where condition: (String) -> Bool) -> Bool {
        switch value {
        case .plain(let text), .text(let text): condition(text)
        case .bytes: false
        case .list(let elements): elements.contains { $0.containsText(where: condition) }
        case .map(let members): members.contains { condition($0.name) || $0.value.containsText(where: condition) }
        }
    }

    /// What it is, for messages.
    package var kind: String {
        switch value {
        case .plain: isNull ? "null" : "a plain value"
        case .text: "a string"
        case .bytes: "binary data"
        case .list: "a list"
        case .map: "an object"
        }
    }
}
