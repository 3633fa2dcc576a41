import HTTPMessages
import HTTPWire
import MockServeCore
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One connection to an upstream that speaks HTTP/2 (RFC 9113), shared by any number of exchanges.
final class HTTP2UpstreamConnection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// How long a connection is kept that nothing uses.
    private static let idleLimit = TimeAmount.seconds(60)

    let origin: Origin
    let eventLoop: any EventLoop
    let link = FrameLink()
    private let readTimeout: TimeAmount
    /// Called when the upstream has said how much it takes, or why there will be no exchange.
    private var whenReady: ((Result<HTTP2UpstreamConnection, any Error>) -> Void)?
    /// Called when it can take no further exchanges.
    private let whenSpent: (HTTP2UpstreamConnection) -> Void
    private var context: ChannelHandlerContext?
    private var streams: [HTTP2StreamID: HTTP2UpstreamStream] = [:]
    private var next: HTTP2StreamID = 1
    /// Exchanges that the upstream takes at the same time.
    private var limit = 100
    private var isSpent = false
    /// Whether the upstream asks for much to be remembered of requests.
    private var remembersMuch = false
    private var lastUse = NIODeadline.now()
    /// Streams that the library has closed, and why.
    private var closed: [(HTTP2StreamID, HTTP2ErrorCode)] = []
    private var watch: RepeatedTask?
    private var home = HomeCheck()

    init(
        origin: Origin,
        on eventLoop: any EventLoop,
        readTimeout: TimeAmount,
        whenReady: @escaping (Result<HTTP2UpstreamConnection, any Error>) -> Void,
        whenSpent: @escaping (HTTP2UpstreamConnection) -> Void
    ) {
        self.whenReady = whenReady
        self.origin = origin
        self.eventLoop = eventLoop
        self.readTimeout = readTimeout
        self.whenSpent = whenSpent
    }

    func makeCodec() -> NIOHTTP2Handler {
        HTTP2Limits.codec(.client, fieldSection: WireLimits().fieldSection, link)
    }

    /// Whether it takes one more exchange.
    var isUsable: Bool { !isSpent && streams.count < limit && context?.channel.isActive == true }

    func leads(to listeners: @autoclosure () -> [Origin]) -> Bool { home.leads(context?.channel, to: listeners) }

    /// A stream for one exchange. Only if `isUsable`.
    func stream() -> any UpstreamStream { HTTP2UpstreamStream(self, isFirst: next == 1) }

    func cancel() { context?.close(promise: nil) }

    // MARK: What streams ask for

    var isWritable: Bool { link.isWritable }

    /// - Returns: nil if the connection is gone.
    func open(_ stream: HTTP2UpstreamStream) -> HTTP2StreamID? {
        guard context != nil, !isSpent else { return nil }
        let id = next
        next = next.advanced(by: 2)
        streams[id] = stream
        // RFC 9113 §5.1.1: the numbers do not begin again.
        let last = remembersMuch ? 2 * HTTP2Limits.rememberedAnswers : Int(Int32.max) - 2
        if Int(next) > last { spend() }
        lastUse = .now()
        return id
    }

    func close(_ id: HTTP2StreamID) {
        streams[id] = nil
        if isSpent, streams.isEmpty { context?.close(promise: nil) }
    }

    private func spend() {
        guard !isSpent else { return }
        isSpent = true
        whenSpent(self)
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        link.open(context)
        link.whenWritten = { [unowned self] id, bytes in streams[id]?.wrote(bytes) }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let interval = TimeAmount.nanoseconds(min(max(readTimeout.nanoseconds / 8, 5_000_000), 10_000_000_000))
        watch = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            bound.value.checkTimeouts()
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        link.close()
        watch?.cancel()
        watch = nil
        spend()
        fail(ChannelError.eof)
    }

    private func checkTimeouts() {
        let now = NIODeadline.now()
        for stream in streams.values { stream.check(now, readTimeout) }
        if streams.isEmpty, now - lastUse > Self.idleLimit {
            spend()
            context?.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        link.isReading = true
        let frame = unwrapInboundIn(data)
        switch frame.payload {
        case .headers(let headers): streams[frame.streamID]?.receive(headers)
        case .data(let data):
            guard case .byteBuffer(let bytes) = data.data else { return }
            streams[frame.streamID]?.receive(bytes, isEnd: data.endStream)
        case .rstStream(let code): streams[frame.streamID]?.wasReset(code)
        case .goAway(let last, _, _):
            spend()
            // Those beyond it were not looked at (RFC 9113 §6.8).
            for (id, stream) in streams where id > last { stream.wasReset(.refusedStream) }
            closed.removeAll { $0.0 > last }
            if streams.isEmpty { context.close(promise: nil) }
        case .settings(.settings(let settings)):
            for setting in settings where setting.parameter == .maxConcurrentStreams { limit = setting.value }
            if settings.remembersMuch { remembersMuch = true }
            // Its first frame (RFC 9113 §3.4).
            tell(.success(self))
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        link.isReading = false
        resetClosed()
        link.flush()
        for stream in streams.values { stream.receivedAll() }
        context.fireChannelReadComplete()
    }

    private func resetClosed() {
        let closed = closed
        self.closed = []
        for (id, code) in closed { streams[id]?.wasReset(code) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as NIOHTTP2WindowUpdatedEvent:
            if event.streamID == .rootStream { return link.connectionWindowChanged(to: event.inboundWindowSize) }
            if let size = event.inboundWindowSize { streams[event.streamID]?.windowChanged(to: size) }
        case let event as StreamClosedEvent:
            // A GOAWAY that closes it may be told only after this.
            if let code = event.reason, streams[event.streamID] != nil { closed.append((event.streamID, code)) }
            if !link.isReading { resetClosed() }
        case let event as ChannelEvent where event == .inputClosed: context.close(promise: nil)
        case is NIOHTTP2StreamCreatedEvent, is NIOHTTP2BulkStreamWindowChangeEvent: break
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            for stream in streams.values { stream.writabilityRestored() }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        spend()
        fail(ChannelError.eof)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? NIOHTTP2Errors.StreamError {
            streams[error.streamID]?.fail(error.baseError)
        } else if link.isBroken || !(error is any NIOHTTP2Error) {
            spend()
            fail(error)
            context.close(promise: nil)
        }
    }

    private func tell(_ result: Result<HTTP2UpstreamConnection, any Error>) {
        let tell = whenReady
        whenReady = nil
        tell?(result)
    }

    private func fail(_ error: any Error) {
        // Anything may answer to what we have sent.
        tell(.failure(error is any NIOHTTP2Error ? UpstreamFailure.isNotHTTP2(origin) : error))
        let lost = streams.values
        streams = [:]
        for stream in lost { stream.fail(error) }
    }
}
