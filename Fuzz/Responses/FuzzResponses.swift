import HTTPMessages
import HTTPWire
import NIOCore

/// Gives the input to the response parser whole and in pieces, which must make no difference, and what was accepted back to
/// it, which must be accepted again as the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzResponses(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let whole = read([bytes])
    precondition(read(pieces(of: bytes)) == whole, "splitting the input changes what is read")
    for message in whole.messages {
        let again = read([message.serialised])
        precondition(again.messages == [message] && again.error == nil, "what was accepted is not accepted again")
    }
    return 0
}

private struct Message: Equatable {
    var head: ResponseHead
    var chunks: [Int] = []
    var body: [UInt8] = []
    var trailers = Fields()

    var serialised: [UInt8] {
        var output = ByteBuffer()
        output.writeResponseHead(head)
        if head.bodyLength == .unknown && head.isChunked {
            var rest = body[...]
            for size in chunks {
                output.writeChunkStart(size: size)
                output.writeBytes(rest.prefix(size))
                output.writeChunkEnd()
                rest = rest.dropFirst(size)
            }
            output.writeLastChunk(trailers: trailers)
        } else {
            output.writeBytes(body)
        }
        return Array(output.readableBytesView)
    }
}

private struct Reading: Equatable {
    var messages: [Message] = []
    var current: Message?
    var informational: [ResponseHead] = []
    var error: WireError?
}

private func read(_ pieces: [[UInt8]]) -> Reading {
    var limits = WireLimits()
    limits.fieldSection = 4096
    limits.fieldCount = 30
    var parser = ResponseParser(answersHEAD: false, limits: limits)
    var reading = Reading()
    do {
        for piece in pieces {
            parser.append(ByteBuffer(bytes: piece))
            while let part = try parser.next() {
                switch part {
                case .head(let head): reading.current = Message(head: head)
                case .chunk(let size): reading.current?.chunks.append(size)
                case .body(let bytes): reading.current?.body.append(contentsOf: bytes.readableBytesView)
                case .end(let trailers):
                    reading.current?.trailers = trailers
                    if let message = reading.current { reading.messages.append(message) }
                    reading.current = nil
                case .informational(let head): reading.informational.append(head)
                }
            }
        }
        if try parser.finish() {
            if let message = reading.current { reading.messages.append(message) }
            reading.current = nil
        }
    } catch {
        reading.error = error
    }
    return reading
}

/// Cuts the input at places that depend on it, so that a finding can be repeated.
private func pieces(of bytes: [UInt8]) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = bytes[...]
    var state = UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15 | 1
    while !rest.isEmpty {
        state = state &* 6_364_136_223_846_793_005 &+ UInt64(rest[rest.startIndex]) | 1
        let piece = rest.prefix(1 + Int(state >> 33) % 9)
        pieces.append(Array(piece))
        rest = rest.dropFirst(piece.count)
    }
    return pieces
}
