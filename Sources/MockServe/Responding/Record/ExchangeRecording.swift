import CassetteStore
import HTTPMessages
import MockServeCore
import NIOCore

/// Collects what is recorded of an exchange: both bodies, when the pieces of the answer arrived, and the match key.
final class ExchangeRecording {
    /// Nil if nothing is recorded.
    let writer: CassetteWriter?
    private let origin: String
    private let arrival = Clock.now()
    private let key: MatchKeyBuilder
    private var matchKey: MatchKey?
    private let request: RequestHead
    private var requestBody: BodyCollector
    private var informational: [ResponseHead] = []
    private(set) var response: ResponseHead?
    private var headTime = Clock.now()
    private var responseBody: BodyCollector
    private var pieces = ChunkLog()
    private var hasMarks = false
    /// Of a call of gRPC.
    private var log: ConversationLog?
    /// Whether the pieces of the answer are its messages.
    private var hasMessages = false
    private var responseSize = 0

    /// - Parameter request: as the upstream should see it.
    init(_ request: RequestHead, from origin: String, _ writer: CassetteWriter?) {
        self.writer = writer
        self.origin = origin
        self.request = request
        key = MatchKeyBuilder(request, writer?.rules ?? .none)
        requestBody = BodyCollector(writer, request)
        requestBody.redact(request.fields, "request body")
        if writer != nil, request.fields.formOfGRPC == .binary { log = ConversationLog() }
        responseBody = BodyCollector(writer, request)
    }

    // MARK: Messages, in order

    /// - Returns: whether bytes were handed to the writer, which may be congested then.
    func append(request bytes: ByteBuffer) -> Bool {
        bytes.withUnsafeReadableBytes { bytes in
            key.update(bytes)
            log?.append(request: bytes, at: sinceArrival)
        }
        return requestBody.append(bytes)
    }

    /// The request is complete. What its answer tells to be secret does not change its key: a client asks before it knows.
    func endRequest() {
        if writer != nil { matchKey = key.key(origin: origin) }
        log?.end(.client, at: sinceArrival)
    }

    /// The answer has ended the request where it was.
    func cutRequest() { if writer != nil { matchKey = key.key(origin: origin) } }

    func append(informational head: ResponseHead) {
        informational.append(head)
        responseBody.learn(from: head.fields)
    }

    func begin(_ head: ResponseHead) {
        response = head
        headTime = Clock.now()
        responseBody.redact(head.fields, "response body")
        hasMessages = log != nil && head.fields.formOfGRPC == .binary
    }

    /// The next `size` bytes of the answer are one piece, however they are read from the socket.
    func mark(piece size: Int) {
        guard !hasMessages else { return }
        hasMarks = true
        pieces.begin(size: size, at: sinceHead)
    }

    /// - Returns: as for the request.
    func append(response bytes: ByteBuffer) -> Bool {
        responseSize += bytes.readableBytes
        if hasMessages {
            let offset = sinceHead
            bytes.withUnsafeReadableBytes { bytes in
                log?.append(response: bytes, at: sinceArrival) { pieces.begin(size: $0, at: offset) }
            }
        } else if !hasMarks {
            pieces.add(size: bytes.readableBytes, at: sinceHead)
        }
        return responseBody.append(bytes)
    }

    /// Whether the answer may come before the end of the request, and ends it: what the client has said by then is all of it.
    var endsWithAnswer: Bool { hasMessages }

    func endResponse() {
        log?.end(.server, at: sinceArrival)
        // The last message may not be complete, or may be none.
        if hasMessages { pieces.fit(responseSize) }
    }

    /// Milliseconds since the head of the answer.
    var sinceHead: Int { Clock.milliseconds(since: headTime) }

    private var sinceArrival: Int { Clock.milliseconds(since: arrival) }

    // MARK: The end

    /// The interaction to write; nil if there is no answer.
    ///
    /// - Throws: `BodyRedaction.Refusal` if a body must not be written.
    func interaction(
        requestTrailers: Fields,
        responseTrailers: Fields,
        _ cut: AnswerCut?,
        for writer: CassetteWriter
    ) throws -> NewInteraction? {
        guard let response else { return nil }
        let content = InteractionContent(
            origin: origin,
            request: request,
            requestTrailers: requestTrailers,
            informational: informational,
            response: response,
            responseTrailers: responseTrailers,
            matchKey: matchKey ?? key.key(origin: origin),
            recordedAt: arrival.unixMilliseconds,
            firstByte: headTime.milliseconds(since: arrival),
            chunks: pieces.chunks,
            cut: cut,
            conversation: log?.conversation ?? []
        )
        return try NewInteraction(content, key, &requestBody, &responseBody, for: writer)
    }

    func discard() {
        requestBody.discard()
        responseBody.discard()
    }
}
