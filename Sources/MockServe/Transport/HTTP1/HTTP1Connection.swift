import Foundation
import HTTPMessages
import HTTPWire
import MockServeCore
import NIOCore

/// One client connection that speaks HTTP/1: turns bytes into exchanges and answers into bytes. One exchange at a time;
/// pipelined requests are answered in order.
final class HTTP1Connection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Never
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes of the next requests that are held while one is answered.
    private static let pipelineLimit = 64 << 10
    private var reception: Reception
    var lifetime: ConnectionLifetime
    private let parser: RequestParser
    private(set) var context: ChannelHandlerContext?

    var exchange: Exchange?
    var receiver: (any ExchangeReceiver)?
    var isRequestComplete = true
    var encoder = ResponseEncoder()

    private var isProcessing = false
    var isRequestPaused = false
    private var hasHeldRead = false
    var closesAfterResponse = false
    var ending = ConnectionEnding()

    private var watch: RepeatedTask?

    init(_ reception: Reception) {
        self.reception = reception
        lifetime = ConnectionLifetime(reception.timeouts, now: .now())
        parser = RequestParser(limits: WireLimits(reception.limits))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let loopBound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let interval = reception.timeouts.interval
        watch = context.eventLoop.scheduleRepeatedTask(
            initialDelay: interval,
            delay: interval
        ) { _ in loopBound.value.checkTimeouts() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        watch?.cancel()
        watch = nil
        loseConnection()
    }

    // MARK: Timeouts

    /// Called now and then, so that a request needs no timer of its own.
    private func checkTimeouts() {
        switch lifetime.verdict(.now(), awaiting: awaited, buffered: bufferedOutput, isOpen: ending.isOpen) {
        case .goOn: break
        case .stalled: cutConnection()
        case .tooSlow: refuse(.tooSlow)
        case .idle: endConnection()
        }
    }

    private var awaited: ConnectionLifetime.Awaited {
        guard exchange != nil else { return parser.bufferedBytes > 0 ? .head : .request }
        return isRequestComplete || isRequestPaused ? .nothing : .body
    }

    /// Bytes that the channel has and the client's socket has not taken yet.
    private var bufferedOutput: Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    // MARK: Input

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard ending.isOpen else {
            if ending.discard(bytes.readableBytes) { context.close(promise: nil) }
            return
        }
        lifetime.received(.now(), beginsHead: exchange == nil && parser.bufferedBytes == 0)
        parser.append(bytes)
        process()
    }

    /// Reads on unless the exchange cannot take more.
    func read(context: ChannelHandlerContext) {
        let isBusy = exchange == nil ? !isWritable : isRequestComplete
        let isFull = isBusy && parser.bufferedBytes > Self.pipelineLimit
        if ending.isOpen ? isRequestPaused || isFull : ending.holdsInput {
            hasHeldRead = true
        } else {
            context.read()
        }
    }

    func resumeReading() {
        guard hasHeldRead, let context else { return }
        hasHeldRead = false
        lifetime.resumedReading(.now())
        read(context: context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            receiver?.writabilityRestored()
            if exchange == nil, ending.isOpen {
                process()
                resumeReading()
                closeIfInputEnded()
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

    /// The client sends nothing more, but may still read: a half-closed connection. Its complete requests are answered.
    private func inputClosed() {
        if ending.closeInput() { return context?.close(promise: nil) ?? () }
        closeIfInputEnded()
    }

    private func closeIfInputEnded() {
        // Not in the middle of processing: a flush there may make the connection writable.
        guard ending.isInputClosed, ending.isOpen, !isProcessing else { return }
        if exchange != nil, !isRequestComplete {
            // The rest of the request will never come.
            loseConnection()
            if encoder.hasBegun { return cutAnswer(.close) }
        } else if exchange != nil || !isWritable && parser.bufferedBytes > 0 {
            return
        }
        endConnection()
    }

    private func quiesce() {
        closesAfterResponse = true
        if exchange == nil { return endConnection(lingers: parser.bufferedBytes > 0) }
        guard exchange?.isHeld == true else { return }
        loseConnection()
        context?.close(promise: nil)
    }

    /// Tells the receiver that nobody takes the answer any more.
    func loseConnection() {
        exchange?.detach()
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
            // Answers that were ready at once are sent together.
            flush()
        }
        while context != nil, ending.isOpen, exchange == nil || !isRequestComplete {
            // A client that sends requests but reads no answers gets no more of them until it reads.
            if exchange == nil, !isWritable {
                flush()
                if !isWritable { return }
            }
            do {
                let sent = isReadyForPrepared ? parser.wholeHead : nil
                if let sent, let answer = reception.prepared?.preparedAnswer(toSame: sent, at: reception.entrance) {
                    parser.skipHead(sent.readableBytes)
                    write(prepared: answer.bytes)
                    continue
                }
                guard let part = try parser.next() else { return }
                try checkEnd(part)
                if let sent, case .head(let head) = part, try answerAtOnce(head, sent: sent) { continue }
                take(part)
            } catch {
                refuse(error)
                return
            }
        }
    }

    /// A client that announces its last request but then sends more may have been tricked into one of the two (RFC 9112
    /// §9.6). It is refused if the rest has already arrived. What arrives later, when an answer may be on its way, is
    /// thrown away. None of it is ever taken for a request.
    private func checkEnd(_ part: WirePart<RequestHead>) throws(WireError) {
        guard case .head(let head) = part, !head.keepsAlive else { return }
        let length: Int
        switch head.bodyLength {
        case .none: length = 0
        case .known(let bytes): length = bytes
        // What follows a chunked body shows only once that was passed on. Then it is thrown away.
        case .unknown: return
        }
        guard !parser.holdsMore(than: length) else {
            throw WireError("more after a request that ends the connection")
        }
    }

    private var isReadyForPrepared: Bool {
        exchange == nil && isRequestComplete && !closesAfterResponse && reception.prepared?.arePrepared == true
    }

    /// Answers a request without a body with a prepared response, if there is one.
    private func answerAtOnce(_ head: RequestHead, sent: ByteBuffer) throws(WireError) -> Bool {
        guard head.bodyLength == .none, head.takesPrepared else { return false }
        guard let (origin, upstream) = reception.admit(head),
            let answer = reception.prepared?.preparedAnswer(
                to: head,
                sent: sent,
                from: origin,
                upstream,
                at: reception.entrance
            )
        else { return false }
        // The end of the request, which takes no bytes.
        _ = try parser.next()
        write(prepared: answer.bytes)
        return true
    }

    private func take(_ part: WirePart<RequestHead>) {
        switch part {
        case .head(let head):
            isRequestComplete = false
            let (exchange, refusal) = reception.exchange(head, self, shortCut: self)
            self.exchange = exchange
            let receiver = reception.answer(exchange, refusal)
            // It may have been answered already.
            if self.exchange === exchange { self.receiver = receiver }
        case .body(let bytes): receiver?.receive(bytes)
        case .end(let trailers):
            isRequestComplete = true
            receiver?.receiveEnd(trailers: trailers)
        case .chunk, .informational: break
        }
    }

    private func refuse(_ error: WireError) {
        if exchange != nil {
            // The rest of the request is malformed: what was begun cannot be completed.
            let hadHead = encoder.hasBegun
            loseConnection()
            guard !hadHead else { return cutAnswer(.close) }
        }
        encoder.output.writeResponseHead(Problem.badRequest(error).head(closes: true))
        encoder.output.writeBytes(Problem.badRequest(error).body)
        endConnection(lingers: true)
    }

    /// - Parameter closes: whether the response announced the end of the connection.
    func endExchange(closes: Bool) {
        let mustLinger = !isRequestComplete || parser.bufferedBytes > 0
        let closes = closes || closesAfterResponse || !isRequestComplete
        exchange = nil
        receiver = nil
        isRequestPaused = false
        if !isProcessing { lifetime.endedExchange(.now()) }
        if closes { return endConnection(lingers: mustLinger) }
        resumeReading()
        guard !isProcessing else { return }
        flush()
        process()
        closeIfInputEnded()
    }
}

/// Sent through a connection's pipeline when the server stops: finish what is under way, then close.
struct QuiesceEvent: Sendable {}

extension WireLimits {
    init(_ limits: RequestLimits) {
        self.init()
        startLine = limits.startLine
        fieldSection = limits.fieldSection
        fieldCount = limits.fieldCount
        chunkLine = limits.chunkLine
    }
}
