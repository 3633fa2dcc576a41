import Crypto
import Foundation

/// Names of files that are allowed and different on every file system.
struct FileName: Equatable {
    /// Bytes that a readable part may have.
    private static let partLimit = 60
    private static let limit = 120

    /// Without an extension.
    let text: String

    /// - Parameters:
    ///   - parts: joined by dots.
    ///   - details: joined by `-`, after the parts.
    ///   - identity: everything that tells it from others: if the readable text does not, a digest of it is added.
    ///   - isWhole: whether the parts say all of the identity.
    init(_ parts: [String], details: [String] = [], identity: [String], isWhole: Bool) {
        let shown = parts.map(Self.readable)
        let joined = shown.map(\.text).joined(separator: ".")
        let shownDetails = details.map { Self.readable($0).text }.filter { !$0.isEmpty }
        let isReserved = Self.isReserved(joined)
        let name = ([isReserved ? "_\(joined)" : joined] + shownDetails).joined(separator: "-")
        let isExact = isWhole && shown.allSatisfy(\.isExact) && details.isEmpty && !joined.isEmpty
        guard !isExact || isReserved || name.utf8.count > Self.limit else {
            text = name
            return
        }
        let digest = SHA256.hash(data: Data(identity.map { "\($0.utf8.count):\($0)" }.joined().utf8))
        let mark = digest.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        text = "\(Self.cut(name, Self.limit))-\(mark)"
    }

    /// What is not a letter, a digit, `-` or `_` is replaced.
    private static func readable(_ text: String) -> (text: String, isExact: Bool) {
        let composed = text.precomposedStringWithCanonicalMapping
        var output = ""
        for scalar in composed.unicodeScalars {
            let isPlain = scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            if isPlain || scalar == "-" || scalar == "_" {
                output.unicodeScalars.append(scalar)
            } else if output.last != "_" {
                output += "_"
            }
        }
        let cut = cut(output, partLimit)
        return (cut, cut.unicodeScalars.elementsEqual(text.unicodeScalars))
    }

    private static func cut(_ text: String, _ limit: Int) -> String {
        var (output, size) = ("", 0)
        for character in text {
            size += character.utf8.count
            if size > limit { break }
            output.append(character)
        }
        return output
    }

    /// Names that Windows takes for devices, whatever follows after a dot.
    private static func isReserved(_ name: String) -> Bool {
        let stem = name.prefix { $0 != "." }.uppercased()
        if ["CON", "PRN", "AUX", "NUL"].contains(stem) { return true }
        return stem.count == 4 && (stem.hasPrefix("COM") || stem.hasPrefix("LPT")) && stem.last?.isNumber == true
    }
}
