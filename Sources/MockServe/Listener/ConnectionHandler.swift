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

    private let responder: any LoopResponder
    private let upstreamIndex: Int
    private let listenerOrigin: Origin
    private let hosts: HostPolicy
    private let timeouts: ConnectionTimeouts
    private let parser: RequestParser
    private var context: ChannelHandlerContext?

    private var exchange: Exchange?
    private var receiver: (any ExchangeReceiver)?
    private var isRequestComplete = true
    private var encoder = ResponseEncoder()
    private var knownHost: KnownHost?

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

    /// What a `Host` field said, as nearly every request of a connection says the same.
    private struct KnownHost {
        let value: ArraySlice<UInt8>
        let origin: Origin
        let isAllowed: Bool
    }

    init(
        responder: any LoopResponder,
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
        loseConnection()
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
        let isBusy = exchange == nil ? !isWritable : isRequestComplete
        let isFull = isBusy && parser.bufferedBytes > Self.pipelineLimit
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
        if context.channel.isWritable {
            receiver?.writabilityRestored()
            if exchange == nil {
                process()
                resumeReading()
            }
        }
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
        defer {
            isProcessing = false
            // What was answered at once goes out together.
            flush()
        }
        while context != nil, lingering == nil, exchange == nil || !isRequestComplete {
            // A client that sends requests and reads no answers is answered no more until it does.
            if exchange == nil, !isWritable {
                flush()
                if !isWritable { return }
            }
            do {
                let sent = isReadyForPrepared ? parser.wholeHead : nil
                if let sent, let bytes = responder.preparedAnswer(toSame: sent, upstreamIndex) {
                    parser.skipHead(sent.readableBytes)
                    write(prepared: bytes)
                    continue
                }
                guard let part = try parser.next() else { return }
                if let sent, case .head(let head) = part, try answerAtOnce(head, sent: sent) { continue }
                take(part)
            } catch {
                refuse(error)
                return
            }
        }
    }

    private var isReadyForPrepared: Bool {
        exchange == nil && isRequestComplete && !closesAfterResponse && responder.preparesAnswers
    }

    /// Answers a request without a body with what is ready for it, if there is such.
    private func answerAtOnce(_ head: RequestHead, sent: ByteBuffer) throws(WireError) -> Bool {
        guard head.framing == .none, head.takesPrepared else { return false }
        let (origin, isAllowed) = address(head)
        guard isAllowed,
            let bytes = responder.preparedAnswer(to: head, sent: sent, from: origin, upstreamIndex)
        else { return false }
        // The end of the request, which takes no bytes.
        _ = try parser.next()
        write(prepared: bytes)
        return true
    }

    private func write(prepared bytes: ByteBuffer) {
        pass()
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    private func take(_ part: WirePart<RequestHead>) {
        switch part {
        case .head(let head):
            isRequestComplete = false
            let (origin, isAllowed) = address(head)
            let exchange = Exchange(request: head, servedOrigin: origin, upstreamIndex: upstreamIndex, transport: self)
            self.exchange = exchange
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

    /// The origin by which the client knows this server, and whether it may.
    private func address(_ head: RequestHead) -> (Origin, isAllowed: Bool) {
        let host = head.fields.first("host")
        if let host, let knownHost, knownHost.value == host, head.target.first == UInt8(ascii: "/") {
            return (knownHost.origin, knownHost.isAllowed)
        }
        let (origin, isAllowed) = (servedOrigin(head), hosts.allows(head, own: listenerOrigin))
        if let host, head.target.first == UInt8(ascii: "/") {
            knownHost = KnownHost(value: host, origin: origin, isAllowed: isAllowed)
        }
        return (origin, isAllowed)
    }

    private func servedOrigin(_ head: RequestHead) -> Origin {
        guard let host = head.fields.first("host") else { return listenerOrigin }
        return Origin(scheme: listenerOrigin.scheme, authority: Latin1.string(host)) ?? listenerOrigin
    }

    private func refuse(_ error: WireError) {
        if exchange != nil {
            // The rest of the request is malformed: whatever was begun cannot be completed.
            let hadHead = encoder.hasBegun
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
        encoder.output.writeResponseHead(Problem.badRequest(error).head(closes: true))
        encoder.output.writeBytes(Problem.badRequest(error).body)
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

    /// - Parameter closes: whether the response has said that the connection ends.
    private func endExchange(closes: Bool) {
        let mustLinger = !isRequestComplete || parser.bufferedBytes > 0
        let closes = closes || closesAfterResponse || !isRequestComplete
        exchange = nil
        receiver = nil
        isRequestPaused = false
        if !isProcessing {
            lastRead = .now()
            headStart = lastRead
        }
        if closes {
            flush()
            if mustLinger { closeGently() } else { closeAfterFlush() }
            return
        }
        resumeReading()
        guard !isProcessing else { return }
        flush()
        process()
        closeIfInputEnded()
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

extension RequestHead {
    /// Whether an answer as it was prepared for any client fits: `GET` or the like in HTTP/1.1, with the connection kept
    /// afterwards.
    fileprivate var takesPrepared: Bool { version == .http11 && !isHEAD && keepsAlive }
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

    var takesPrepared: Bool {
        guard let request = exchange?.request, !encoder.hasBegun, isRequestComplete, !closesAfterResponse else {
            return false
        }
        return request.takesPrepared
    }

    func sendPrepared(_ bytes: ByteBuffer) {
        write(prepared: bytes)
        endExchange(closes: false)
    }

    func sendInformational(_ head: ResponseHead) {
        guard exchange?.request.version == .http11, !encoder.hasBegun else { return }
        encoder.writeInformational(head)
        flush()
    }

    func sendHead(_ head: ResponseHead, length: BodyFraming) {
        guard let request = exchange?.request, !encoder.hasBegun else { return }
        let closes = closesAfterResponse || !request.keepsAlive || !isRequestComplete
        encoder.begin(head, length: length, answers: request, closes: closes)
    }

    func startChunk(size: Int) { encoder.startChunk(size: size) }

    func send(_ bytes: ByteBuffer) {
        guard encoder.beginPiece(bytes.readableBytes) else { return }
        write(bytes)
        encoder.endPiece(bytes.readableBytes)
    }

    private func write(_ bytes: ByteBuffer) {
        if bytes.readableBytes < Self.batchSize {
            encoder.output.writeImmutableBuffer(bytes)
            if encoder.output.readableBytes >= Self.batchSize { pass() }
        } else {
            pass()
            context?.write(wrapOutboundOut(bytes), promise: nil)
        }
    }

    private func pass() {
        guard encoder.output.readableBytes > 0 else { return }
        context?.write(wrapOutboundOut(encoder.output), promise: nil)
        encoder.output = ByteBuffer()
    }

    func flush() {
        pass()
        context?.flush()
    }

    func finish(trailers: Fields) {
        guard let closes = encoder.finish(trailers: trailers) else { return }
        endExchange(closes: closes)
    }

    func abort() {
        exchange?.transport = nil
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
