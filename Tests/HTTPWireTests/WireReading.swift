import HTTPMessages
import HTTPWire
import NIOCore

/// Text as bytes, one character U+0000…U+00FF a byte.
func octets(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

func text(_ bytes: some Sequence<UInt8>) -> String {
    var scalars = String.UnicodeScalarView()
    for byte in bytes { scalars.append(Unicode.Scalar(byte)) }
    return String(scalars)
}

/// A message as the parsers give it, for comparing whole.
struct ReadMessage<Head: Sendable & Equatable>: Equatable {
    var informational: [Head] = []
    var head: Head
    var body: [UInt8] = []
    var chunks: [Int] = []
    var trailers = Fields()
}

struct Reading<Head: Sendable & Equatable>: Equatable {
    var messages: [ReadMessage<Head>] = []
    /// The one that has begun and not ended.
    var unfinished: ReadMessage<Head>?
    var informational: [Head] = []
    var error: WireError?

    mutating func take(_ part: WirePart<Head>) {
        switch part {
        case .informational(let head): informational.append(head)
        case .head(let head):
            unfinished = ReadMessage(informational: informational, head: head)
            informational = []
        case .chunk(let size): unfinished?.chunks.append(size)
        case .body(let bytes): unfinished?.body.append(contentsOf: bytes.readableBytesView)
        case .end(let trailers):
            unfinished?.trailers = trailers
            if let message = unfinished { messages.append(message) }
            unfinished = nil
        }
    }
}

/// Reads requests from pieces of input, as they would come from a socket.
func readRequests(_ pieces: [[UInt8]]) -> Reading<RequestHead> {
    let parser = RequestParser()
    var reading = Reading<RequestHead>()
    do {
        for piece in pieces {
            parser.append(ByteBuffer(bytes: piece))
            while let part = try parser.next() { reading.take(part) }
        }
    } catch {
        reading.error = error
    }
    return reading
}

/// Reads one response and the end of the connection.
func readResponse(_ pieces: [[UInt8]], answersHEAD: Bool = false, closes: Bool = true) -> Reading<ResponseHead> {
    var parser = ResponseParser(answersHEAD: answersHEAD)
    var reading = Reading<ResponseHead>()
    do {
        for piece in pieces {
            parser.append(ByteBuffer(bytes: piece))
            while let part = try parser.next() { reading.take(part) }
        }
        if closes, try parser.finish() { reading.take(.end(trailers: Fields())) }
    } catch {
        reading.error = error
    }
    return reading
}

/// A request back to bytes, chunks as they were.
func serialise(_ message: ReadMessage<RequestHead>) -> [UInt8] {
    var output = ByteBuffer()
    output.writeRequestHead(message.head)
    serialiseBody(
        message.body,
        message.chunks,
        message.trailers,
        isChunked: message.head.bodyLength == .unknown,
        &output
    )
    return Array(output.readableBytesView)
}

func serialise(_ message: ReadMessage<ResponseHead>) -> [UInt8] {
    var output = ByteBuffer()
    for head in message.informational { output.writeResponseHead(head) }
    output.writeResponseHead(message.head)
    let isChunked = message.head.bodyLength == .unknown && message.head.isChunked
    serialiseBody(message.body, message.chunks, message.trailers, isChunked: isChunked, &output)
    return Array(output.readableBytesView)
}

private func serialiseBody(
    _ body: [UInt8],
    _ chunks: [Int],
    _ trailers: Fields,
    isChunked: Bool,
    _ output: inout ByteBuffer
) {
    guard isChunked else {
        output.writeBytes(body)
        return
    }
    var rest = body[...]
    for size in chunks {
        output.writeChunkStart(size: size)
        output.writeBytes(rest.prefix(size))
        output.writeChunkEnd()
        rest = rest.dropFirst(size)
    }
    output.writeLastChunk(trailers: trailers)
}
