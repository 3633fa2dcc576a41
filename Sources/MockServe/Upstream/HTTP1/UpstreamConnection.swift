import HTTPMessages
import HTTPWire
import MockServeCore
import NIOCore

/// One connection to an upstream that speaks HTTP/1, one exchange at a time.
final class UpstreamConnection: ChannelDuplexHandler, UpstreamStream {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Never
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let origin: Origin
    /// When the last exchange on it ended; nil before the first.
    private(set) var idleSince: NIODeadline?

    /// Set if a proxy gets the requests themselves.
    private let proxy: ProxySettings.Proxy?
    private let readTimeout: TimeAmount
    private let release: (UpstreamConnection) -> Void
    private var context: ChannelHandlerContext?
    private var parser: ResponseParser?
    private weak var receiver: (any UpstreamReceiver)?
    private var timeout: Scheduled<Void>?
    private var lastRead = NIODeadline.now()
    private var isRequestComplete = true
    private var isResponseComplete = true
    private var keepsAlive = true
    private var isPaused = false
    private var hasHeldRead = false
    private var isRequestChunked = false
    /// Bytes of the body that are still to be sent, by the announced length; nil if it is chunked.
    private var toSend: Int?
    private var home = HomeCheck()

    init(
        origin: Origin,
        by proxy: ProxySettings.Proxy?,
        readTimeout: TimeAmount,
        release: @escaping (UpstreamConnection) -> Void
    ) {
        self.origin = origin
        self.proxy = proxy
        self.readTimeout = readTimeout
        self.release = release
    }

    /// Whether a new exchange may begin.
    var isUsable: Bool { context?.channel.isActive == true && keepsAlive && isResponseComplete && isRequestComplete }

    func leads(to listeners: @autoclosure () -> [Origin]) -> Bool { home.leads(context?.channel, to: listeners) }

    var isWritable: Bool { context?.channel.isWritable ?? true }

    private var hasReceived = false
    /// Whether it was kept from an earlier exchange. If it is then lost before any of an answer has arrived, that says
    /// nothing about the upstream.
    private var isReused = false

    private var output = OutputProgress()

    /// Bytes that the channel has and the upstream's socket has not taken yet.
    private var buffered: Int { (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    // MARK: Sending

    func begin(_ request: RequestHead, receiver: any UpstreamReceiver) {
        let head = request.forwarded(to: origin, by: proxy)
        self.receiver = receiver
        parser = ResponseParser(answersHEAD: head.isHEAD)
        isRequestComplete = false
        isResponseComplete = false
        isRequestChunked = head.bodyLength == .unknown
        if case .known(let bytes) = head.bodyLength { toSend = bytes } else { toSend = isRequestChunked ? nil : 0 }
        keepsAlive = true
        hasReceived = false
        isReused = idleSince != nil
        lastRead = .now()
        var output = ByteBuffer()
        output.writeRequestHead(head)
        write(output)
        context?.flush()
        if timeout == nil { scheduleTimeout() }
    }

    func send(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0, !isRequestComplete else { return }
        if let rest = toSend {
            // More than announced would be read as another request.
            guard bytes.readableBytes <= rest else { return fail(UpstreamFailure.brokenRequest) }
            toSend = rest - bytes.readableBytes
        }
        if isRequestChunked {
            var frame = ByteBuffer()
            frame.writeChunkStart(size: bytes.readableBytes)
            write(frame)
            write(bytes)
            write(ByteBuffer(string: "\r\n"))
        } else {
            write(bytes)
        }
        context?.flush()
    }

    func finish(trailers: Fields) {
        guard !isRequestComplete else { return }
        guard toSend ?? 0 == 0 else { return fail(UpstreamFailure.brokenRequest) }
        if isRequestChunked {
            var output = ByteBuffer()
            output.writeLastChunk(trailers: trailers)
            write(output)
            context?.flush()
        }
        isRequestComplete = true
        lastRead = .now()
        endIfComplete()
    }

    private func write(_ bytes: ByteBuffer) {
        output.written += bytes.readableBytes
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    /// Gives up the exchange.
    func cancel() {
        receiver = nil
        timeout?.cancel()
        context?.close(promise: nil)
    }

    /// Pauses or resumes reading the response.
    func pause(_ isPaused: Bool) {
        self.isPaused = isPaused
        guard !isPaused, hasHeldRead, let context else { return }
        hasHeldRead = false
        lastRead = .now()
        context.read()
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        timeout?.cancel()
    }

    func read(context: ChannelHandlerContext) {
        if isPaused { hasHeldRead = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { receiver?.upstreamWritabilityRestored() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        lastRead = .now()
        guard !isResponseComplete else {
            // Unexpected bytes: nobody knows what they belong to.
            context.close(promise: nil)
            return
        }
        hasReceived = true
        parser?.append(bytes)
        do {
            while let part = try parser?.next() { take(part) }
        } catch {
            fail(error)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        receiver?.receivedAll()
        context.fireChannelReadComplete()
    }

    private func take(_ part: WirePart<ResponseHead>) {
        switch part {
        case .informational(let head): receiver?.receiveInformational(head)
        case .head(let head):
            keepsAlive = head.allowsAnother
            receiver?.receiveHead(head)
        case .chunk(let size): receiver?.receiveMark(piece: size)
        case .body(let bytes): receiver?.receiveBody(bytes)
        case .end(let trailers):
            if parser?.leftover ?? 0 > 0 { keepsAlive = false }
            endResponse(trailers)
        }
    }

    private func endResponse(_ trailers: Fields) {
        isResponseComplete = true
        let receiver = receiver
        if !isRequestComplete { keepsAlive = false }
        endIfComplete()
        receiver?.receiveResponseEnd(trailers: trailers)
    }

    private func endIfComplete() {
        guard isResponseComplete, receiver != nil else { return }
        receiver = nil
        isRequestComplete = true
        parser = nil
        isPaused = false
        guard keepsAlive, let context else {
            self.context?.close(promise: nil)
            return
        }
        idleSince = .now()
        release(self)
        if hasHeldRead {
            hasHeldRead = false
            context.read()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        keepsAlive = false
        if !isResponseComplete {
            do {
                if try parser?.finish() == true {
                    endResponse(Fields())
                } else {
                    fail(ChannelError.eof)
                }
            } catch {
                fail(error)
            }
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // If a TLS peer just closes, a body that ends with the connection may have been cut (RFC 9112 §9.8). One of
        // known length or in chunks has already ended.
        fail(error)
    }

    private func fail(_ error: any Error) {
        keepsAlive = false
        timeout?.cancel()
        let receiver = receiver
        self.receiver = nil
        isResponseComplete = true
        context?.close(promise: nil)
        var failure =
            (error as? WireError).map { UpstreamFailure($0, upstream: origin.description) }
            ?? UpstreamFailure(error, upstream: origin.description)
        // One that waited in vain has had the request.
        failure.saysNothing = isReused && !hasReceived && failure.status != 504
        receiver?.receiveFailure(failure)
    }

    // MARK: Timeout

    private func scheduleTimeout() {
        guard let context else { return }
        let loopBound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timeout = context.eventLoop.scheduleTask(deadline: lastRead + readTimeout) { loopBound.value.timeoutFired() }
    }

    /// Reads, and the ends of exchanges, move the deadline without touching the timer, which finds out here.
    private func timeoutFired() {
        timeout = nil
        guard !isResponseComplete else { return }
        guard .now() - lastRead >= readTimeout else { return scheduleTimeout() }
        if isPaused || !isRequestComplete {
            // The client is the slow one, unless the upstream takes nothing of what waits.
            let limit = UpstreamFailure.sendPatience(readTimeout)
            if output.hasStalled(buffered: buffered, .now(), limit: limit), !isPaused {
                return fail(UpstreamFailure.tookNothing(origin, readTimeout))
            }
            lastRead = .now()
            return scheduleTimeout()
        }
        fail(UpstreamFailure.sentNothing(origin, readTimeout))
    }
}
