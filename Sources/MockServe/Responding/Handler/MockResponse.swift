import HTTPMessages
public import Foundation
public import HTTPTypes

/// What a ``Responder`` answers.
public struct MockResponse: Sendable {
    /// A body, at once or piece by piece.
    public struct Body: Sendable {
        enum Kind: Sendable {
            case bytes([UInt8])
            case stream(AsyncThrowingStream<[UInt8], any Error>)
            case abort
        }

        let kind: Kind

        /// Sent with `Content-Length`.
        public static func bytes(_ bytes: [UInt8]) -> Body { Body(kind: .bytes(bytes)) }

        /// Each element is sent as it comes, as one chunk; an error cuts the connection.
        public static func stream(_ pieces: AsyncThrowingStream<[UInt8], any Error>) -> Body {
            Body(kind: .stream(pieces))
        }
    }

    /// Status from 200 on.
    public var status: HTTPResponse.Status
    /// Fields; `Content-Length` and `Transfer-Encoding` are put right by the server, and `Date` is added.
    public var fields: HTTPFields
    /// Default: empty.
    public var body: Body
    /// Fields after the body, which is then sent in chunks. Default: none.
    public var trailers: HTTPFields = [:]
    /// Answers with a status of 1xx that are sent first, such as `103 Early Hints`. Default: none.
    public var informational: [HTTPResponse] = []
    /// How long the client waits for the answer to begin. Default: not at all.
    public var delay: Duration = .zero

    /// Any response.
    public init(status: HTTPResponse.Status, fields: HTTPFields = [:], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = .bytes(body)
    }

    /// A response whose body comes piece by piece.
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

    /// `application/json`, from a text that is JSON already.
    public static func json(_ json: String, status: HTTPResponse.Status = .ok) -> MockResponse {
        MockResponse(status: status, fields: [.contentType: "application/json"], body: Array(json.utf8))
    }

    /// `application/json`, from a value.
    ///
    /// - Parameter encoder: by default one that sorts keys, so that equal values give equal bytes.
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
    /// - Parameter status: default `302 Found`.
    public static func redirect(to location: String, status: HTTPResponse.Status = .found) -> MockResponse {
        MockResponse(status: status, fields: [.location: location])
    }

    /// What is in a file.
    ///
    /// - Parameter contentType: default: by the ending of its name, for those that web pages are made of; otherwise
    ///   `application/octet-stream`.
    /// - Throws: if it cannot be read.
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

    /// Server-sent events, each sent as it comes; the answer ends with the sequence.
    public static func events<Events: AsyncSequence & Sendable>(_ events: Events) -> MockResponse
    where Events.Element == ServerSentEvent {
        let source = EventSource(events)
        // Asked for one by one, so that no more is held than the client takes.
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

    /// The same after a while.
    public func delayed(by delay: Duration) -> MockResponse {
        var response = self
        response.delay = delay
        return response
    }
}

/// An event of a stream of type `text/event-stream` (WHATWG HTML §9.2).
public struct ServerSentEvent: Sendable, Equatable {
    /// May have several lines.
    public var data: String
    /// Its name; nil for `message`.
    public var event: String?
    /// What the client says in `Last-Event-ID` when it comes again.
    public var id: String?

    /// Line ends in `event` and `id` are left out.
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

/// Asked by one task, one event after another; hence it may be handed to that task.
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
