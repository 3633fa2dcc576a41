import Foundation
package import HTTPMessages

/// Why something is no stub, in words for its writer.
package struct StubError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// A stub that is a value, with nothing in it that only a program can do: what a cassette keeps. Its body is kept apart.
package struct StubDefinition: Sendable {
    /// Stubs that a cassette may hold: all of them are in memory while it is replayed.
    package static let countLimit = 50_000
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
        let redactor = all.applying(to: examples[0].request)
        func searched(_ bytes: [UInt8], _ fields: Fields, _ place: String) throws -> (BodyRedaction, [UInt8]) {
            var redaction = BodyRedaction(redactor, fields, place, book)
            let output = redaction.push(bytes) + (try redaction.finish())
            return (redaction, output)
        }
        let received = try searched(body, response.fields, "response body")
        var notes = RedactionNotes()
        var changed = (response, trailers)
        for example in examples {
            let sent = try searched(example.body, example.request.fields, "request body")
            var content = InteractionContent(
                origin: "",
                request: example.request,
                response: response,
                responseTrailers: trailers,
                matchKey: MatchKeyBuilder(example.request).key(origin: ""),
                recordedAt: 0
            )
            content.redact(redactor, book, sent.0, received.0)
            changed = (content.response, content.responseTrailers)
            notes =
                notes.notes.isEmpty || content.redactions.notes.contains(where: \.isOfRequest)
                ? content.redactions : notes
        }
        if !received.0.notes.isEmpty { body = received.1 }
        (response, trailers) = changed
        return notes
    }

    /// Requests that have all texts in them that its conditions and its variables have: each of these is searched as what it is.
    private var examples: [(request: RequestHead, body: [UInt8])] {
        func form(_ pairs: [(String, String)]) -> [UInt8] {
            Array(pairs.map { "\(Self.encoded($0))=\(Self.encoded($1))" }.joined(separator: "&").utf8)
        }
        func pairs(_ conditions: [String: TextCondition]) -> [(String, String)] {
            conditions.sorted { $0.key < $1.key }.flatMap { name, condition in condition.texts.map { (name, $0) } }
        }
        let targets = (conditions.target?.texts ?? []) + (conditions.path?.texts ?? [])
        var fields = Fields(pairs(conditions.fields))
        for (name, value) in pairs(conditions.cookies) { fields.append("Cookie", "\(name)=\(value)") }
        let query = pairs(conditions.query)
        func request(_ target: String, _ type: String? = nil) -> RequestHead {
            var typed = fields
            if let type {
                typed = fields.filter { !$0.isNamed("content-type") && !$0.isNamed("content-encoding") }
                typed.append("Content-Type", type)
            }
            let target = Array(target.utf8) + (query.isEmpty ? [] : Array("?".utf8) + form(query))
            return RequestHead(method: Array((method ?? "GET").utf8), target: target, fields: typed)
        }
        var examples = (targets.isEmpty ? [path.text] : targets).map { (request: request($0), body: [UInt8]()) }
        for condition in conditions.bodies {
            switch condition {
            case .json(let value), .containing(let value), .unordered(let value), .containingUnordered(let value):
                examples.append((request(path.text, "application/json"), value.text))
            case .path(let path, let condition):
                for text in condition?.texts ?? [] {
                    // The last name of the path may tell.
                    let name = path.text.split { ".[]'\"$*".contains($0) }.last.map(String.init) ?? "value"
                    examples.append(
                        (request(self.path.text, "application/json"), JSONValue.object([name: .string(text)]).text)
                    )
                }
            case .form(let fields):
                examples.append((request(path.text, "application/x-www-form-urlencoded"), form(pairs(fields))))
            case .bytes(let bytes): examples.append((request(path.text), bytes))
            case .text(let condition):
                for text in condition.texts { examples.append((request(path.text), Array(text.utf8))) }
            }
        }
        if behavior.changesVariables {
            examples.append((request(path.text, "application/json"), Array(behavior.json.utf8)))
        }
        return examples
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }
}
