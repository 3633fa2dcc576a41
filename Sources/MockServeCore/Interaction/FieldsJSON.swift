package import HTTPMessages

/// Fields as the cassette keeps them: a JSON array of `["name","value"]` pairs, each byte one character
/// U+0000…U+00FF.
package enum FieldsJSON {
    package static func encode(_ fields: Fields) -> String {
        var output: [UInt8] = [UInt8(ascii: "[")]
        output.reserveCapacity(fields.byteCount + fields.count * 8 + 2)
        fields.forEachRaw { field in
            output.append(contentsOf: output.count > 1 ? ",[".utf8 : "[".utf8)
            appendString(field.name, to: &output)
            output.append(UInt8(ascii: ","))
            appendString(field.value, to: &output)
            output.append(UInt8(ascii: "]"))
        }
        output.append(UInt8(ascii: "]"))
        return String(decoding: output, as: UTF8.self)
    }

    /// - Returns: nil if `json` is not of that shape.
    package static func decode(_ json: String) -> Fields? {
        var json = json
        return json.withUTF8 { decode($0) }
    }

    /// - Parameter json: UTF-8.
    package static func decode(_ json: UnsafeBufferPointer<UInt8>) -> Fields? {
        var reader = Reader(bytes: json)
        return reader.fields()
    }

    /// Writes a JSON string whose characters are the bytes of `bytes`.
    package static func appendString(_ bytes: some Sequence<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        let isPlain = bytes.withContiguousStorageIfAvailable { bytes in
            let isPlain = endOfPlainText(in: bytes, from: 0, isASCII: true) == bytes.count
            if isPlain { output.append(contentsOf: bytes) }
            return isPlain
        }
        if isPlain != true { appendEscaped(bytes, to: &output) }
        output.append(UInt8(ascii: "\""))
    }

    private static func appendEscaped(_ bytes: some Sequence<UInt8>, to output: inout [UInt8]) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                output += "\\u00".utf8
                output += [hexCharacter(byte >> 4), hexCharacter(byte & 15)]
            case 0x80...: output += [0xC0 | byte >> 6, 0x80 | byte & 0x3F]
            default: output.append(byte)
            }
        }
    }

    private static func hexCharacter(_ digit: UInt8) -> UInt8 {
        digit < 10 ? 0x30 + digit : 0x61 + digit - 10
    }

    private struct Reader {
        let bytes: UnsafeBufferPointer<UInt8>
        var index = 0

        mutating func fields() -> Fields? {
            var fields = Fields()
            fields.reserve(bytes: bytes.count, fields: bytes.count / 32 + 1)
            guard take("[") else { return nil }
            if !take("]") {
                repeat {
                    let isRead = fields.append { name in
                        take("[") && string(into: &name) && take(",")
                    } writingValue: { value in
                        string(into: &value) && take("]")
                    }
                    guard isRead else { return nil }
                } while take(",")
                guard take("]") else { return nil }
            }
            skipSpace()
            return index == bytes.count ? fields : nil
        }

        private mutating func skipSpace() {
            while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x0A { index += 1 }
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            skipSpace()
            guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
            index += 1
            return true
        }

        private mutating func string(into output: inout [UInt8]) -> Bool {
            guard take("\"") else { return false }
            let end = endOfPlainText(in: bytes, from: index, isASCII: true)
            output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[index..<end]))
            index = end
            while index < bytes.count {
                let byte = bytes[index]
                index += 1
                switch byte {
                case UInt8(ascii: "\""): return true
                case UInt8(ascii: "\\"):
                    guard let character = escape() else { return false }
                    output.append(character)
                case 0..<0x20: return false
                case 0xC2, 0xC3:
                    guard index < bytes.count, bytes[index] & 0xC0 == 0x80 else { return false }
                    output.append((byte & 0x03) << 6 | bytes[index] & 0x3F)
                    index += 1
                case 0x80...: return false
                default: output.append(byte)
                }
            }
            return false
        }

        private mutating func escape() -> UInt8? {
            guard index < bytes.count else { return nil }
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return byte
            case UInt8(ascii: "t"): return 0x09
            case UInt8(ascii: "u"):
                guard index + 4 <= bytes.count, bytes[index] == 0x30, bytes[index + 1] == 0x30,
                    let high = hexDigit(bytes[index + 2]), let low = hexDigit(bytes[index + 3])
                else { return nil }
                index += 4
                return high << 4 | low
            default: return nil
            }
        }
    }
}
