import HTTPMessages
public import Foundation
public import HTTPTypes

/// The answer of a ``Responder``.
public struct MockResponse: Sendable {
    /// A body, whole or piece by piece.
    public struct Body: Sendable {
        enum Kind: Sendable {
            case bytes([UInt8])
            case stream(AsyncThrowingStream<[UInt8], any Error>)
            case abort
        }

        let kind: Kind

        /// Sent with `Content-Length`.
        public static func bytes(_ bytes: [UInt8]) -> Body { Body(kind: .bytes(bytes)) }

        /// Each element is sent as it arrives, as one chunk. An error cuts the connection.
        public static func stream(_ pieces: AsyncThrowingStream<[UInt8], any Error>) -> Body {
            Body(kind: .stream(pieces))
        }
    }

    /// The status, 200 or more.
    public var status: HTTPResponse.Status
    /// The fields. The server sets `Content-Length` and `Transfer-Encoding`, and adds `Date` if it is missing.
    public var fields: HTTPFields
    /// The body. Default: empty.
    public var body: Body
    /// The trailer fields. With any, the body is sent in chunks. Default: none.
    public var trailers: HTTPFields = [:]
    /// Informational responses (1xx) that are sent first, such as `103 Early Hints`. Default: none.
    public var informational: [HTTPResponse] = []
    /// How long to wait before answering. Default: not at all.
    public var delay: Duration = .zero

    /// Any response.
    public init(status: HTTPResponse.Status, fields: HTTPFields = [:], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = .bytes(body)
    }

    /// A response whose body is sent piece by piece.
    public init(
        status: HTTPResponse.Status,
        fields: HTTPFields = [:],
        stream: AsyncThrowingStream<[UInt8], any Error>
    ) {
        self.status = status
        self.fields = fields
        body = .stream(stream)
    }

    /// `text/plain; charset=utf-8`.
    public static func text(_ text: String, status: HTTPResponse.Status = .ok) -> MockResponse {
        MockResponse(status: status, fields: [.contentType: "text/plain; charset=utf-8"], body: Array(text.utf8))
    }

    /// `application/json`, from text that is already JSON.
    public static func json(_ json: String, status: HTTPResponse.Status = .ok) -> MockResponse {
        MockResponse(status: status, fields: [.contentType: "application/json"], body: Array(json.utf8))
    }

    /// `application/json`, from a value.
    ///
    /// - Parameters:
    ///   - value: what is written.
    ///   - status: default `200 OK`.
    ///   - encoder: unless it has output formatting of its own, it sorts keys, so that equal values give equal bytes. Default: a
    ///     new one.
    /// - Throws: `EncodingError` if the value cannot be written as JSON.
    public static func json(
        _ value: some Encodable,
        status: HTTPResponse.Status = .ok,
        encoder: JSONEncoder? = nil
    ) throws -> MockResponse {
        let encoder = encoder ?? JSONEncoder()
        if encoder.outputFormatting.isEmpty { encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes] }
        let body = Array(try encoder.encode(value))
        return MockResponse(status: status, fields: [.contentType: "application/json"], body: body)
    }

    /// An empty answer with `Location`.
    ///
    /// - Parameters:
    ///   - location: a URL, absolute or relative to that of the request.
    ///   - status: default `302 Found`.
    public static func redirect(to location: String, status: HTTPResponse.Status = .found) -> MockResponse {
        MockResponse(status: status, fields: [.location: location])
    }

    /// The content of a file.
    ///
    /// - Parameters:
    ///   - path: of the file.
    ///   - contentType: by default chosen by the file name extension, for types that web pages consist of; otherwise
    ///     `application/octet-stream`.
    /// - Throws: if the file cannot be read.
    public static func file(_ path: String, contentType: String? = nil) throws -> MockResponse {
        let url = URL(fileURLWithPath: path)
        let type = contentType ?? fileTypes[url.pathExtension.lowercased()] ?? "application/octet-stream"
        return MockResponse(status: .ok, fields: [.contentType: type], body: Array(try Data(contentsOf: url)))
    }

    private static let fileTypes = [
        "html": "text/html; charset=utf-8", "htm": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8", "mjs": "text/javascript; charset=utf-8", "json": "application/json",
        "txt": "text/plain; charset=utf-8", "xml": "application/xml", "svg": "image/svg+xml", "png": "image/png",
        "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "ico": "image/x-icon",
        "woff2": "font/woff2", "pdf": "application/pdf", "wasm": "application/wasm",
    ]

    /// Server-sent events, each sent as it arrives. The answer ends with the sequence.
    public static func events<Events: AsyncSequence & Sendable>(_ events: Events) -> MockResponse
    where Events.Element == ServerSentEvent {
        let source = EventSource(events)
        // Pulled one by one, so that no more is held than the client takes.
        let pieces = AsyncThrowingStream<[UInt8], any Error> { try await source.next()?.bytes }
        let fields: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        return MockResponse(status: .ok, fields: fields, stream: pieces)
    }

    /// Server-sent events, all at once.
    public static func events(_ events: [ServerSentEvent]) -> MockResponse {
        let fields: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        return MockResponse(status: .ok, fields: fields, body: events.flatMap(\.bytes))
    }

    /// No answer: the connection is reset.
    public static var abort: MockResponse {
        var response = MockResponse(status: .ok)
        response.body = Body(kind: .abort)
        return response
    }

    /// The same response after a delay.
    public func delayed(by delay: Duration) -> MockResponse {
        var response = self
        response.delay = delay
        return response
    }
}

/// An event in a stream of type `text/event-stream` (WHATWG HTML §9.2).
public struct ServerSentEvent: Sendable, Equatable {
    /// The data; may have several lines.
    public var data: String
    /// The type of the event; nil for `message`.
    public var event: String?
    /// What the client sends in `Last-Event-ID` when it reconnects.
    public var id: String?

    /// Line breaks in `event` and `id` are left out.
    public init(data: String, event: String? = nil, id: String? = nil) {
        self.data = data
        self.event = event
        self.id = id
    }

    var bytes: [UInt8] {
        func line(_ name: String, _ value: String?) -> String {
            value.map { "\(name): \($0.filter { !$0.isNewline })\n" } ?? ""
        }
        let lines = data.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { "data: \($0)\n" }
        return Array((line("event", event) + line("id", id) + lines.joined() + "\n").utf8)
    }
}

/// Used by one task, one event after another, so it may be passed to that task.
private final class EventSource<Events: AsyncSequence & Sendable>: @unchecked Sendable
where Events.Element == ServerSentEvent {
    private var iterator: Events.AsyncIterator

    init(_ events: Events) { iterator = events.makeAsyncIterator() }

    func next() async throws -> ServerSentEvent? {
        var iterator = iterator
        defer { self.iterator = iterator }
        return try await iterator.next()
    }
}
