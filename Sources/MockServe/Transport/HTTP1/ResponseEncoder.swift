import HTTPMessages
import HTTPWire
import NIOCore

/// Turns one response into the bytes of HTTP/1.1 for one request. Body bytes are left to the caller, so that long ones
/// need not be copied.
struct ResponseEncoder {
    /// Nil before the head and after the end.
    private(set) var framing: ResponseFraming?
    private var openChunk = 0
    /// What was written and not yet taken.
    var output = ByteBuffer()

    /// Whether `output` gets the body too, so that room is reserved for it.
    private let holdsBody: Bool

    init(holdsBody: Bool = false) {
        self.holdsBody = holdsBody
    }

    var hasBegun: Bool { framing != nil }

    /// Whether only the end of the connection tells the client that the response has ended.
    var endsWithConnection: Bool { framing.map { $0.hasBody && $0.length == nil && !$0.isChunked } ?? false }

    mutating func writeInformational(_ head: ResponseHead) {
        output.writeResponseHead(ResponseFraming.informational(head))
    }

    /// Gives up the response that has begun, where it is.
    mutating func abandon() {
        framing = nil
        openChunk = 0
    }

    /// - Parameter closes: whether the connection ends after the response.
    mutating func begin(_ head: ResponseHead, length: BodyLength, answers request: RequestHead, closes: Bool) {
        let framing = ResponseFraming(head, length: length, answers: request, closes: closes)
        self.framing = framing
        var size = framing.headSize
        if holdsBody, case .known(let bytes) = length { size += bytes }
        output.reserveCapacity(minimumWritableBytes: size)
        output.writeResponseHead(framing.head)
    }

    mutating func startChunk(size: Int) {
        guard let framing, framing.isChunked, openChunk == 0, size > 0 else { return }
        output.writeChunkStart(size: size)
        openChunk = size
    }

    /// - Returns: whether `count` bytes of the body must be written now, followed by `endPiece`.
    mutating func beginPiece(_ count: Int) -> Bool {
        guard let framing, framing.hasBody, count > 0 else { return false }
        if framing.isChunked, openChunk == 0 { startChunk(size: count) }
        return true
    }

    mutating func endPiece(_ count: Int) {
        guard let framing, framing.isChunked else { return }
        openChunk -= count
        if openChunk == 0 { output.writeChunkEnd() }
    }

    /// - Returns: whether the connection ends after the response; nil if there was none.
    mutating func finish(trailers: Fields) -> Bool? {
        guard let framing else { return nil }
        if framing.isChunked { output.writeLastChunk(trailers: trailers) }
        self.framing = nil
        openChunk = 0
        return framing.closes
    }
}
