import Foundation
import HTTPWire
import MockServeCore
import NIOCore

/// One client connection: bytes to exchanges and answers back to bytes, one exchange at a time, pipelined ones in order.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Never
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes of a next request that are held while one is being answered.
    private static let pipelineLimit = 64 << 10
    /// How long, and how much, input is thrown away after the last answer so that the client gets to read it.
    private static let lingerTime = TimeAmount.seconds(2)
    private static let lingerLimit = 16 << 20

    private let responder: any ExchangeResponder
    private let upstreamIndex: Int
    private let listenerOrigin: Origin
    private let hosts: HostPolicy
    private let timeouts: ConnectionTimeouts
    private var parser: RequestParser
    private var context: ChannelHandlerContext?

    private var exchange: Exchange?
    private var receiver: (any ExchangeReceiver)?
    private var isRequestComplete = true
    private var framing: ResponseFraming?
    private var openChunk = 0
    private var output = ByteBuffer()

    private var isProcessing = false
    private var isRequestPaused = false
    private var hasHeldRead = false
    private var closesAfterResponse = false
    private var isInputClosed = false
    private var lingering: Int?

    private var watch: RepeatedTask?
    private var lastRead = NIODeadline.now()
    /// When the first byte of a request came of which the head is not complete yet.
    private var headStart = NIODeadline.now()
    private var unwritableSince: NIODeadline?

    init(
        responder: any ExchangeResponder,
        upstreamIndex: Int,
        listenerOrigin: Origin,
        hosts: HostPolicy,
        limits: WireLimits,
        timeouts: ConnectionTimeouts
    ) {
        self.responder = responder
        self.upstreamIndex = upstreamIndex
        self.listenerOrigin = listenerOrigin
        self.hosts = hosts
        self.timeouts = timeouts
        parser = RequestParser(limits: limits)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let loopBound = NIOLoopBound(self, eventLoop: context.eventLoop)
        watch = context.eventLoop.scheduleRepeatedTask(
            initialDelay: timeouts.interval,
            delay: timeouts.interval
        ) { _ in loopBound.value.checkTimeouts() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        watch?.cancel()
        watch = nil
    }

    // MARK: Timeouts

    /// Looked at now and then, so that a request costs no timer of its own.
    private func checkTimeouts() {
        guard lingering == nil else { return }
        let now = NIODeadline.now()
        if let since = unwritableSince, now - since > timeouts.stall { return abort() }
        if exchange == nil {
            let isBegun = parser.bufferedBytes > 0
            if isBegun, now - headStart > timeouts.head { return refuse(.tooSlow) }
            if !isBegun, now - lastRead > timeouts.idle { context?.close(promise: nil) }
        } else if !isRequestComplete, !isRequestPaused, now - lastRead > timeouts.stall {
            refuse(.tooSlow)
        }
    }

    // MARK: Input

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if let thrownAway = lingering {
            lingering = thrownAway + bytes.readableBytes
            if thrownAway > Self.lingerLimit { context.close(promise: nil) }
            return
        }
        lastRead = .now()
        if exchange == nil, parser.bufferedBytes == 0 { headStart = lastRead }
        parser.append(bytes)
        process()
    }

    /// Reads on unless the exchange cannot take more.
    func read(context: ChannelHandlerContext) {
        let isFull = isRequestComplete && exchange != nil && parser.bufferedBytes > Self.pipelineLimit
        if isRequestPaused || isFull {
            hasHeldRead = true
        } else {
            context.read()
        }
    }

    private func resumeReading() {
        guard hasHeldRead, let context else { return }
        hasHeldRead = false
        lastRead = .now()
        read(context: context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unwritableSince = context.channel.isWritable ? nil : .now()
        if context.channel.isWritable { receiver?.writabilityRestored() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        loseConnection()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as ChannelEvent where event == .inputClosed: inputClosed()
        case is QuiesceEvent: quiesce()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// The client sends nothing more, but may still read: a half-closed connection. What it sent whole is answered.
    private func inputClosed() {
        isInputClosed = true
        closeIfInputEnded()
    }

    private func closeIfInputEnded() {
        guard isInputClosed else { return }
        if lingering != nil || exchange == nil || !isRequestComplete { context?.close(promise: nil) }
    }

    private func quiesce() {
        closesAfterResponse = true
        if exchange == nil { context?.close(promise: nil) }
    }

    private func loseConnection() {
        exchange?.transport = nil
        exchange = nil
        let receiver = receiver
        self.receiver = nil
        receiver?.connectionLost()
    }

    // MARK: Requests

    private func process() {
        guard !isProcessing else { return }
        isProcessing = true
        defer { isProcessing = false }
        while context != nil, lingering == nil, exchange == nil || !isRequestComplete {
            do {
                guard let part = try parser.next() else { return }
                take(part)
            } catch {
                refuse(error)
                return
            }
        }
    }

    private func take(_ part: WirePart<RequestHead>) {
        switch part {
        case .head(let head):
            isRequestComplete = false
            let exchange = Exchange(
                request: head,
                servedOrigin: servedOrigin(head),
                upstreamIndex: upstreamIndex,
                transport: self
            )
            self.exchange = exchange
            let isAllowed = hosts.allows(head, own: listenerOrigin)
            let receiver = isAllowed ? responder.respond(to: exchange) : Refusal(exchange, HostPolicy.refusal(head))
            // It may have been answered already.
            if self.exchange === exchange { self.receiver = receiver }
        case .body(let bytes): receiver?.receive(bytes)
        case .end(let trailers):
            isRequestComplete = true
            receiver?.receiveEnd(trailers: trailers)
        case .chunk, .informational: break
        }
    }

    private func servedOrigin(_ head: RequestHead) -> Origin {
        guard let host = head.fields.first("host") else { return listenerOrigin }
        return Origin(scheme: listenerOrigin.scheme, authority: Latin1.string(host)) ?? listenerOrigin
    }

    private func refuse(_ error: WireError) {
        if exchange != nil {
            // The rest of the request is malformed: whatever was begun cannot be completed.
            let hadHead = framing != nil
            let lost = receiver
            exchange?.transport = nil
            exchange = nil
            receiver = nil
            lost?.connectionLost()
            guard !hadHead else {
                context?.close(promise: nil)
                return
            }
        }
        output.writeResponseHead(Problem.badRequest(error).head(closes: true))
        output.writeBytes(Problem.badRequest(error).body)
        flush()
        closeGently()
    }

    // MARK: Closing

    /// Closes after what was written went out; input that is still coming is read and thrown away for a while, because
    /// closing over unread input would reset the connection before the client has read the answer (RFC 9112 §9.6).
    private func closeGently() {
        guard let context else { return }
        lingering = 0
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.close(mode: .output, promise: nil)
        context.eventLoop.scheduleTask(in: Self.lingerTime) { loopBound.value.close(promise: nil) }
        resumeReading()
    }

    private func endExchange() {
        guard let framing else { return }
        let mustLinger = !isRequestComplete || parser.bufferedBytes > 0
        let closes = framing.closes || closesAfterResponse || !isRequestComplete
        self.framing = nil
        exchange = nil
        receiver = nil
        isRequestPaused = false
        lastRead = .now()
        headStart = lastRead
        flush()
        if closes {
            if mustLinger { closeGently() } else { closeAfterFlush() }
            return
        }
        resumeReading()
        process()
        if !isProcessing { closeIfInputEnded() }
    }

    private func closeAfterFlush() {
        guard let context else { return }
        lingering = 0
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            loopBound.value.close(promise: nil)
        }
    }
}

/// Sent through a connection's pipeline when the server stops: finish what is under way, then close.
struct QuiesceEvent: Sendable {}

// MARK: - Output

extension ConnectionHandler: ExchangeTransport {
    /// Buffered output from this size on is handed to the channel.
    private static var batchSize: Int { 16 << 10 }

    var isWritable: Bool { context?.channel.isWritable ?? true }

    var eventLoop: any EventLoop {
        guard let context else { preconditionFailure("an exchange begins on a live connection") }
        return context.eventLoop
    }

    func sendInformational(_ head: ResponseHead) {
        guard exchange?.request.version == .http11, framing == nil else { return }
        output.writeResponseHead(head)
        flush()
    }

    func sendHead(_ head: ResponseHead, length: BodyFraming) {
        guard let request = exchange?.request, framing == nil else { return }
        let closes = closesAfterResponse || !request.keepsAlive || !isRequestComplete
        let framing = ResponseFraming(head, length: length, answers: request, closes: closes)
        self.framing = framing
        output.writeResponseHead(framing.head)
    }

    func startChunk(size: Int) {
        guard let framing, framing.isChunked, openChunk == 0, size > 0 else { return }
        output.writeChunkStart(size: size)
        openChunk = size
    }

    func send(_ bytes: ByteBuffer) {
        guard let framing, framing.hasBody, bytes.readableBytes > 0 else { return }
        guard framing.isChunked else { return write(bytes) }
        if openChunk == 0 { startChunk(size: bytes.readableBytes) }
        openChunk -= bytes.readableBytes
        write(bytes)
        if openChunk == 0 { output.writeChunkEnd() }
    }

    private func write(_ bytes: ByteBuffer) {
        if bytes.readableBytes < Self.batchSize {
            output.writeImmutableBuffer(bytes)
            if output.readableBytes >= Self.batchSize { pass() }
        } else {
            pass()
            context?.write(wrapOutboundOut(bytes), promise: nil)
        }
    }

    private func pass() {
        guard output.readableBytes > 0 else { return }
        context?.write(wrapOutboundOut(output), promise: nil)
        output = ByteBuffer()
    }

    func flush() {
        pass()
        context?.flush()
    }

    func finish(trailers: Fields) {
        guard let framing else { return }
        if framing.isChunked { output.writeLastChunk(trailers: trailers) }
        endExchange()
    }

    func abort() {
        exchange = nil
        receiver = nil
        guard let context else { return }
        // A reset, so that a client that waits for the end of the connection does not take this for one.
        (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            .whenFailure { _ in }
        context.close(promise: nil)
    }

    func pauseRequest(_ isPaused: Bool) {
        isRequestPaused = isPaused
        if !isPaused { resumeReading() }
    }
}
