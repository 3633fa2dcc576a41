import HTTPMessages
import HTTPWire
import MockServeCore
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One request to an upstream that speaks HTTP/2, and its answer.
final class HTTP2UpstreamStream: UpstreamStream {
    /// Nil once the exchange is over.
    private var connection: HTTP2UpstreamConnection?
    private let origin: Origin
    private let eventLoop: any EventLoop
    /// Whether nothing was sent on the connection before. Otherwise its loss may say nothing about the upstream.
    private let isFirst: Bool
    private var id: HTTP2StreamID?
    private weak var receiver: (any UpstreamReceiver)?

    private var isHEAD = false
    /// Bytes of the body that are still to be sent, by the announced length; nil if that is not known.
    private var toSend: Int?
    private var isRequestComplete = false
    private var output = OutboundBody()

    private var hasHead = false
    private var hasReceived = false
    private var informationals = 0
    private var input = InboundBody(.unknown)
    private var mustTellAll = false

    init(_ connection: HTTP2UpstreamConnection, isFirst: Bool) {
        self.connection = connection
        origin = connection.origin
        eventLoop = connection.eventLoop
        self.isFirst = isFirst
    }

    // MARK: The request

    var isWritable: Bool { !output.isFull && connection?.isWritable ?? true }

    func begin(_ request: RequestHead, receiver: any UpstreamReceiver) {
        self.receiver = receiver
        isHEAD = request.isHEAD
        switch request.bodyLength {
        case .none: toSend = 0
        case .known(let bytes): toSend = bytes
        case .unknown: toSend = nil
        }
        // Another path than the client has asked for is not asked for.
        guard String(validating: request.target, as: UTF8.self) != nil else {
            return fail(UpstreamFailure.brokenPath(origin))
        }
        let block = HPACKHeaders(request, to: origin)
        guard HTTP2Limits.fits(block) else { return fail(UpstreamFailure.longFields(origin)) }
        guard let id = connection?.open(self) else { return fail(ChannelError.eof) }
        self.id = id
        isRequestComplete = request.bodyLength.isEmpty
        write(.headers(.init(headers: block, endStream: isRequestComplete)))
    }

    func send(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0, !isRequestComplete else { return }
        if let rest = toSend {
            guard bytes.readableBytes <= rest else { return fail(UpstreamFailure.brokenRequest) }
            toSend = rest - bytes.readableBytes
        }
        output.write(bytes.readableBytes)
        write(.data(.init(data: .byteBuffer(bytes))))
    }

    func finish(trailers: Fields) {
        guard !isRequestComplete else { return }
        guard toSend ?? 0 == 0 else { return fail(UpstreamFailure.brokenRequest) }
        let block = HPACKHeaders(trailers: trailers)
        guard block.map(HTTP2Limits.fits) ?? true else { return fail(UpstreamFailure.longFields(origin)) }
        isRequestComplete = true
        input.touch()
        if let block {
            write(.headers(.init(headers: block, endStream: true)))
        } else {
            write(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)))
        }
    }

    private func write(_ payload: HTTP2Frame.FramePayload) {
        guard let id else { return }
        connection?.link.write(payload, to: id)
        connection?.link.flush()
    }

    func wrote(_ bytes: Int) {
        let wasFull = output.isFull
        output.sent(bytes)
        guard wasFull, !output.isFull, let receiver else { return }
        // Not in the middle of the codec's work.
        let bound = NIOLoopBound((self, receiver), eventLoop: eventLoop)
        eventLoop.execute { bound.value.0.writabilityRestored() }
    }

    func writabilityRestored() {
        if isWritable { receiver?.upstreamWritabilityRestored() }
    }

    func pause(_ isPaused: Bool) {
        guard input.isPaused != isPaused else { return }
        guard !isPaused else { return input.isPaused = true }
        input.resume()
        extendWindow()
    }

    func cancel() {
        receiver = nil
        end(.cancel)
    }

    // MARK: The answer

    func receive(_ headers: HTTP2Frame.FramePayload.Headers) {
        hasReceived = true
        mustTellAll = true
        do {
            if hasHead {
                return receiveEnd(try FieldBlock.trailers(of: headers.headers, WireLimits()))
            }
            let head = try ResponseHead(headers.headers, answersHEAD: isHEAD, isWhole: headers.endStream)
            guard head.status >= 200 else {
                // RFC 9113 §8.1.
                guard !headers.endStream else { throw WireError("an informational response that ends the stream") }
                informationals += 1
                guard informationals <= ResponseParser.informationalLimit else { throw WireError.tooManyInformational }
                input.touch()
                receiver?.receiveInformational(head)
                return
            }
            hasHead = true
            let isBodyless = isHEAD || ResponseHead.isBodyless(status: head.status)
            input = InboundBody(isBodyless ? .known(0) : head.bodyLength, isPaused: input.isPaused)
            receiver?.receiveHead(head)
            if headers.endStream { receiveEnd(Fields()) }
        } catch {
            fail(UpstreamFailure(error, upstream: origin.description))
        }
    }

    func receive(_ bytes: ByteBuffer, isEnd: Bool) {
        mustTellAll = true
        guard input.receive(bytes.readableBytes) else {
            return fail(UpstreamFailure("\(origin) sent more of a body than there may be"))
        }
        if bytes.readableBytes > 0, hasHead {
            receiver?.receiveMark(piece: bytes.readableBytes)
            receiver?.receiveBody(bytes)
        }
        if isEnd { receiveEnd(Fields()) }
    }

    private func receiveEnd(_ trailers: Fields) {
        guard input.end() else {
            return fail(UpstreamFailure("\(origin) sent less than its Content-Length says"))
        }
        let receiver = receiver
        self.receiver = nil
        // What is still to come of the request is not wanted.
        end(isRequestComplete ? nil : .noError)
        receiver?.receiveResponseEnd(trailers: trailers)
    }

    func receivedAll() {
        guard mustTellAll else { return }
        mustTellAll = false
        receiver?.receivedAll()
    }

    func windowChanged(to size: Int) {
        input.windowChanged(to: size)
        extendWindow()
    }

    private func extendWindow() {
        guard let id, let missing = input.missingWindow else { return }
        connection?.link.extendWindow(of: id, by: missing)
    }

    // MARK: The end

    /// - Parameter code: nil if the stream has ended by itself.
    private func end(_ code: HTTP2ErrorCode?) {
        guard let connection, let id else { return self.connection = nil }
        self.connection = nil
        if let code { connection.link.reset(id, code) }
        connection.close(id)
    }

    func wasReset(_ code: HTTP2ErrorCode) {
        var failure = UpstreamFailure("\(origin) reset the exchange (\(code))", end: .reset)
        failure.wasRefused = code == .refusedStream && !hasReceived
        fail(failure)
    }

    func fail(_ error: any Error) {
        let receiver = receiver
        self.receiver = nil
        end(.cancel)
        var failure = UpstreamFailure(error, upstream: origin.description)
        // What we or the upstream have decided is no accident.
        if !(error is UpstreamFailure) { failure.saysNothing = !isFirst && !hasReceived }
        receiver?.receiveFailure(failure)
    }

    /// Called now and then.
    func check(_ now: NIODeadline, _ readTimeout: TimeAmount) {
        guard receiver != nil else { return }
        if input.isPaused || !isRequestComplete {
            // The client is the slow one, unless the upstream takes nothing of what waits.
            let limit = UpstreamFailure.sendPatience(readTimeout)
            guard output.hasStalled(now, limit: limit), !input.isPaused else { return }
            return fail(UpstreamFailure.tookNothing(origin, readTimeout))
        }
        guard now - input.lastRead >= readTimeout else { return }
        fail(UpstreamFailure.sentNothing(origin, readTimeout))
    }
}
