import HTTPMessages
import MockServeCore
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One exchange of a client connection that speaks HTTP/2. Belongs to the event loop of the connection.
final class HTTP2Stream {
    /// What is not written yet, because it may turn out to be the end of the stream.
    private enum Held {
        case head(HPACKHeaders)
        case data(ByteBuffer)
    }

    let id: HTTP2StreamID
    private let link: FrameLink
    /// Whether both sides have ended it, or one has reset it.
    private var isClosed = false
    let eventLoop: any EventLoop
    private(set) var exchange: Exchange?
    private var receiver: (any ExchangeReceiver)?
    private let request: RequestHead

    private var input: InboundBody
    /// Bytes of the request that came after the answer.
    private var discarded = 0

    private var held: Held?
    private var hasBegun = false
    private var hasBody = false
    private var isFinished = false
    private var output = OutboundBody()
    private var lastSent = NIODeadline.now()
    /// Ends the stream once everything written was sent.
    private var whenSent: HTTP2ErrorCode?

    init(_ id: HTTP2StreamID, _ request: RequestHead, _ link: FrameLink, on eventLoop: any EventLoop) {
        self.id = id
        self.request = request
        self.link = link
        self.eventLoop = eventLoop
        input = InboundBody(request.bodyLength)
    }

    /// Has the request answered.
    func begin(_ exchange: Exchange, _ answer: (Exchange) -> any ExchangeReceiver) {
        self.exchange = exchange
        let receiver = answer(exchange)
        // It may have been answered already.
        if self.exchange === exchange { self.receiver = receiver }
    }

    // MARK: The request

    func receive(_ bytes: ByteBuffer) {
        guard input.receive(bytes.readableBytes) else { return fail(.protocolError) }
        if exchange == nil {
            discarded += bytes.readableBytes
            if discarded > HTTP2Limits.discardLimit { resetOnceSent(.noError) }
        }
        if bytes.readableBytes > 0 { receiver?.receive(bytes) }
    }

    func receiveEnd(trailers: Fields) {
        guard !input.isComplete else { return }
        guard input.end() else { return fail(.protocolError) }
        receiver?.receiveEnd(trailers: trailers)
    }

    /// The client may send only this much more.
    func windowChanged(to size: Int) {
        input.windowChanged(to: size)
        extendWindow()
    }

    private func extendWindow() {
        guard !isClosed, whenSent == nil, let missing = input.missingWindow else { return }
        link.extendWindow(of: id, by: missing)
    }

    // MARK: The end

    /// The stream is closed.
    func closed() {
        isClosed = true
        lose()
    }

    /// Tells the receiver that nobody takes the answer any more.
    private func lose() {
        exchange?.detach()
        exchange = nil
        let receiver = receiver
        self.receiver = nil
        receiver?.connectionLost()
    }

    /// Gives the exchange up at once.
    func fail(_ code: HTTP2ErrorCode) {
        lose()
        isFinished = true
        if !isClosed { link.reset(id, code) }
    }

    /// The client sends nothing more, so a request that is not complete never will be.
    func inputClosed() {
        if !input.isComplete { fail(.cancel) }
    }

    /// - Returns: whether nothing goes on with it until somebody's time is up.
    var isHeld: Bool { exchange?.isHeld == true }

    /// Called now and then.
    func check(_ now: NIODeadline, stall: TimeAmount) {
        if output.hasStalled(now, limit: stall) { return fail(.cancel) }
        // A client that listens may be silent.
        guard !input.isComplete, !input.isPaused, now - max(input.lastRead, lastSent) > stall else { return }
        fail(.cancel)
    }

    // MARK: What the codec has sent

    func wrote(_ bytes: Int) {
        lastSent = .now()
        let wasFull = output.isFull
        output.sent(bytes)
        guard wasFull && !output.isFull || output.buffered == 0 && whenSent != nil else { return }
        // Not in the middle of the codec's work.
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute {
            bound.value.writabilityRestored()
            bound.value.resetIfSent()
        }
    }

    private func resetIfSent() {
        guard !isClosed, output.buffered == 0, held == nil, let code = whenSent else { return }
        whenSent = nil
        link.reset(id, code)
    }

    func writabilityRestored() {
        if isWritable { receiver?.writabilityRestored() }
    }
}

extension HTTP2Stream: ExchangeTransport {
    var isWritable: Bool { !output.isFull && link.isWritable }

    func sendInformational(_ head: ResponseHead) {
        // `101` is of HTTP/1.1 only (RFC 9113 §8.6).
        guard !hasBegun, head.status != 101 else { return }
        link.write(.headers(.init(headers: HPACKHeaders(informational: head))), to: id)
        link.flush()
    }

    func sendHead(_ head: ResponseHead, length: BodyLength) {
        guard !hasBegun else { return }
        let block = HPACKHeaders(head, length: length, answers: request)
        guard HTTP2Limits.fits(block) else { return refuseLongFields() }
        hasBegun = true
        hasBody = !request.isHEAD && !ResponseHead.isBodyless(status: head.status)
        held = .head(block)
    }

    /// Says why the answer is not sent.
    private func refuseLongFields() {
        let problem = Problem(
            status: 500,
            title: "The fields of the answer are too long for HTTP/2",
            detail: "They take more than one frame of 16 KiB, which cannot be sent here. Ask for it over HTTP/1.1."
        )
        lose()
        answer(problem)
    }

    /// Sends an answer of the connection's own.
    func answer(_ problem: Problem) {
        sendHead(problem.response, length: .known(problem.body.count))
        send(ByteBuffer(bytes: problem.body))
        finish(trailers: Fields())
    }

    /// There are no chunks. Every `send` is a frame of its own, if it is short enough.
    func mark(piece size: Int) {}

    func send(_ bytes: ByteBuffer) {
        guard hasBegun, hasBody, !isFinished, bytes.readableBytes > 0 else { return }
        writeHeld(isEnd: false)
        output.write(bytes.readableBytes)
        held = .data(bytes)
    }

    private func writeHeld(isEnd: Bool) {
        guard let held else { return }
        self.held = nil
        switch held {
        case .head(let block): link.write(.headers(.init(headers: block, endStream: isEnd)), to: id)
        case .data(let bytes): link.write(.data(.init(data: .byteBuffer(bytes), endStream: isEnd)), to: id)
        }
    }

    func flush() {
        writeHeld(isEnd: false)
        link.flush()
    }

    func finish(trailers: Fields) {
        guard hasBegun, !isFinished else { return }
        let block = HPACKHeaders(trailers: trailers)
        // The head is on its way, so that the answer can only be cut.
        guard block.map(HTTP2Limits.fits) ?? true else { return abort(.reset) }
        isFinished = true
        if let block {
            writeHeld(isEnd: false)
            link.write(.headers(.init(headers: block, endStream: true)), to: id)
        } else if held != nil {
            writeHeld(isEnd: true)
        } else {
            link.write(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)), to: id)
        }
        endExchange()
    }

    private func endExchange() {
        exchange = nil
        receiver = nil
        // What still comes of the request is not wanted. Resetting at once would make an error of a client that has sent it
        // already, so a little is thrown away first (RFC 9113 §8.1).
        if !input.isComplete { input.resume() }
        extendWindow()
        link.flush()
    }

    private func resetOnceSent(_ code: HTTP2ErrorCode) {
        whenSent = code
        link.flush()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.resetIfSent() }
    }

    /// Ends this exchange only, in the middle of its answer. A reset is an error to every client, however the upstream
    /// ended.
    func abort(_ end: AnswerCut.End) {
        guard !isFinished else { return }
        isFinished = true
        writeHeld(isEnd: false)
        exchange?.detach()
        exchange = nil
        receiver = nil
        resetOnceSent(.internalError)
    }

    /// Bytes that are no HTTP have no place within a stream.
    func abort(sending bytes: ByteBuffer) { abort(.reset) }

    func pauseRequest(_ isPaused: Bool) {
        guard input.isPaused != isPaused else { return }
        guard !isPaused else { return input.isPaused = true }
        input.resume()
        extendWindow()
    }
}

extension HTTP2Stream: PreparedAnswerTransport {
    var takesPrepared: Bool { !hasBegun && input.isComplete && request.takesPrepared }

    func sendPrepared(_ answer: PreparedAnswer) {
        send(answer.forHTTP2)
        if exchange != nil { endExchange() }
    }

    /// Sends a whole answer.
    func send(_ answer: HTTP2Answer) {
        guard answer.fits else { return refuseLongFields() }
        hasBegun = true
        isFinished = true
        for block in answer.informational { link.write(.headers(.init(headers: block)), to: id) }
        let isHeadOnly = answer.body.isEmpty && answer.trailers == nil
        link.write(.headers(.init(headers: answer.head, endStream: isHeadOnly)), to: id)
        for (index, bytes) in answer.body.enumerated() {
            output.write(bytes.readableBytes)
            let isEnd = index == answer.body.count - 1 && answer.trailers == nil
            link.write(.data(.init(data: .byteBuffer(bytes), endStream: isEnd)), to: id)
        }
        if let block = answer.trailers {
            link.write(.headers(.init(headers: block, endStream: true)), to: id)
        }
    }
}
