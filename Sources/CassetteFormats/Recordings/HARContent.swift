import Foundation
import HTTPMessages
import MockServeCore

/// Bodies in a HAR: text that was decoded, or base64, or what some programs make of it.
enum HARContent {
    /// Bytes that a body may decode to: 1 GiB.
    private static let decodedLimit = 1 << 30

    /// The bytes of a text in the charset that its type names; in UTF-8 if it names none, or one that does not have them.
    ///
    /// - Parameter size: bytes that the file says it has. Some programs write each byte of binary data as one character, and say
    ///   nothing else about it.
    static func bytes(_ text: String, _ fields: Fields, size: Int? = nil) -> [UInt8] {
        if let size, size != text.utf8.count, size == text.unicodeScalars.count,
            text.unicodeScalars.contains(where: isBinary),
            let bytes = Latin1.bytes(text)
        {
            return bytes
        }
        return Charset.bytes(text, charset(fields))
    }

    /// The charset that the type names; empty if it names none.
    static func charset(_ fields: Fields) -> String {
        let charset = fields.first("content-type").flatMap { MediaType($0).parameter("charset") } ?? []
        return String(decoding: charset, as: UTF8.self)
    }

    /// Whether a character is one that texts do not have.
    private static func isBinary(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 && !"\t\n\r".unicodeScalars.contains(scalar) || (0x7F..<0xA0).contains(scalar.value)
    }

    /// The pieces of a body as versions of Polly.js write it, if it has a content coding or is binary: a list of strings as JSON
    /// within the text, or one string; in base64 or hexadecimal.
    ///
    /// - Returns: nil if it is not such a body.
    static func pieces(_ content: DataNode, _ fields: Fields) -> [[UInt8]]? {
        guard let text = content["text"]?.text else { return nil }
        let isBase64 = content["encoding"]?.text == "base64"
        let isBinary = content["_isBinary"]?.bool == true
        guard text.hasPrefix("["), text.hasSuffix("]") else {
            return isBinary && !isBase64 ? Hexadecimal.bytes(text).map { [$0] } : nil
        }
        guard isBase64 || isBinary || fields.contains("content-encoding"),
            let stream = try? JSONStream(ByteSource(Array(text.utf8), name: "")),
            let strings = try? stream.value().list?.map(\.text), !strings.isEmpty
        else { return nil }
        var pieces: [[UInt8]] = []
        for string in strings {
            guard let string, let piece = isBase64 ? MessageParts.decodedBase64(string) : Hexadecimal.bytes(string)
            else {
                return nil
            }
            pieces.append(piece)
        }
        guard !isBase64, !isBinary else { return pieces }
        // Nothing says that it is one; a list may well be the decoded body itself.
        let coded = pieces.flatMap { $0 }
        return BodyText.decoded(coded, fields, limit: decodedLimit) == nil ? nil : pieces
    }

    /// The content of a response.
    static func node(_ interaction: WholeInteraction) -> DataNode {
        let fields = interaction.response.fields
        let body = BodyText.decoded(interaction.responseBody, fields, limit: decodedLimit) ?? interaction.responseBody
        let text = String(validating: body, as: UTF8.self).flatMap { bytes($0, fields) == body ? $0 : nil }
        return .object([
            "size": .number(body.count),
            "mimeType": .text(fields.first("content-type").map { Latin1.string($0) } ?? ""),
            "text": body.isEmpty ? nil : .text(text ?? Data(body).base64EncodedString()),
            "encoding": text == nil ? .text("base64") : nil,
        ])
    }
}
