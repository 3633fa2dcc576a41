import HTTPMessages

/// Why an edited text is not an interaction: in which line, and what is wrong there.
package struct EditProblem: Error, Sendable, CustomStringConvertible {
    /// Counted from 1.
    package let line: Int
    package let reason: String

    package init(line: Int, reason: String) { (self.line, self.reason) = (line, reason) }

    package var description: String { "line \(line): \(reason)" }
}

/// An interaction whose canonical text somebody has edited. What was not touched stays as it was, byte for byte.
package struct InteractionEdit: Sendable {
    package enum Body: Sendable, Equatable {
        case unchanged
        /// As it is to be stored.
        case bytes([UInt8])
    }

    /// Without its match key, which is to be computed anew.
    package let content: InteractionContent
    package let requestBody: Body
    package let responseBody: Body

    /// - Parameter content: as it is to be, but for its match key.
    package init(_ content: InteractionContent, requestBody: Body, responseBody: Body) {
        (self.content, self.requestBody, self.responseBody) = (content, requestBody, responseBody)
    }

    /// One line of the text, with its number in the file.
    package typealias Line = (number: Int, text: String)

    /// - Parameters:
    ///   - edited: the lines of the block, with its header.
    ///   - original: the lines as they were before.
    ///   - requestBody: as it was stored; nil if it is too long to be shown.
    /// - Returns: nil if nothing was changed.
    package init?(
        _ edited: [Line],
        original: [String],
        _ content: InteractionContent,
        requestBody: [UInt8]?,
        responseBody: [UInt8]?
    ) throws(EditProblem) {
        let (now, before) = (try Parts(edited), try Parts(original.enumerated().map { ($0 + 1, $1) }))
        guard now.texts != before.texts else { return nil }
        var content = content
        if now.request.texts != before.request.texts { try Self.take(&content.request, now.request) }
        if now.requestTrailers.texts != before.requestTrailers.texts {
            content.requestTrailers = try Self.fields(now.requestTrailers)
        }
        if now.informational.texts != before.informational.texts {
            content.informational = try Self.heads(now.informational)
        }
        if now.response.texts != before.response.texts { content.response = try Self.head(now.response) }
        if now.responseTrailers.texts != before.responseTrailers.texts {
            content.responseTrailers = try Self.fields(now.responseTrailers)
        }
        if now.cut.texts != before.cut.texts {
            guard now.cut.isEmpty else {
                throw EditProblem(
                    line: now.cut[0].number,
                    reason: "how an answer was cut cannot be edited; the line can be removed"
                )
            }
            content.cut = nil
        }
        self.requestBody = try Self.body(now.requestBody, before.requestBody, requestBody, &content.request.fields)
        self.responseBody = try Self.body(now.responseBody, before.responseBody, responseBody, &content.response.fields)
        if self.responseBody != .unchanged { content.chunks = [] }
        self.content = content
    }

    // MARK: Heads

    private static func take(_ request: inout RequestHead, _ lines: [Line]) throws(EditProblem) {
        guard let first = lines.first else { throw EditProblem(line: 1, reason: "the request line is missing") }
        let words = first.text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, isToken(Array(words[0].utf8)), let version = HTTPVersion(rawValue: String(words[2])),
            let target = Latin1.bytes(String(words[1])), !target.isEmpty, target.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else {
            throw EditProblem(line: first.number, reason: "`\(first.text)` is not METHOD TARGET HTTP/1.1")
        }
        request.method = Array(words[0].utf8)
        request.target = target
        request.version = version
        request.fields = try fields(Array(lines.dropFirst()))
    }

    private static func head(_ lines: [Line]) throws(EditProblem) -> ResponseHead {
        guard let first = lines.first else { throw EditProblem(line: 1, reason: "the status line is missing") }
        let words = first.text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, let version = HTTPVersion(rawValue: String(words[0])), let status = Int(words[1]),
            words[1].count == 3, (100...999).contains(status)
        else {
            throw EditProblem(
                line: first.number,
                reason: "`\(first.text)` is not a status line, such as HTTP/1.1 200 OK"
            )
        }
        var reason: [UInt8]?
        if words.count == 3 {
            guard let bytes = Latin1.bytes(String(words[2])) else {
                throw EditProblem(line: first.number, reason: "the reason has characters beyond U+00FF")
            }
            reason = bytes
        }
        return ResponseHead(
            version: version,
            status: status,
            reason: reason,
            fields: try fields(Array(lines.dropFirst()))
        )
    }

    private static func heads(_ lines: [Line]) throws(EditProblem) -> [ResponseHead] {
        var heads: [[Line]] = []
        for line in lines {
            if line.text.hasPrefix("HTTP/") || heads.isEmpty { heads.append([]) }
            heads[heads.count - 1].append(line)
        }
        var result: [ResponseHead] = []
        for lines in heads { result.append(try head(lines)) }
        return result
    }

    private static func fields(_ lines: [Line]) throws(EditProblem) -> Fields {
        var fields = Fields()
        for line in lines {
            guard let colon = line.text.firstIndex(of: ":"), isToken(Array(line.text[..<colon].utf8)) else {
                throw EditProblem(line: line.number, reason: "`\(line.text)` is not a field, Name: value")
            }
            let rest = line.text[line.text.index(after: colon)...]
            guard let value = Latin1.bytes(String(rest.first == " " ? rest.dropFirst() : rest)),
                value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 })
            else {
                throw EditProblem(
                    line: line.number,
                    reason: "the value of \(line.text[..<colon]) has a character that fields cannot have"
                )
            }
            fields.append(name: Array(line.text[..<colon].utf8), value: value)
        }
        return fields
    }

    // MARK: Bodies

    private static func body(
        _ now: [Line],
        _ before: [Line],
        _ stored: [UInt8]?,
        _ fields: inout Fields
    ) throws(EditProblem) -> Body {
        guard now.texts != before.texts else { return .unchanged }
        if let summary = now.first(where: { $0.text.hasPrefix(InteractionText.Mark.summary.rawValue) }) {
            throw EditProblem(
                line: summary.number,
                reason:
                    "a body that is not text cannot be edited here; leave this line as it is, or remove it to empty the body"
            )
        }
        let text = Array(now.map { line($0.text) }.joined(separator: "\n").utf8)
        var bytes = text
        let isJSON = fields.first("content-type").map { MediaType($0).isJSON } ?? false
        let old = stored.flatMap { BodyText.decoded($0, fields) }
        if !text.isEmpty, isJSON || old.flatMap({ JSONText.compact($0) }) != nil && !(old ?? []).isEmpty {
            guard let compact = JSONText.compact(text) else {
                guard isJSON else {
                    throw EditProblem(line: now[0].number, reason: "the body was JSON, and is not any more")
                }
                throw EditProblem(line: now[0].number, reason: "the body is not JSON")
            }
            // JSON that had no white space gets none.
            if old == nil || old?.isEmpty == true || old.flatMap({ JSONText.compact($0) }) == old { bytes = compact }
        }
        guard let coded = BodyText.coded(bytes, fields) else {
            throw EditProblem(
                line: now.first?.number ?? 1,
                reason: "the body cannot be compressed as Content-Encoding says"
            )
        }
        bytes = coded
        if fields.contains("content-length") { fields = fields.settingContentLength(bytes.count) }
        return .bytes(bytes)
    }

    /// A carriage return is shown as `\u{d}`.
    private static func line(_ text: String) -> String {
        text.hasSuffix("\\u{d}") ? text.dropLast(5) + "\r" : text
    }

    // MARK: Parts

    /// The lines of a block by what they are about, without their marks.
    private struct Parts {
        var request: [Line] = []
        var requestBody: [Line] = []
        var requestTrailers: [Line] = []
        var informational: [Line] = []
        var response: [Line] = []
        var responseBody: [Line] = []
        var responseTrailers: [Line] = []
        var cut: [Line] = []

        var texts: [[String]] {
            [request, requestBody, requestTrailers, informational, response, responseBody, responseTrailers, cut].map(
                \.texts
            )
        }

        init(_ lines: [Line]) throws(EditProblem) {
            var isResponse = false
            for (number, text) in lines {
                let mark = InteractionText.Mark.allCases.first {
                    text == $0.rawValue || text.hasPrefix($0.rawValue + " ")
                }
                guard let mark else {
                    if text.allSatisfy(\.isWhitespace) { continue }
                    throw EditProblem(line: number, reason: "`\(text.prefix(60))` begins with none of > < | @ !")
                }
                let rest = String(text.dropFirst(mark.rawValue.count + 1))
                switch mark {
                case .header, .remark, .condition: break
                case .request:
                    guard !isResponse else {
                        throw EditProblem(line: number, reason: "a line of the request after the response")
                    }
                    if requestBody.isEmpty {
                        request.append((number, rest))
                    } else {
                        requestTrailers.append((number, rest))
                    }
                case .response:
                    isResponse = true
                    if rest.hasPrefix("HTTP/"), responseBody.isEmpty, !response.isEmpty {
                        informational += response
                        response = []
                    }
                    if responseBody.isEmpty {
                        response.append((number, rest))
                    } else {
                        responseTrailers.append((number, rest))
                    }
                case .body, .summary:
                    let line = (number: number, text: mark == .summary ? text : rest)
                    if isResponse { responseBody.append(line) } else { requestBody.append(line) }
                case .cut: cut.append((number, rest))
                }
            }
        }
    }
}

extension [InteractionEdit.Line] {
    fileprivate var texts: [String] { map(\.text) }
}

/// The text of several interactions, as it is edited: before each, a line says which it is.
package enum EditedText {
    private static let start = "# number "

    /// The line that says which interaction a block is.
    package static func remark(_ number: Int64) -> String { start + String(number) }

    /// Cuts a text into blocks.
    ///
    /// - Throws: `EditProblem` if a block does not say which interaction it is, or two say the same.
    package static func blocks(_ text: String) throws(EditProblem) -> [(number: Int64, lines: [InteractionEdit.Line])] {
        var blocks: [[InteractionEdit.Line]] = []
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let line = (number: index + 1, text: String(line))
            if line.text.hasPrefix(InteractionText.Mark.header.rawValue + " ") {
                blocks.append([line])
            } else if !blocks.isEmpty {
                blocks[blocks.count - 1].append(line)
            } else if !line.text.isEmpty, !line.text.hasPrefix("#") {
                throw EditProblem(line: line.number, reason: "it stands before the first line that begins with ===")
            }
        }
        var result: [(number: Int64, lines: [InteractionEdit.Line])] = []
        for block in blocks {
            let said = block.compactMap { $0.text.hasPrefix(start) ? Int64($0.text.dropFirst(start.count)) : nil }
            guard let number = said.first, said.count == 1 else {
                throw EditProblem(
                    line: block[0].number,
                    reason: "the block does not say which interaction it is (`\(start)N`)"
                )
            }
            guard !result.contains(where: { $0.number == number }) else {
                throw EditProblem(line: block[0].number, reason: "interaction \(number) is there twice")
            }
            result.append((number, block))
        }
        return result
    }
}
