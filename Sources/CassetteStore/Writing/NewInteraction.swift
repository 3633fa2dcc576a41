package import HTTPMessages
package import MockServeCore
import NIOCore

/// A body on its way into the cassette.
enum NewBody: Sendable {
    case none
    /// All of it, at most `BodySlices.size` bytes.
    case whole([UInt8])
    /// What follows the slices already handed over under this number.
    case upload(Int, last: [UInt8])

    fileprivate var memory: Int {
        switch self {
        case .none: 0
        case .whole(let bytes), .upload(_, let bytes): bytes.count
        }
    }
}

/// An exchange to be written, with its bodies.
package final class NewInteraction: Sendable {
    package let content: InteractionContent
    let requestBody: NewBody
    let responseBody: NewBody
    /// Whether the key was computed before something in the request became a secret. It stays, because a client asks
    /// before it knows.
    let hasLateSecret: Bool
    /// What was known to be secret when its exchange began (`Redactor.learnedVersion`).
    let learnedVersion: Int

    /// Bytes it takes, roughly, while it waits to be written.
    var memory: Int {
        let heads = content.request.fields.byteCount + content.response.fields.byteCount
        return 4096 + heads + content.chunks.count * 16 + requestBody.memory + responseBody.memory
    }

    /// The only way in which interactions are made, so that secrets are always replaced as the cassette's rules say.
    ///
    /// - Parameters:
    ///   - content: as it arrived, with its match key.
    ///   - key: has made the match key.
    ///   - requestBody: has taken the whole body; so has `responseBody`.
    /// - Throws: `BodyRedaction.Refusal` if a body must not be written.
    package convenience init(
        _ content: InteractionContent,
        _ key: MatchKeyBuilder,
        _ requestBody: inout BodyCollector,
        _ responseBody: inout BodyCollector,
        for writer: CassetteWriter
    ) throws {
        var content = content
        var (request, response) = (try requestBody.finish(), try responseBody.finish())
        var isLate = false
        let version = requestBody.learnedVersion
        if let redactor = writer.rules.redactor?.applying(to: content.request) {
            let hasLearned = redactor.learnedVersion != key.learnedVersion
            isLate = hasLearned && key.remade(by: writer.rules).key(origin: content.origin) != content.matchKey
            if hasLearned, case .whole(let bytes) = request { request = .whole(requestBody.redactAgain(bytes)) }
            content.redact(redactor, writer.placeholders, requestBody.redaction, responseBody.redaction)
        }
        self.init(
            content: content,
            requestBody: request,
            responseBody: response,
            hasLateSecret: isLate,
            learnedVersion: version
        )
    }

    init(
        content: InteractionContent,
        requestBody: NewBody,
        responseBody: NewBody,
        hasLateSecret: Bool = false,
        learnedVersion: Int = 0
    ) {
        self.content = content
        self.learnedVersion = learnedVersion
        self.hasLateSecret = hasLateSecret
        self.requestBody = requestBody
        self.responseBody = responseBody
    }
}

extension CassetteWriter {
    /// Makes an interaction from whole bodies in memory, as a recording does.
    ///
    /// - Parameters:
    ///   - origin: the upstream's; empty for an answer for any upstream.
    ///   - recordedAt: milliseconds since 1970 UTC.
    ///   - firstByte: milliseconds from the request to the response head; nil if written by hand.
    /// - Throws: `BodyRedaction.Refusal` if a body must not be written.
    package func interaction(
        origin: String,
        request: RequestHead,
        body: [UInt8] = [],
        trailers: Fields = Fields(),
        informational: [ResponseHead] = [],
        response: ResponseHead,
        responseBody: [UInt8] = [],
        responseTrailers: Fields = Fields(),
        recordedAt: Int64,
        firstByte: Int? = nil,
        chunks: [ResponseChunk] = [],
        cut: AnswerCut? = nil
    ) throws -> NewInteraction {
        let key = MatchKeyBuilder(request, rules)
        body.withUnsafeBytes { key.update($0) }
        let content = InteractionContent(
            origin: origin,
            request: request,
            requestTrailers: trailers,
            informational: informational,
            response: response,
            responseTrailers: responseTrailers,
            matchKey: key.key(origin: origin),
            recordedAt: recordedAt,
            firstByte: firstByte,
            chunks: chunks,
            cut: cut
        )
        func collector(_ bytes: [UInt8], _ fields: Fields, _ place: String) -> BodyCollector {
            var collector = BodyCollector(self, request)
            collector.redact(fields, place)
            _ = collector.append(ByteBuffer(bytes: bytes))
            return collector
        }
        var (sent, received) = (
            collector(body, request.fields, "request body"), collector(responseBody, response.fields, "response body")
        )
        return try NewInteraction(content, key, &sent, &received, for: self)
    }
}
