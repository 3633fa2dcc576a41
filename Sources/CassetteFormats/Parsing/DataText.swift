import Foundation

/// Writes values as JSON or YAML.
struct DataText {
    enum Style {
        /// Indented by so many spaces.
        case json(indent: Int)
        /// In one line.
        case compactJSON
        /// - Parameter binary: how bytes are tagged, `!!binary` or `!binary`.
        case yaml(binary: String)
    }

    private(set) var bytes: [UInt8] = []
    private let style: Style

    private init(_ style: Style) { self.style = style }

    /// - Parameter depth: levels that the value stands in already. The first line is not indented.
    static func bytes(_ node: DataNode, _ style: Style, depth: Int = 0) -> [UInt8] {
        var text = DataText(style)
        switch style {
        case .json, .compactJSON: text.json(node, depth)
        case .yaml: text.yaml(node, depth)
        }
        return text.bytes
    }

    // MARK: JSON

    private mutating func json(_ node: DataNode, _ depth: Int) {
        switch node.value {
        case .plain(let text): bytes += text.utf8
        case .text(let text): string(text)
        case .bytes(let data): string(Data(data).base64EncodedString())
        case .list(let elements):
            jsonBlock("[", "]", depth, elements.count) { text, index in text.json(elements[index], depth + 1) }
        case .map(let members):
            jsonBlock("{", "}", depth, members.count) { text, index in
                text.string(members[index].name)
                if case .compactJSON = text.style { text.bytes.append(0x3A) } else { text.bytes += ": ".utf8 }
                text.json(members[index].value, depth + 1)
            }
        }
    }

    private mutating func jsonBlock(
        _ start: String,
        _ end: String,
        _ depth: Int,
        _ count: Int,
        _ write: (inout DataText, Int) -> Void
    ) {
        bytes += start.utf8
        for index in 0..<count {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            jsonBreak(depth + 1)
            write(&self, index)
        }
        if count > 0 { jsonBreak(depth) }
        bytes += end.utf8
    }

    private mutating func jsonBreak(_ depth: Int) {
        guard case .json(let indent) = style else { return }
        bytes.append(0x0A)
        bytes += repeatElement(0x20, count: depth * indent)
    }

    // MARK: YAML

    private static let longestName = 100

    /// Lists and mappings begin on the line that is there.
    private mutating func yaml(_ node: DataNode, _ depth: Int) {
        switch node.value {
        case .plain(let text): bytes += text.utf8
        case .text(let text): string(text)
        case .bytes(let data):
            guard case .yaml(let tag) = style else { return }
            bytes += "\(tag) \"\(Data(data).base64EncodedString())\"".utf8
        case .list(let elements):
            guard !elements.isEmpty else { return bytes += "[]".utf8 }
            for (index, element) in elements.enumerated() {
                if index > 0 { yamlBreak(depth) }
                bytes += "- ".utf8
                yaml(element, depth + 1)
            }
        case .map(let members):
            guard !members.isEmpty else { return bytes += "{}".utf8 }
            for (index, member) in members.enumerated() {
                if index > 0 { yamlBreak(depth) }
                // Readers take no longer name in front of a colon on its line.
                let isLong = member.name.utf8.count > Self.longestName
                if isLong { bytes += "? ".utf8 }
                if Self.isPlainName(member.name) { bytes += member.name.utf8 } else { string(member.name) }
                if isLong { yamlBreak(depth) }
                bytes.append(UInt8(ascii: ":"))
                if Self.isBlock(member.value) { yamlBreak(depth + 1) } else { bytes.append(0x20) }
                yaml(member.value, depth + 1)
            }
        }
    }

    private static func isBlock(_ node: DataNode) -> Bool {
        switch node.value {
        case .list(let elements): !elements.isEmpty
        case .map(let members): !members.isEmpty
        default: false
        }
    }

    private mutating func yamlBreak(_ depth: Int) {
        bytes.append(0x0A)
        bytes += repeatElement(0x20, count: depth * 2)
    }

    /// Whether a name means itself without quotation marks, also to readers of YAML 1.1.
    private static func isPlainName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (first | 0x20) &- 0x61 < 26,
            name.utf8.allSatisfy({ ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D || $0 == 0x5F })
        else { return false }
        return !["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(name.lowercased())
    }

    // MARK: Strings

    /// A string of JSON, which is a string of YAML as well.
    private mutating func string(_ text: String) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            bytes.reserveCapacity(bytes.count + utf8.count + 2)
            var start = 0
            for index in 0..<utf8.count {
                guard let escape = Self.escape(utf8, index) else { continue }
                // What is escaped has one, two or three bytes.
                guard index >= start else { continue }
                bytes.append(contentsOf: utf8[start..<index])
                bytes += escape.text.utf8
                start = index + escape.length
            }
            bytes.append(contentsOf: utf8[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Also of what JSON may have as it is, but YAML may not: DEL, U+0080 to U+009F, line separators, U+FEFF and U+FFFE.
    private static func escape(_ utf8: UnsafeBufferPointer<UInt8>, _ index: Int) -> (text: String, length: Int)? {
        func unicode(_ code: Int, _ length: Int) -> (String, Int) {
            let digits = String(code, radix: 16)
            return ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits, length)
        }
        switch utf8[index] {
        case UInt8(ascii: "\""): return ("\\\"", 1)
        case UInt8(ascii: "\\"): return ("\\\\", 1)
        case 0x0A: return ("\\n", 1)
        case 0x0D: return ("\\r", 1)
        case 0x09: return ("\\t", 1)
        case 0..<0x20, 0x7F: return unicode(Int(utf8[index]), 1)
        case 0xC2 where utf8[index + 1] < 0xA0: return unicode(Int(utf8[index + 1]), 2)
        case 0xE2 where utf8[index + 1] == 0x80 && utf8[index + 2] | 1 == 0xA9:
            return unicode(0x2028 + Int(utf8[index + 2] & 1), 3)
        case 0xEF where utf8[index + 1] == 0xBB && utf8[index + 2] == 0xBF: return unicode(0xFEFF, 3)
        case 0xEF where utf8[index + 1] == 0xBF && utf8[index + 2] >= 0xBE:
            return unicode(0xFFFE + Int(utf8[index + 2] & 1), 3)
        default: return nil
        }
    }
}
