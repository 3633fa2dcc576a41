import HTTPMessages
import NIOCore
import NIOHTTP2

/// The way of one connection to the library that turns frames into bytes: what both sides of HTTP/2 have in common.
///
/// What is written while frames that have arrived are being handled goes out at their end.
final class FrameLink: NIOHTTP2FrameDelegate {
    private var context: ChannelHandlerContext?
    var isReading = false
    /// Whether the library has found the connection to be broken, and has said so to the peer.
    private(set) var isBroken = false
    /// Called within the library's work with the stream and the bytes of a DATA frame: nothing may be written from there.
    var whenWritten: ((HTTP2StreamID, Int) -> Void)?

    func open(_ context: ChannelHandlerContext) { self.context = context }

    func close() {
        context = nil
        whenWritten = nil
    }

    /// Must be called once the codec is in front of the handler.
    func begin() {
        // RFC 9113 §6.9.2.
        let initial = 65_535
        extendWindow(of: .rootStream, by: HTTP2Limits.connectionWindow - initial)
    }

    var isWritable: Bool { context?.channel.isWritable ?? true }

    func write(_ payload: HTTP2Frame.FramePayload, to id: HTTP2StreamID) {
        guard !isBroken else { return }
        context?.write(NIOAny(HTTP2Frame(streamID: id, payload: payload)), promise: nil)
    }

    func flush() {
        if !isReading { context?.flush() }
    }

    func extendWindow(of id: HTTP2StreamID, by bytes: Int) {
        write(.windowUpdate(windowSizeIncrement: bytes), to: id)
        flush()
    }

    func reset(_ id: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        write(.rstStream(code), to: id)
        flush()
    }

    /// Keeps the window of the connection open: what one stream does not read must not hold up the others.
    func connectionWindowChanged(to size: Int?) {
        guard let size, size <= HTTP2Limits.connectionWindow / 2 else { return }
        extendWindow(of: .rootStream, by: HTTP2Limits.connectionWindow - size)
    }

    func wroteFrame(_ frame: HTTP2Frame) {
        switch frame.payload {
        case .data(let data): whenWritten?(frame.streamID, data.data.readableBytes)
        case .goAway(_, let code, _): if code != .noError { isBroken = true }
        default: break
        }
    }
}

/// The body that a peer sends on one stream: how much more it may send (RFC 9113 §5.2), and whether it keeps its word.
struct InboundBody {
    private let length: BodyLength
    private var received = 0
    private var window = HTTP2Limits.streamWindow
    var isPaused: Bool
    private(set) var lastRead = NIODeadline.now()
    private(set) var isComplete = false

    init(_ length: BodyLength, isPaused: Bool = false) { (self.length, self.isPaused) = (length, isPaused) }

    /// - Returns: false if that is more than was announced.
    mutating func receive(_ bytes: Int) -> Bool {
        lastRead = .now()
        received += bytes
        if case .known(let length) = length { return received <= length }
        return true
    }

    /// - Returns: false if that is less than was announced.
    mutating func end() -> Bool {
        isComplete = true
        if case .known(let length) = length { return received == length }
        return true
    }

    /// Something else has arrived, or is awaited from now on.
    mutating func touch() { lastRead = .now() }

    /// What the peer does while it may not send is not known.
    mutating func resume() {
        isPaused = false
        lastRead = .now()
    }

    mutating func windowChanged(to size: Int) { window = size }

    /// By how much the window is to be extended; nil if not now.
    var missingWindow: Int? {
        guard !isPaused, !isComplete, window <= HTTP2Limits.streamWindow / 2 else { return nil }
        return HTTP2Limits.streamWindow - window
    }
}

/// The body that is sent on one stream: how much of it waits for the peer.
struct OutboundBody {
    private(set) var buffered = 0
    private var progress = OutputProgress()

    mutating func write(_ bytes: Int) {
        buffered += bytes
        progress.written += bytes
    }

    mutating func sent(_ bytes: Int) { buffered -= bytes }

    var isFull: Bool { buffered >= HTTP2Limits.outputLimit }

    /// As `OutputProgress.hasStalled`.
    mutating func hasStalled(_ now: NIODeadline, limit: TimeAmount) -> Bool {
        progress.hasStalled(buffered: buffered, now, limit: limit)
    }
}
