import HTTPMessages
import HTTPWire
import NIOCore
import NIOHPACK

/// A whole response, as HTTP/2 sends it.
struct HTTP2Answer: Sendable {
    var informational: [HPACKHeaders] = []
    var head = HPACKHeaders()
    var body: [ByteBuffer] = []
    var trailers: HPACKHeaders?

    /// Whether it can be sent (`HTTP2Limits.fits`).
    private(set) var fits = false

    /// Reads a response that was made for HTTP/1.1. The bytes of the body are shared, not copied.
    ///
    /// - Parameter bytes: one whole response of this server.
    init(http1 bytes: ByteBuffer) {
        let request = RequestHead(method: Array("GET".utf8), target: [UInt8(ascii: "/")], version: .http2)
        var parser = ResponseParser(answersHEAD: false)
        parser.append(bytes)
        // What this server has made is readable. If it were not, it would not fit.
        while let part = try? parser.next() { take(part, request) }
    }

    private mutating func take(_ part: WirePart<ResponseHead>, _ request: RequestHead) {
        switch part {
        case .informational(let head): informational.append(HPACKHeaders(informational: head))
        case .head(let head): self.head = HPACKHeaders(head, length: head.bodyLength, answers: request)
        case .body(let bytes): body.append(bytes)
        case .end(let trailers):
            self.trailers = HPACKHeaders(trailers: trailers)
            fits = HTTP2Limits.fits(head) && self.trailers.map(HTTP2Limits.fits) ?? true
        case .chunk: break
        }
    }
}
