import ContentCoding
package import HTTPMessages

/// How a body is shown in the canonical text of a cassette: decoded, JSON indented, other text as it is, and everything
/// else by what it is.
package enum BodyText: Sendable, Equatable {
    /// Bytes of a body as it is stored, up to which it is shown: 1 MiB.
    package static let limit = 1 << 20
    /// Bytes that it may decode to.
    package static let decodedLimit = 4 << 20

    /// A body that ends with a line break has an empty line at its end.
    case lines([String])
    /// What it is, of one that is not text: type, size, and digest of what is stored, or its messages.
    case summary([String])

    /// - Parameters:
    ///   - bytes: as they are stored; nil if they are too many to be shown.
    ///   - size: of the stored body.
    ///   - digest: SHA-256 of the stored body, in hexadecimal.
    ///   - fields: of its message.
    ///   - schema: of messages of gRPC.
    ///   - type: the name of their type in the schema.
    package init(
        _ bytes: [UInt8]?,
        size: Int,
        digest: String,
        _ fields: Fields,
        schema: ProtobufSchema? = nil,
        type: String? = nil
    ) {
        if let bytes, let lines = MessageText(schema).lines(bytes, fields, type: type) {
            self = .summary(lines.map { VisibleText.line($0) })
            return
        }
        if let bytes, let text = Self.text(bytes, fields) {
            let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            self = .lines(lines.map { VisibleText.line(String(decoding: $0, as: UTF8.self)) })
            return
        }
        let label = fields.first("content-type").map { MediaType($0).essence } ?? ""
        self = .summary([
            "\(label.isEmpty ? "binary data" : VisibleText.line(label)), \(size) bytes, sha256 \(digest)"
        ])
    }

    /// Nil if the body is not text.
    private static func text(_ bytes: [UInt8], _ fields: Fields) -> [UInt8]? {
        guard bytes.count <= limit, let decoded = decoded(bytes, fields) else { return nil }
        return shown(decoded, fields)
    }

    /// A decoded body as it is shown, line by line: JSON is indented. Nil if it is not text.
    static func shown(_ decoded: [UInt8], _ fields: Fields) -> [UInt8]? {
        if let json = json(decoded, fields) { return json }
        return isText(decoded) ? decoded : nil
    }

    /// Whether it is UTF-8 without control characters other than those of white space.
    package static func isText(_ decoded: [UInt8]) -> Bool {
        !decoded.contains(where: isBinary) && String(validating: decoded, as: UTF8.self) != nil
    }

    /// The body without its content codings; nil if it cannot be decoded.
    ///
    /// - Parameter limit: bytes that it may decode to. Default: 4 MiB.
    package static func decoded(_ bytes: [UInt8], _ fields: Fields, limit: Int = decodedLimit) -> [UInt8]? {
        var bytes = bytes
        for coding in codings(fields).reversed() {
            guard let coding, let decoded = try? coding.decode(bytes, limit: limit) else { return nil }
            bytes = decoded
        }
        return bytes
    }

    /// The body with its content codings; nil if it cannot be coded.
    package static func coded(_ bytes: [UInt8], _ fields: Fields) -> [UInt8]? {
        var bytes = bytes
        for coding in codings(fields) {
            guard let coding, let coded = coding.encode(bytes) else { return nil }
            bytes = coded
        }
        return bytes
    }

    /// Those of a message, in the order in which they were applied; nil in place of one that is not known.
    private static func codings(_ fields: Fields) -> [ContentCoding?] {
        listMembers(fields.values("content-encoding")).filter { !equalsIgnoringCase($0, "identity".utf8) }
            .map { ContentCoding($0) }
    }

    private static func json(_ decoded: [UInt8], _ fields: Fields) -> [UInt8]? {
        let type = fields.first("content-type").map { MediaType($0) }
        guard type?.isJSON == true || MediaType.mayBeAnything(type) && beginsAsJSON(decoded) else { return nil }
        return JSONText.indented(decoded)
    }

    private static func beginsAsJSON(_ bytes: [UInt8]) -> Bool {
        ContentStart(bytes) == .json
    }

    private static func isBinary(_ byte: UInt8) -> Bool {
        byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D || byte == 0x7F
    }
}
