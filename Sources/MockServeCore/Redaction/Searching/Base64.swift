import Foundation

/// Base64 in either alphabet (RFC 4648 §4, §5), with or without `=` at its end.
package enum Base64 {
    /// - Returns: nil if it is none.
    package static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var text = text.compactMap { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            case UInt8(ascii: "="): nil
            default: byte
            }
        }
        text += Array(repeating: UInt8(ascii: "="), count: (4 - text.count % 4) % 4)
        return Data(base64Encoded: Data(text)).map { Array($0) }
    }

    /// - Returns: without `=` at its end.
    static func encode(_ bytes: [UInt8], isURLSafe: Bool) -> [UInt8] {
        Data(bytes).base64EncodedString().utf8.compactMap { byte in
            switch byte {
            case UInt8(ascii: "="): nil
            case UInt8(ascii: "+") where isURLSafe: UInt8(ascii: "-")
            case UInt8(ascii: "/") where isURLSafe: UInt8(ascii: "_")
            default: byte
            }
        }
    }
}
