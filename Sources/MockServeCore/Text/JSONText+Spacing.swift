import Foundation

extension JSONText {
    /// The same JSON with line breaks; nil if `bytes` are not JSON.
    package static func pretty(_ bytes: [UInt8]) -> String? {
        indented(bytes).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The same as bytes.
    package static func indented(_ bytes: [UInt8]) -> [UInt8]? { IndentedJSON.indent(bytes) }

    /// The same JSON without white space between its tokens; nil if `bytes` are not JSON.
    package static func compact(_ bytes: [UInt8]) -> [UInt8]? {
        guard IndentedJSON.isJSON(bytes) else { return nil }
        var output: [UInt8] = []
        var isInString = false
        var isEscaped = false
        for byte in bytes {
            if !isInString, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { continue }
            output.append(byte)
            if isEscaped {
                isEscaped = false
            } else if isInString, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString.toggle()
            }
        }
        return output
    }
}

/// Indents JSON without touching its tokens: order, number spelling and escapes stay.
private enum IndentedJSON {
    static func isJSON(_ bytes: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
    }

    static func indent(_ bytes: [UInt8]) -> [UInt8]? {
        guard isJSON(bytes) else { return nil }
        var output: [UInt8] = []
        var depth = 0
        var isInString = false
        var isEscaped = false
        var previous: UInt8 = 0
        func newLine() { output += [0x0A] + Array(repeating: 0x20, count: depth * 2) }
        for byte in bytes {
            if isInString {
                output.append(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                if previous == UInt8(ascii: "{") || previous == UInt8(ascii: "[") { newLine() }
                output.append(byte)
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if previous != UInt8(ascii: "{") && previous != UInt8(ascii: "[") { newLine() }
                output.append(byte)
            case UInt8(ascii: ","):
                output.append(byte)
                newLine()
            case UInt8(ascii: ":"): output += ": ".utf8
            default:
                if previous == UInt8(ascii: "{") || previous == UInt8(ascii: "[") { newLine() }
                isInString = byte == UInt8(ascii: "\"")
                output.append(byte)
            }
            previous = byte
        }
        return output
    }
}
