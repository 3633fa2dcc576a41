import ContentCoding
import HTTPMessages
import MockServeCore

/// Makes messages of the parts that formats keep.
enum MessageParts {
    // MARK: Fields

    /// Adds a field as a file gives it. Pseudo-fields of HTTP/2 are said elsewhere; what cannot be a field is lost.
    static func append(_ name: String, _ value: [UInt8], to fields: inout Fields, line: Int?, _ reading: FormatImport) {
        guard !name.hasPrefix(":") else { return }
        guard isToken(Array(name.utf8)) else { return reading.lost("a field whose name is not one", line: line) }
        var value = Array(trimmingSpace(value))
        if value.contains(where: { $0 == 0 || $0 == 0x0A || $0 == 0x0D }) {
            reading.lost("a line break or NUL in the value of a field", line: line)
            value = value.map { $0 == 0 || $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
        }
        fields.append(name: Array(name.utf8), value: value)
    }

    /// Fields as an object: each member is a text or a list of texts.
    static func fields(_ node: DataNode?, _ reading: FormatImport) throws -> Fields {
        var fields = Fields()
        guard let node else { return fields }
        guard let members = node.members else {
            if let list = node.list, list.isEmpty { return fields }
            throw FormatError(reading.file, node.line, "has \(node.kind) where fields were expected.")
        }
        for (name, value) in members {
            for value in value.list ?? [value] where !value.isNull {
                guard let bytes = value.bytes else {
                    throw FormatError(
                        reading.file,
                        value.line,
                        "has \(value.kind) as the value of the field `\(name)`."
                    )
                }
                append(name, bytes, to: &fields, line: value.line, reading)
            }
        }
        return fields
    }

    // MARK: The rest of a head

    /// `HTTP/1.0`, `http/1.1`, `1.1`, `h2`, `HTTP/2.0`. What is later than HTTP/2 becomes that.
    static func version(_ text: String?) -> HTTPVersion {
        let text = (text ?? "").lowercased()
        let number = text.hasPrefix("http/") ? text.dropFirst(5) : text[...]
        if number.hasPrefix("1.0") { return .http10 }
        return number.hasPrefix("2") || number.hasPrefix("3") || number.hasPrefix("h2") || number.hasPrefix("h3")
            ? .http2 : .http11
    }

    static func status(_ node: DataNode?, of line: Int, _ reading: FormatImport) throws -> Int {
        guard let node else { throw FormatError(reading.file, line, "has a response without a status.") }
        guard let status = node.integer, (100...999).contains(status) else {
            throw FormatError(reading.file, node.line, "has a status that is not a number from 100 to 999.")
        }
        return status
    }

    static func reason(_ text: String?, version: HTTPVersion, line: Int?, _ reading: FormatImport) -> [UInt8]? {
        reason(text.map { Array($0.utf8) }, version: version, line: line, reading)
    }

    /// - Returns: nil for HTTP/2, which has none.
    static func reason(_ bytes: [UInt8]?, version: HTTPVersion, line: Int?, _ reading: FormatImport) -> [UInt8]? {
        guard version != .http2 else { return nil }
        let bytes = bytes ?? []
        guard bytes.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else { return bytes }
        reading.lost("a reason phrase with control characters in it", line: line)
        return []
    }

    /// - Returns: nil, with a note, for what cannot be asked over HTTP, such as `data:`.
    static func url(_ text: String, line: Int, _ reading: FormatImport) throws -> AbsoluteURL? {
        guard let url = AbsoluteURL(text) else {
            if let scheme = text.split(separator: ":", maxSplits: 1).first, text.contains(":"),
                !["http", "https"].contains(scheme.lowercased()), isToken(Array(scheme.utf8)), !text.hasPrefix("/")
            {
                reading.lost("a request to a URL of the scheme \(scheme.prefix(20).lowercased())", line: line)
                return nil
            }
            // Without what may be a password.
            let shown = text.lastIndex(of: "@").map { text[text.index(after: $0)...] } ?? text[...]
            throw FormatError(reading.file, line, "has a URL that makes no sense: \(shown.prefix(100)).")
        }
        if url.hadUser { reading.lost("user and password in a URL", line: line) }
        return url
    }

    static func method(_ node: DataNode?, of line: Int, _ reading: FormatImport) throws -> [UInt8] {
        guard let node else { throw FormatError(reading.file, line, "has a request without a method.") }
        guard let text = node.text, isToken(Array(text.utf8)) else {
            throw FormatError(reading.file, node.line, "has a method that is not one.")
        }
        return Array(text.uppercased().utf8)
    }

    static func base64(_ node: DataNode, _ reading: FormatImport) throws -> [UInt8] {
        guard let text = node.text, let bytes = decodedBase64(text) else {
            throw FormatError(reading.file, node.line, "has a body that is not base64.")
        }
        return bytes
    }

    /// White space does not count.
    static func decodedBase64(_ text: String) -> [UInt8]? { Base64.decode(text.utf8.lazy.filter { $0 > 0x20 }) }

    // MARK: Bodies and what the fields say of them

    private static let decodedLimit = 1 << 30

    /// Adds an interaction, with what its fields say of the bodies put right: many tools keep bodies decoded, and the fields as they
    /// were.
    static func add(_ interaction: WholeInteraction, line: Int?, _ reading: FormatImport) throws {
        let status = interaction.response.status
        guard status >= 200 else { return reading.lost("a response with a status below 200", line: line) }
        var interaction = interaction
        let hasNone = interaction.request.isHEAD || ResponseHead.isBodyless(status: status)
        if hasNone, !interaction.responseBody.isEmpty {
            reading.lost("the body of a response that has none, by its status or method", line: line)
            (interaction.responseBody, interaction.chunks) = ([], [])
        }
        settle(&interaction.request.fields, interaction.requestBody)
        if !hasNone { settle(&interaction.response.fields, interaction.responseBody) }
        if interaction.request.version == .http2 { removeConnectionFields(&interaction.request.fields) }
        if interaction.response.version == .http2 { removeConnectionFields(&interaction.response.fields) }
        try reading.add(interaction)
    }

    private static func settle(_ fields: inout Fields, _ body: [UInt8]) {
        if !body.isEmpty, fields.contains("content-encoding"),
            BodyText.decoded(body, fields, limit: decodedLimit) == nil,
            listMembers(fields.values("content-encoding")).allSatisfy({ ContentCoding($0) != nil })
        {
            fields = fields.filter { !$0.isNamed("content-encoding") }
        }
        guard let length = fields.first("content-length"), Int(String(decoding: length, as: UTF8.self)) != body.count
        else {
            return
        }
        var settled = Fields()
        var isWritten = false
        for field in fields {
            guard field.isNamed("content-length") else {
                settled.append(field)
                continue
            }
            if !isWritten { settled.append(name: field.name, value: Array(String(body.count).utf8)) }
            isWritten = true
        }
        fields = settled
    }

    /// RFC 9113 §8.2.2
    private static func removeConnectionFields(_ fields: inout Fields) {
        fields = fields.filter { field in
            let names: [StaticString] = [
                "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
            ]
            return !names.contains { field.isNamed($0) }
        }
    }
}
