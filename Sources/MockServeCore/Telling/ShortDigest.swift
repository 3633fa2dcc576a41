import Crypto

/// Short names derived from longer texts.
package enum ShortDigest {
    /// 16 hexadecimal digits of a SHA-256.
    package static func hexadecimal(_ text: String) -> String {
        SHA256.hash(data: Array(text.utf8)).prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
