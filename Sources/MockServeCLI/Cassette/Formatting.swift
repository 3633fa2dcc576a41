import Foundation
import MockServeCore

/// Sizes for people.
enum ByteCount {
    static func text(_ bytes: Int) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        var value = Double(bytes) / 1024
        for unit in ["KiB", "MiB"] {
            if value < 1024 { return tenths(value) + " " + unit }
            value /= 1024
        }
        return tenths(value) + " GiB"
    }

    private static func tenths(_ value: Double) -> String {
        value < 10 ? String((value * 10).rounded() / 10) : String(Int(value.rounded()))
    }
}

/// Times for people, UTC.
enum Timestamp {
    static func text(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
        let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return "\(date) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }
}

extension JSONText {
    /// The same JSON with line breaks; nil if `bytes` are not JSON.
    static func pretty(_ bytes: [UInt8]) -> String? {
        guard let indented = PrettyJSON.indent(bytes) else { return nil }
        return String(decoding: indented, as: UTF8.self)
    }
}

/// Indents JSON without touching its tokens: order, number spelling and escapes stay.
private enum PrettyJSON {
    static func indent(_ bytes: [UInt8]) -> [UInt8]? {
        guard (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil else {
            return nil
        }
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
