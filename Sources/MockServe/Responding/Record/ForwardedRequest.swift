import HTTPMessages
import MockServeCore
import NIOCore

/// A request on its way to the upstream: mapped, held for as long as necessary, and sent on as it arrives.
final class ForwardedRequest {
    /// As the upstream should see it.
    private(set) var head: RequestHead
    private(set) var trailers = Fields()
    private(set) var isComplete = false
    private var mapping: BodyMapping?
    /// Set while it belongs to this request: after the answer it may be used for another.
    private(set) var stream: (any UpstreamStream)?
    /// Bytes that wait for the stream, or for the mapping to be complete.
    private var waiting: [ByteBuffer] = []
    private(set) var waitingBytes = 0

    /// What was sent of the body, for as long as it may have to be sent again; nil if that is too much.
    private var sent: [ByteBuffer]? = []
    private var sentBytes = 0
    private static let repeatLimit = 64 << 10

    init(_ request: RequestHead, _ map: OriginMap) {
        head = map.mapRequest(request)
        mapping = map.requestBodyMapping(for: request)
    }

    /// Whether nothing is sent before the body is complete, because its length may change.
    var isCollecting: Bool { mapping?.isCollecting == true }

    /// Whether it may be sent again on another connection (RFC 9110 §9.2.2).
    var isRepeatable: Bool { head.bodyLength == .none && head.isIdempotent }

    /// The next bytes of the body as the upstream should see them; empty if there are none yet.
    func map(_ bytes: ByteBuffer) -> ByteBuffer {
        guard mapping != nil else { return bytes }
        return ByteBuffer(bytes: mapping?.push(Array(bytes.readableBytesView)) ?? [])
    }

    /// What the mapping held back until the end of the body.
    func endOfMapping() -> ByteBuffer { ByteBuffer(bytes: mapping?.finish() ?? []) }

    /// The request is complete.
    func complete(trailers: Fields) {
        self.trailers = trailers
        isComplete = true
    }

    /// Sends bytes of the body, or holds them until there is a stream.
    func send(_ bytes: ByteBuffer) {
        guard let stream else {
            waiting.append(bytes)
            waitingBytes += bytes.readableBytes
            return
        }
        keep(bytes)
        stream.send(bytes)
    }

    private func keep(_ bytes: ByteBuffer) {
        sentBytes += bytes.readableBytes
        if sentBytes <= Self.repeatLimit { sent?.append(bytes) } else { sent = nil }
    }

    /// Whether all that was sent can be sent once more.
    var isKept: Bool { sent != nil }

    /// The upstream has not looked at what it was sent: it waits for another stream now.
    func takeBack() {
        let kept = sent ?? []
        waiting = kept + waiting
        waitingBytes += sentBytes
        (sent, sentBytes) = ([], 0)
    }

    /// What waits is the whole body: its length is known now. It stays unknown if the client did not announce one.
    func sayLength() {
        if head.bodyLength != .unknown { head.bodyLength = .known(waitingBytes) }
    }

    func begin(on stream: any UpstreamStream, receiver: any UpstreamReceiver) {
        self.stream = stream
        let held = waiting
        waiting = []
        waitingBytes = 0
        stream.begin(head, receiver: receiver)
        for bytes in held {
            // It may have failed meanwhile, and waits for another one.
            guard self.stream === stream else {
                waiting.append(bytes)
                waitingBytes += bytes.readableBytes
                continue
            }
            keep(bytes)
            stream.send(bytes)
        }
        finishIfComplete()
    }

    func finishIfComplete() {
        if isComplete { stream?.finish(trailers: trailers) }
    }

    /// The stream no longer belongs to this request.
    func leaveStream() { stream = nil }
}
