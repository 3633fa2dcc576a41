import Foundation

/// Charsets that texts were decoded from (https://www.iana.org/assignments/character-sets).
enum Charset {
    private static let encodings: [String: String.Encoding] = [
        "iso-8859-1": .isoLatin1, "latin1": .isoLatin1, "iso-8859-2": .isoLatin2, "windows-1252": .windowsCP1252,
        "windows-1250": .windowsCP1250, "windows-1251": .windowsCP1251, "windows-1253": .windowsCP1253,
        "windows-1254": .windowsCP1254, "shift_jis": .shiftJIS, "euc-jp": .japaneseEUC, "utf-16le": .utf16LittleEndian,
        "utf-16be": .utf16BigEndian,
    ]

    /// Whether texts can be written in a charset; in any case for those that are the same in UTF-8.
    static func isKnown(_ name: String) -> Bool {
        ["", "utf-8", "utf8", "us-ascii", "ascii"].contains(name.lowercased()) || encodings[name.lowercased()] != nil
    }

    /// The bytes of a text in a charset; in UTF-8 if that is not known, or does not have them.
    ///
    /// - Parameter name: in any case.
    static func bytes(_ text: String, _ name: String) -> [UInt8] {
        guard !name.isEmpty, let encoding = encodings[name.lowercased()], let data = text.data(using: encoding) else {
            return Array(text.utf8)
        }
        return Array(data)
    }
}
