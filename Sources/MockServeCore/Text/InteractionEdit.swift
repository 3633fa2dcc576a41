import Foundation
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
        if let line = edited.first, let header = original.first, line.text != header {
            throw EditProblem(
                line: line.number,
                reason: "the line with === follows from what is below it; edit that: the request line, the status line"
            )
        }
        guard now.bytes != before.bytes else { return nil }
        var content = content
        if now.request.bytes != before.request.bytes {
            try Self.take(&content.request, now.request, content.request.fields)
        }
        if now.requestTrailers.bytes != before.requestTrailers.bytes {
            content.requestTrailers = try Self.fields(now.requestTrailers, content.requestTrailers)
        }
        if now.informational.bytes != before.informational.bytes {
            content.informational = try Self.heads(now.informational, content.informational)
        }
        if now.response.bytes != before.response.bytes {
            content.response = try Self.head(now.response, content.response.fields, 200...999)
        }
        if now.responseTrailers.bytes != before.responseTrailers.bytes {
            content.responseTrailers = try Self.fields(now.responseTrailers, content.responseTrailers)
        }
        if now.cut.bytes != before.cut.bytes {
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

    private static func take(
        _ request: inout RequestHead,
        _ lines: [Line],
        _ original: Fields
    ) throws(EditProblem) {
        guard let first = lines.first else { throw EditProblem(line: 1, reason: "the request line is missing") }
        let words = first.text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, isToken(Array(words[0].utf8)), let version = HTTPVersion(rawValue: String(words[2])),
            let target = Latin1.bytes(VisibleText.undone(String(words[1]))), !target.isEmpty,
            target.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else {
            throw EditProblem(line: first.number, reason: "`\(first.text)` is not METHOD TARGET HTTP/1.1")
        }
        request.method = Array(words[0].utf8)
        request.target = target
        request.version = version
        request.fields = try fields(Array(lines.dropFirst()), original)
    }

    private static func head(
        _ lines: [Line],
        _ original: Fields,
        _ statuses: ClosedRange<Int>
    ) throws(EditProblem) -> ResponseHead {
        guard let first = lines.first else { throw EditProblem(line: 1, reason: "the status line is missing") }
        let words = first.text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, let version = HTTPVersion(rawValue: String(words[0])), let status = Int(words[1]),
            words[1].count == 3, statuses.contains(status)
        else {
            throw EditProblem(
                line: first.number,
                reason: "`\(first.text)` is not a status line, such as HTTP/1.1 200 OK"
            )
        }
        var reason: [UInt8]?
        if words.count == 3 {
            guard let bytes = Latin1.bytes(VisibleText.undone(String(words[2]))) else {
                throw EditProblem(line: first.number, reason: "the reason has characters beyond U+00FF")
            }
            reason = bytes
        }
        return ResponseHead(
            version: version,
            status: status,
            reason: reason,
            fields: try fields(Array(lines.dropFirst()), original)
        )
    }

    private static func heads(_ lines: [Line], _ original: [ResponseHead]) throws(EditProblem) -> [ResponseHead] {
        var heads: [[Line]] = []
        for line in lines {
            if line.text.hasPrefix("HTTP/") || heads.isEmpty { heads.append([]) }
            heads[heads.count - 1].append(line)
        }
        var known = Fields()
        for head in original { for field in head.fields { known.append(field) } }
        var result: [ResponseHead] = []
        for lines in heads { result.append(try head(lines, known, 102...199)) }
        return result
    }

    /// - Parameter original: those that were there. A line that was not touched stands for its bytes.
    private static func fields(_ lines: [Line], _ original: Fields) throws(EditProblem) -> Fields {
        var known: [[UInt8]: Fields.Field] = [:]
        for field in original { known[Array(InteractionText.text(field).utf8)] = field }
        var fields = Fields()
        for line in lines {
            if let field = known[Array(line.text.utf8)] {
                fields.append(field)
                continue
            }
            guard let colon = line.text.firstIndex(of: ":"), isToken(Array(line.text[..<colon].utf8)) else {
                throw EditProblem(line: line.number, reason: "`\(line.text)` is not a field, Name: value")
            }
            let rest = line.text[line.text.index(after: colon)...]
            guard let value = Latin1.bytes(VisibleText.undone(String(rest.first == " " ? rest.dropFirst() : rest))),
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
        guard now.bytes != before.bytes else { return .unchanged }
        if let summary = now.first(where: { $0.text.hasPrefix(InteractionText.Mark.summary.rawValue) }) {
            throw EditProblem(
                line: summary.number,
                reason:
                    "a body that is not text cannot be edited here; leave this line as it is, or remove it to empty the body"
            )
        }
        let old = stored.flatMap { BodyText.decoded($0, fields) }
        let text = Array(lines(now.bytes, before.bytes, old, fields).joined(separator: [UInt8(ascii: "\n")]))
        var bytes = text
        let isJSON = fields.first("content-type").map { MediaType($0).isJSON } ?? false
        if !text.isEmpty, isJSON || old.flatMap({ JSONText.compact($0) }) != nil && !(old ?? []).isEmpty {
            guard let compact = JSONText.compact(text) else {
                guard isJSON else {
                    throw EditProblem(line: now[0].number, reason: "the body was JSON, and is not any more")
                }
                throw EditProblem(line: now[0].number, reason: "the body is not JSON")
            }
            // JSON in one line stays in one, and a line break at the end stays there.
            let end = old?.last == UInt8(ascii: "\n") ? [UInt8(ascii: "\n")] : []
            let isOneLine = old?.dropLast(end.count).contains(UInt8(ascii: "\n")) != true
            bytes = (isOneLine ? compact : bytes) + end
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

    /// The bytes of lines: of those that were not touched, as they were, whatever stood for them in the text.
    private static func lines(
        _ now: [[UInt8]],
        _ before: [[UInt8]],
        _ old: [UInt8]?,
        _ fields: Fields
    ) -> [[UInt8]] {
        let shown = old.flatMap { BodyText.shown($0, fields) } ?? []
        let original = shown.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0) }
        let same = original.count == before.count ? Alignment.equal(before, now) : []
        let kept = Dictionary(uniqueKeysWithValues: same.map { ($0.new, original[$0.old]) })
        let hasReturns = original.contains { $0.last == UInt8(ascii: "\r") }
        return now.enumerated().map { place, text in
            if let line = kept[place] { return line }
            // Other lines of this body end so, too.
            let isReturn = hasReturns && text.suffix(5).elementsEqual(Array("\\u{d}".utf8))
            return isReturn ? text.dropLast(5) + [UInt8(ascii: "\r")] : text
        }
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

        var bytes: [[[UInt8]]] {
            [request, requestBody, requestTrailers, informational, response, responseBody, responseTrailers, cut].map(
                \.bytes
            )
        }

        init(_ lines: [Line]) throws(EditProblem) {
            var isResponse = false
            for (number, text) in lines {
                // By bytes: what follows may combine with the space to one character.
                let bytes = Array(text.utf8)
                let mark = InteractionText.Mark.allCases.first { mark in
                    text == mark.rawValue || bytes.starts(with: Array((mark.rawValue + " ").utf8))
                }
                guard let mark else {
                    if text.allSatisfy(\.isWhitespace) { continue }
                    throw EditProblem(line: number, reason: "`\(text.prefix(60))` begins with none of > < | @ !")
                }
                let rest = String(decoding: bytes.dropFirst(mark.rawValue.utf8.count + 1), as: UTF8.self)
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

extension Array where Element == InteractionEdit.Line {
    /// Compared by bytes: texts that only look the same differ.
    fileprivate var bytes: [[UInt8]] {
        map { (line: InteractionEdit.Line) -> [UInt8] in [UInt8](line.text.utf8) }
    }
}

/// The text of several interactions, as it is edited: before each, a line says which it is.
package enum EditedText {
    private static let start = "# number "

    /// The line that says which interaction a block is, and what it was.
    ///
    /// - Parameter lines: of the interaction.
    package static func remark(_ number: Int64, _ lines: [String]) -> String {
        "\(start)\(number), \(ShortDigest.hexadecimal(lines.joined(separator: "\n")))"
    }

    /// Whether an interaction is still what a text was made from.
    package static func isCurrent(_ digest: String?, _ lines: [String]) -> Bool {
        digest == nil || digest == ShortDigest.hexadecimal(lines.joined(separator: "\n"))
    }

    /// Cuts a text into blocks.
    ///
    /// - Throws: `EditProblem` if a block does not say which interaction it is, or two say the same.
    package static func blocks(_ text: String) throws(EditProblem) -> [(
        number: Int64, digest: String?, lines: [InteractionEdit.Line]
    )] {
        var blocks: [[InteractionEdit.Line]] = []
        // Some editors write line ends of their own.
        for (index, line) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let bytes = line.last == 0x0D ? line.dropLast() : line
            let line = (number: index + 1, text: String(decoding: bytes, as: UTF8.self))
            if line.text.hasPrefix(InteractionText.Mark.header.rawValue + " ") {
                blocks.append([line])
            } else if !blocks.isEmpty {
                blocks[blocks.count - 1].append(line)
            } else if !line.text.isEmpty, !line.text.hasPrefix("#") {
                throw EditProblem(line: line.number, reason: "it stands before the first line that begins with ===")
            }
        }
        var result: [(number: Int64, digest: String?, lines: [InteractionEdit.Line])] = []
        var seen: Set<Int64> = []
        for block in blocks {
            let said = block.filter { $0.text.hasPrefix(start) }
            let words = said.first?.text.dropFirst(start.count).split(separator: ",", maxSplits: 1)
            guard said.count == 1, let words, let first = words.first, let number = Int64(first) else {
                throw EditProblem(
                    line: block[0].number,
                    reason: "the block does not say which interaction it is (`\(start)N`)"
                )
            }
            let digest = words.count == 2 ? words[1].trimmingCharacters(in: .whitespaces) : nil
            guard seen.insert(number).inserted else {
                throw EditProblem(line: block[0].number, reason: "interaction \(number) is there twice")
            }
            result.append((number, digest, block))
        }
        return result
    }
}
