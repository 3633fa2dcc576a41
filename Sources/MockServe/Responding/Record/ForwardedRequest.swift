import HTTPMessages
import MockServeCore
import NIOCore

/// A request on its way to the upstream: mapped, held for as long as must be, and sent on as it comes.
final class ForwardedRequest {
    /// As the upstream is to see it.
    private(set) var head: RequestHead
    private(set) var trailers = Fields()
    private(set) var isComplete = false
    private var mapping: BodyMapping?
    /// While it belongs to this request: from the end of the answer on it may be another's.
    private(set) var stream: (any UpstreamStream)?
    /// What waits for the stream, or for the mapping to be complete.
    private var waiting: [ByteBuffer] = []
    private(set) var waitingBytes = 0

    init(_ request: RequestHead, _ map: OriginMap) {
        head = map.mapRequest(request)
        mapping = map.requestBodyMapping(for: request)
    }

    /// Whether nothing is sent before the body is complete, as its length may change.
    var isCollecting: Bool { mapping?.isCollecting == true }

    /// Whether it may be sent again on another connection (RFC 9110 §9.2.2).
    var isRepeatable: Bool { head.bodyLength == .none && head.isIdempotent }

    /// What the upstream is to see of the next bytes of the body; empty if nothing yet.
    func map(_ bytes: ByteBuffer) -> ByteBuffer {
        guard mapping != nil else { return bytes }
        return ByteBuffer(bytes: mapping?.push(Array(bytes.readableBytesView)) ?? [])
    }

    /// What the mapping has held back until the end of the body.
    func endOfMapping() -> ByteBuffer { ByteBuffer(bytes: mapping?.finish() ?? []) }

    /// Nothing comes after what was sent.
    func complete(trailers: Fields) {
        self.trailers = trailers
        isComplete = true
    }

    /// Sends bytes of the body, or holds them until there is a stream.
    func send(_ bytes: ByteBuffer) {
        if let stream { return stream.send(bytes) }
        waiting.append(bytes)
        waitingBytes += bytes.readableBytes
    }

    /// Everything that waits is the whole body: its length is known now, unless none was said.
    func sayLength() {
        if head.bodyLength != .unknown { head.bodyLength = .known(waitingBytes) }
    }

    func begin(on stream: any UpstreamStream, receiver: any UpstreamReceiver) {
        self.stream = stream
        stream.begin(head, receiver: receiver)
        let held = waiting
        waiting = []
        waitingBytes = 0
        for bytes in held { stream.send(bytes) }
        finishIfComplete()
    }

    func finishIfComplete() {
        if isComplete { stream?.finish(trailers: trailers) }
    }

    /// The stream is not this request's any more.
    func leaveStream() { stream = nil }
}
