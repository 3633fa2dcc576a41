import HTTPTypes
import HTTPMessages
import MockServeCore
import NIOCore
import Synchronization

/// The content of an exchange, as far as the journal keeps it. Filled on an event loop, read on any thread.
final class ExchangeLog: Sendable {
    /// The part of a body that is kept.
    private struct Body {
        var bytes: [UInt8] = []
        var isTruncated = false

        mutating func append(_ buffer: ByteBuffer, limit: Int) {
            let taken = min(max(0, limit - bytes.count), buffer.readableBytes)
            if taken < buffer.readableBytes { isTruncated = true }
            buffer.withUnsafeReadableBytes { bytes.append(contentsOf: $0.prefix(taken)) }
        }
    }

    private struct Content {
        var requestBody = Body()
        var requestTrailers = Fields()
        var response: ResponseHead?
        var responseBody = Body()
    }

    private let request: RequestHead
    private let origin: Origin
    private let upstream: String?
    private let limit: Int
    private let redactor: Redactor?
    private let content = Mutex(Content())

    /// - Parameter limit: bytes of each body that are kept.
    init(_ exchange: Exchange, limit: Int, redactor: Redactor?) {
        request = exchange.request
        origin = exchange.servedOrigin
        upstream = exchange.upstream?.name
        self.limit = limit
        self.redactor = redactor?.applying(to: exchange.request)
    }

    /// Bytes that it may take at most, roughly: the exchange is noted before its answer is complete.
    var memory: Int { 2 * limit + request.fields.byteCount + 1024 }

    func append(request bytes: ByteBuffer) { content.withLock { $0.requestBody.append(bytes, limit: limit) } }

    func end(requestTrailers: Fields) { content.withLock { $0.requestTrailers = requestTrailers } }

    func begin(_ response: ResponseHead) { content.withLock { $0.response = response } }

    func append(response bytes: ByteBuffer) { content.withLock { $0.responseBody.append(bytes, limit: limit) } }

    // MARK: Reading

    /// The request as it was sent, but redacted.
    var mockRequest: MockRequest {
        let content = content.withLock { $0 }
        var notes = RedactionNotes()
        let head = redactor?.redact(request, nil, &notes) ?? request
        let body = shown(content.requestBody, request.fields, isRequest: true)
        return MockRequest(
            head: HTTPRequest(head, origin: origin),
            body: body,
            trailers: HTTPFields(
                redactor?.redact(content.requestTrailers, "trailer", nil, &notes) ?? content.requestTrailers
            ),
            upstream: upstream
        )
    }

    /// The answer; nil if there was none.
    var mockResponse: MockResponse? {
        let content = content.withLock { $0 }
        guard let response = content.response else { return nil }
        var notes = RedactionNotes()
        let head = redactor?.redact(response, nil, &notes) ?? response
        return MockResponse(
            status: HTTPResponse.Status(code: head.status, reasonPhrase: Latin1.string(head.reason ?? [])),
            fields: HTTPFields(head.fields),
            body: shown(content.responseBody, response.fields, isRequest: false)
        )
    }

    var isTruncated: Bool { content.withLock { $0.requestBody.isTruncated || $0.responseBody.isTruncated } }

    /// Without content codings, and redacted. A body that cannot be decoded cannot be searched for secrets, and is left
    /// out.
    private func shown(_ body: Body, _ fields: Fields, isRequest: Bool) -> [UInt8] {
        let isCoded = !listMembers(fields.values("content-encoding")).allSatisfy {
            equalsIgnoringCase($0, "identity".utf8)
        }
        let decoded = DecodedBody.decode(body.bytes, fields)
        guard let redactor else { return decoded }
        if isCoded, decoded == body.bytes { return [] }
        var notes = RedactionNotes()
        return redactor.redact(body: decoded, fields, nil, isRequest: isRequest, &notes)
    }
}

extension ExchangeLog: Equatable {
    static func == (left: ExchangeLog, right: ExchangeLog) -> Bool { left === right }
}
