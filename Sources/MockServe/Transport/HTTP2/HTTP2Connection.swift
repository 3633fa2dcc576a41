import HTTPMessages
import HTTPWire
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One client connection that speaks HTTP/2 (RFC 9113). A library turns bytes into frames and back, and refuses what is
/// wrong with them; this makes exchanges of them, one for every stream.
final class HTTP2Connection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private var reception: Reception
    private let limits: WireLimits
    let link = FrameLink()
    private var context: ChannelHandlerContext?
    private var streams: [HTTP2StreamID: HTTP2Stream] = [:]
    private var lastStream = HTTP2StreamID.rootStream
    private var isDraining = false
    /// Whether the client asks for much to be remembered of answers.
    private var remembersMuch = false
    private var requests = 0
    private var isClosing = false
    private var isInputClosed = false
    private var lifetime: ConnectionLifetime
    private var watch: RepeatedTask?

    init(_ reception: Reception) {
        self.reception = reception
        limits = WireLimits(reception.limits)
        lifetime = ConnectionLifetime(reception.timeouts, now: .now())
    }

    /// The handler of the library, which comes before this one.
    func makeCodec() -> NIOHTTP2Handler {
        HTTP2Limits.codec(.server, fieldSection: limits.fieldSection, link)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        link.open(context)
        link.whenWritten = { [unowned self] id, bytes in
            lifetime.wrote(bytes)
            streams[id]?.wrote(bytes)
        }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let interval = reception.timeouts.interval
        watch = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            bound.value.checkTimeouts()
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        link.close()
        watch?.cancel()
        watch = nil
        loseStreams()
    }

    // MARK: What has arrived

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        link.isReading = true
        lifetime.received(.now(), beginsHead: false)
        let frame = unwrapInboundIn(data)
        guard !isClosing else { return }
        switch frame.payload {
        case .headers(let headers): receive(headers, of: frame.streamID)
        case .data(let data):
            guard let stream = streams[frame.streamID], case .byteBuffer(let bytes) = data.data else { return }
            stream.receive(bytes)
            if data.endStream { stream.receiveEnd(trailers: Fields()) }
        case .goAway:
            isDraining = true
            closeIfDone()
        case .settings(.settings(let settings)):
            // What is remembered of the answers stays for as long as the connection.
            if settings.remembersMuch { remembersMuch = true }
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        link.isReading = false
        link.flush()
        context.fireChannelReadComplete()
    }

    private func receive(_ headers: HTTP2Frame.FramePayload.Headers, of id: HTTP2StreamID) {
        if let stream = streams[id] { return receiveTrailers(headers, stream) }
        lastStream = max(lastStream, id)
        requests += 1
        // Not before this request is among those that are under way.
        defer { if remembersMuch, requests > HTTP2Limits.rememberedAnswers { quiesce() } }
        let head: RequestHead
        do {
            head = try RequestHead(headers.headers, isWhole: headers.endStream, limits)
        } catch {
            return refuse(id, headers, error)
        }
        if headers.endStream, answerAtOnce(head, id) { return }
        guard let context else { return }
        let stream = HTTP2Stream(id, head, link, on: context.eventLoop)
        streams[id] = stream
        let (exchange, refusal) = reception.exchange(head, stream, shortCut: stream)
        stream.begin(exchange) { reception.answer($0, refusal) }
        if headers.endStream { stream.receiveEnd(trailers: Fields()) }
    }

    /// Fields after a body.
    private func receiveTrailers(_ headers: HTTP2Frame.FramePayload.Headers, _ stream: HTTP2Stream) {
        do {
            stream.receiveEnd(trailers: try FieldBlock.trailers(of: headers.headers, limits, isStrict: true))
        } catch {
            stream.fail(.protocolError)
        }
    }

    /// Answers a request that never becomes an exchange.
    private func refuse(_ id: HTTP2StreamID, _ headers: HTTP2Frame.FramePayload.Headers, _ error: WireError) {
        guard let context else { return }
        let method = Array((headers.headers.first(name: ":method") ?? "").utf8)
        let length: BodyLength = headers.endStream ? .none : .unknown
        let request = RequestHead(method: method, target: [], version: .http2, bodyLength: length)
        let stream = HTTP2Stream(id, request, link, on: context.eventLoop)
        streams[id] = stream
        if headers.endStream { stream.receiveEnd(trailers: Fields()) }
        stream.answer(Problem.badRequest(error))
    }

    /// Answers a request without a body with a prepared response, if there is one.
    private func answerAtOnce(_ head: RequestHead, _ id: HTTP2StreamID) -> Bool {
        guard let prepared = reception.prepared, prepared.arePrepared, head.takesPrepared, let context,
            let (origin, upstream) = reception.admit(head),
            let answer = prepared.preparedAnswer(to: head, sent: nil, from: origin, upstream, at: reception.entrance)
        else { return false }
        let stream = HTTP2Stream(id, head, link, on: context.eventLoop)
        streams[id] = stream
        stream.receiveEnd(trailers: Fields())
        stream.send(answer.forHTTP2)
        return true
    }

    // MARK: What happens to the connection

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as NIOHTTP2WindowUpdatedEvent: windowChanged(event)
        case let event as StreamClosedEvent:
            streams.removeValue(forKey: event.streamID)?.closed()
            closeIfDone()
        case let event as ChannelEvent where event == .inputClosed:
            isInputClosed = true
            isDraining = true
            for stream in streams.values { stream.inputClosed() }
            closeIfDone()
        case is QuiesceEvent: quiesce()
        case is NIOHTTP2StreamCreatedEvent, is NIOHTTP2BulkStreamWindowChangeEvent: break
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    private func windowChanged(_ event: NIOHTTP2WindowUpdatedEvent) {
        guard event.streamID != .rootStream else {
            return link.connectionWindowChanged(to: event.inboundWindowSize)
        }
        if let size = event.inboundWindowSize { streams[event.streamID]?.windowChanged(to: size) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            for stream in streams.values { stream.writabilityRestored() }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        loseStreams()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if link.isBroken { return end() }
        switch error {
        case let error as NIOHTTP2Errors.StreamError:
            // Something that was to be sent cannot be sent.
            streams[error.streamID]?.fail(.internalError)
        case is any NIOHTTP2Error:
            // Of one stream, which the library has reset.
            break
        default: context.close(promise: nil)
        }
    }

    private func loseStreams() {
        let lost = streams.values
        streams = [:]
        for stream in lost { stream.closed() }
    }

    // MARK: The end of the connection

    /// The server stops: no new exchanges, and those under way may finish (RFC 9113 §6.8).
    private func quiesce() {
        if !isDraining { sayGoodbye() }
        isDraining = true
        for stream in streams.values where stream.isHeld { stream.fail(.cancel) }
        closeIfDone()
    }

    private func sayGoodbye() {
        link.write(.goAway(lastStreamID: lastStream, errorCode: .noError, opaqueData: nil), to: .rootStream)
        link.flush()
    }

    private func closeIfDone() {
        guard isDraining, streams.isEmpty, !isClosing else { return }
        end()
    }

    /// Closes once everything written was sent. If the client has done something wrong, what still arrives of it is thrown
    /// away for a while: closing with unread input would reset the connection before it has read why.
    private func end() {
        guard let context, !isClosing else { return }
        isClosing = true
        loseStreams()
        let operations = context.pipeline.syncOperations
        let lingers =
            link.isBroken && !isInputClosed && (try? operations.addHandler(Lingering(), position: .first)) != nil
        context.flush()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        guard let below = try? operations.context(handlerType: NIOHTTP2Handler.self) else {
            return context.close(promise: nil)
        }
        below.writeAndFlush(NIOAny(ByteBuffer())).whenComplete { _ in
            guard lingers else { return bound.value.close(promise: nil) }
            bound.value.close(mode: .output, promise: nil)
            bound.eventLoop.scheduleTask(in: Lingering.time) { bound.value.close(promise: nil) }
        }
    }

    private func checkTimeouts() {
        guard let context else { return }
        let now = NIODeadline.now()
        for stream in streams.values { stream.check(now, stall: reception.timeouts.stall) }
        let buffered = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        let awaited = streams.isEmpty ? ConnectionLifetime.Awaited.request : .nothing
        switch lifetime.verdict(now, awaiting: awaited, buffered: buffered, isOpen: !isClosing) {
        case .goOn: break
        case .stalled: context.close(promise: nil)
        case .tooSlow, .idle: quiesce()
        }
    }
}

/// Throws away what arrives on a connection that has ended.
private final class Lingering: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    static let time = TimeAmount.seconds(2)
    private static let limit = 16 << 20

    private var discarded = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        discarded += unwrapInboundIn(data).readableBytes
        if discarded > Self.limit { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        context.close(promise: nil)
    }
}
