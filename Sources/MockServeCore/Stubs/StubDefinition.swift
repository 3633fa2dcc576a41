import Foundation
package import HTTPMessages

/// Why something is no stub, in words for its writer.
package struct StubError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// A stub that is a value, with nothing in it that only a program can do: what a cassette keeps. Its body is kept apart.
package struct StubDefinition: Sendable {
    /// Milliseconds that an answer may wait: an hour.
    package static let longestDelay = 3_600_000
    private static let longestPattern = 4096
    private static let longestMethod = 32

    /// Nil for any. `GET` answers `HEAD` too.
    package let method: String?
    package let path: PathTemplate
    package var conditions: StubConditions
    package var response: ResponseHead
    package var trailers: Fields
    /// Milliseconds.
    package var delay: Int
    package var behavior: StubBehavior

    /// - Parameter pattern: `METHOD PATH`, where `*` is any method, and the path is a `PathTemplate`.
    /// - Throws: `StubError` if it is none of these.
    package init(
        _ pattern: String,
        _ conditions: StubConditions = StubConditions(),
        _ response: ResponseHead,
        trailers: Fields = Fields(),
        delay: Int = 0,
        behavior: StubBehavior = StubBehavior()
    ) throws(StubError) {
        let words = pattern.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard words.count == 2, isToken(Array(words[0].utf8)), words[0].utf8.count <= Self.longestMethod,
            pattern.utf8.count <= Self.longestPattern
        else {
            throw StubError("`\(pattern.prefix(100))` is no method and path in one, such as 'GET /users/{id}'")
        }
        method = words[0] == "*" ? nil : String(words[0])
        do {
            path = try PathTemplate(String(words[1]))
        } catch {
            throw StubError("its path, \(words[1].prefix(100)), makes no sense: \(error.reason)")
        }
        guard conditions.isWritable else { throw StubError("its conditions cannot be written as JSON") }
        guard (200...999).contains(response.status) else {
            throw StubError("its status is \(response.status); an answer has one from 200 to 999")
        }
        let framing = ["transfer-encoding", "content-length", "trailer"] as [StaticString]
        guard !response.fields.contains("transfer-encoding"), !framing.contains(where: { trailers.contains($0) }) else {
            throw StubError("it says how its answer is framed (Transfer-Encoding): leave that to the server")
        }
        guard (0...Self.longestDelay).contains(delay) else {
            throw StubError("it waits \(delay) ms; an hour is the most")
        }
        self.conditions = conditions
        self.response = response
        self.trailers = trailers
        self.delay = delay
        self.behavior = behavior
    }

    /// `METHOD PATH`
    package var pattern: String { "\(method ?? "*") \(path.text)" }

    /// Replaces the secrets in the answer, as if it had been recorded.
    ///
    /// - Parameter body: of the answer.
    /// - Returns: what was replaced. Of what it says of the request, nothing was: a condition is compared with what a client
    ///   sends, which is not redacted.
    /// - Throws: `BodyRedaction.Refusal` if the body cannot be searched; then nothing was changed.
    package mutating func redact(_ all: Redactor, _ body: inout [UInt8], _ book: PlaceholderBook) throws
        -> RedactionNotes
    {
        // What one part shows to be secret may be in another.
        for _ in 0..<3 {
            let version = all.learnedVersion
            var (copy, copiedBody) = (self, body)
            _ = try copy.redactOnce(all, &copiedBody, book)
            if all.learnedVersion == version { break }
        }
        return try redactOnce(all, &body, book)
    }

    private mutating func redactOnce(
        _ all: Redactor,
        _ body: inout [UInt8],
        _ book: PlaceholderBook
    ) throws -> RedactionNotes {
        let (request, asked) = example
        let redactor = all.applying(to: request)
        func searched(_ bytes: [UInt8], _ fields: Fields, _ place: String) throws -> (BodyRedaction, [UInt8]) {
            var redaction = BodyRedaction(redactor, fields, place, book)
            let output = redaction.push(bytes) + (try redaction.finish())
            return (redaction, output)
        }
        let (sent, received) = (
            try searched(asked, request.fields, "request body"), try searched(body, response.fields, "response body")
        )
        var content = InteractionContent(
            origin: "",
            request: request,
            response: response,
            responseTrailers: trailers,
            matchKey: MatchKeyBuilder(request).key(origin: ""),
            recordedAt: 0
        )
        content.redact(redactor, book, sent.0, received.0)
        if !received.0.notes.isEmpty { body = received.1 }
        (response, trailers) = (content.response, content.responseTrailers)
        return content.redactions
    }

    /// A request that it answers, as far as its conditions say what is in one.
    private var example: (RequestHead, body: [UInt8]) {
        func form(_ pairs: [String: String]) -> [UInt8] {
            let pairs = pairs.sorted { $0.key < $1.key }.map { "\(Self.encoded($0))=\(Self.encoded($1))" }
            return Array(pairs.joined(separator: "&").utf8)
        }
        var target = Array((conditions.target?.example ?? conditions.path?.example ?? path.text).utf8)
        let query = conditions.query.compactMapValues(\.example)
        if !query.isEmpty { target += Array("?".utf8) + form(query) }
        var fields = Fields(conditions.fields.compactMapValues(\.example).sorted { $0.key < $1.key })
        let cookies = conditions.cookies.compactMapValues(\.example).sorted { $0.key < $1.key }
        if !cookies.isEmpty { fields.append("Cookie", cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")) }
        // A condition is searched as what it is, whatever else is asked for.
        func typed(_ type: String) -> Fields {
            var typed = fields.filter { !$0.isNamed("content-type") && !$0.isNamed("content-encoding") }
            typed.append("Content-Type", type)
            return typed
        }
        var body: [UInt8] = []
        for condition in conditions.bodies {
            switch condition {
            case .json(let value), .containing(let value), .unordered(let value), .containingUnordered(let value):
                fields = typed("application/json")
                body += value.text
            case .path(let path, let condition):
                fields = typed("application/json")
                body += JSONValue.object([path.text: .string(condition?.example ?? "")]).text
            case .form(let pairs):
                fields = typed("application/x-www-form-urlencoded")
                body += form(pairs.compactMapValues(\.example))
            case .bytes(let bytes): body += bytes
            case .text(let condition): body += Array((condition.example ?? "").utf8)
            }
            if conditions.bodies.count > 1 { body.append(0x0A) }
        }
        return (RequestHead(method: Array((method ?? "GET").utf8), target: target, fields: fields), body)
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }
}
