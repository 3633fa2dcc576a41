/// Text from a peer or a file, with the characters that could steer a terminal made visible.
package enum VisibleText {
    /// Line breaks and tabs stay.
    package static func of(_ text: String) -> String { made(text, isControl) }

    /// The same in one line.
    package static func line(_ text: String) -> String { made(text) { isControl($0) || $0 == "\n" } }

    private static func made(_ text: String, _ isControl: (Unicode.Scalar) -> Bool) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var output = ""
        for scalar in text.unicodeScalars {
            if isControl(scalar) {
                output += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                output.unicodeScalars.append(scalar)
            }
        }
        return output
    }

    /// The text for which this one stands. A text that held such an escape itself is not told apart.
    static func undone(_ text: String) -> String {
        guard text.contains("\\u{") else { return text }
        var output = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "\\u{") {
            output += rest[..<start.lowerBound]
            let after = rest[start.upperBound...]
            guard let end = after.firstIndex(of: "}"), let code = UInt32(after[..<end], radix: 16),
                let scalar = Unicode.Scalar(code), isControl(scalar)
            else {
                output += rest[start]
                rest = after
                continue
            }
            output.unicodeScalars.append(scalar)
            rest = after[after.index(after: end)...]
        }
        return output + rest
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 && scalar != "\n" && scalar != "\t" || (0x7F..<0xA0).contains(scalar.value)
    }
}
