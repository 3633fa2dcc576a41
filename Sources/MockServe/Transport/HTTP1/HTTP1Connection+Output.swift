import Foundation
import HTTPMessages
import HTTPWire
import MockServeCore
import NIOCore

extension HTTP1Connection: ExchangeTransport {
    /// Buffered output from this size on is handed to the channel.
    private static var batchSize: Int { 16 << 10 }

    var isWritable: Bool { context?.channel.isWritable ?? true }

    var eventLoop: any EventLoop {
        guard let context else { preconditionFailure("an exchange begins on a live connection") }
        return context.eventLoop
    }

    func sendInformational(_ head: ResponseHead) {
        guard exchange?.request.version == .http11, !encoder.hasBegun else { return }
        encoder.writeInformational(head)
        flush()
    }

    func sendHead(_ head: ResponseHead, length: BodyLength) {
        guard let request = exchange?.request, !encoder.hasBegun else { return }
        let closes = closesAfterResponse || !request.keepsAlive || !isRequestComplete
        encoder.begin(head, length: length, answers: request, closes: closes)
    }

    func mark(piece size: Int) { encoder.startChunk(size: size) }

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
            write(prepared: bytes)
        }
    }

    func write(prepared bytes: ByteBuffer) {
        pass()
        hand(bytes)
    }

    private func pass() {
        guard encoder.output.readableBytes > 0 else { return }
        hand(encoder.output)
        encoder.output = ByteBuffer()
    }

    private func hand(_ bytes: ByteBuffer) {
        lifetime.wrote(bytes.readableBytes)
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    func flush() {
        pass()
        context?.flush()
    }

    func finish(trailers: Fields) {
        guard let closes = encoder.finish(trailers: trailers) else { return }
        endExchange(closes: closes)
    }

    func abort(_ end: AnswerCut.End) {
        exchange?.detach()
        exchange = nil
        receiver = nil
        cutAnswer(end)
    }

    func abort(sending bytes: ByteBuffer) {
        write(prepared: bytes)
        abort(.close)
    }

    func pauseRequest(_ isPaused: Bool) {
        isRequestPaused = isPaused
        if !isPaused { resumeReading() }
    }
}

extension HTTP1Connection: PreparedAnswerTransport {
    var takesPrepared: Bool {
        guard let request = exchange?.request, !encoder.hasBegun, isRequestComplete, !closesAfterResponse else {
            return false
        }
        return request.takesPrepared
    }

    func sendPrepared(_ answer: PreparedAnswer) {
        write(prepared: answer.bytes)
        endExchange(closes: false)
    }
}

// MARK: - The end of the connection

extension HTTP1Connection {
    /// How long input is thrown away after the last answer, so that the client can read that.
    private static var lingerTime: TimeAmount { .seconds(2) }

    /// Ends the connection once everything written was sent, however long the client takes to read it, as long as it
    /// reads.
    ///
    /// - Parameter lingers: whether input may still arrive. Closing with unread input would reset the connection before
    ///   the client has read the answer (RFC 9112 §9.6), so input is read and thrown away for a while.
    func endConnection(lingers: Bool = false) {
        drain { $0.drained(lingers: lingers) }
    }

    /// Ends the connection in the middle of an answer, once what was written of it was sent.
    func cutAnswer(_ end: AnswerCut.End) {
        let mustReset = end == .reset || encoder.endsWithConnection
        encoder.abandon()
        drain { mustReset ? $0.reset(by: .now() + Self.lingerTime) : $0.drained(lingers: false) }
    }

    /// Ends the connection at once: the client has stopped reading.
    func cutConnection() {
        loseConnection()
        reset(by: .now())
    }

    private func drain(_ then: @escaping (HTTP1Connection) -> Void) {
        guard let context, ending.begin() else { return }
        pass()
        let loopBound = NIOLoopBound((self, then), eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            let (handler, then) = loopBound.value
            then(handler)
        }
        resumeReading()
    }

    private func drained(lingers: Bool) {
        guard let context else { return }
        guard lingers, ending.linger() else { return context.close(promise: nil) }
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.close(mode: .output, promise: nil)
        context.eventLoop.scheduleTask(in: Self.lingerTime) { loopBound.value.close(promise: nil) }
        resumeReading()
    }

    /// A client that takes the end of the connection for the end of the answer does not take a reset for it. A reset
    /// drops what the client's machine has not received yet, so this waits for that.
    private func reset(by deadline: NIODeadline) {
        guard let context else { return }
        if NIODeadline.now() < deadline, hasUndelivered(context) {
            let loopBound = NIOLoopBound(self, eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .milliseconds(2)) { loopBound.value.reset(by: deadline) }
            return
        }
        (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            .whenFailure { _ in }
        context.close(promise: nil)
    }

    /// Whether the system has bytes that the client has not acknowledged (tcp(7), `SIOCOUTQ`).
    private func hasUndelivered(_ context: ChannelHandlerContext) -> Bool {
        let isUndelivered = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { descriptor in
            var bytes: CInt = 0
            return ioctl(descriptor, UInt(TIOCOUTQ), &bytes) == 0 && bytes > 0
        }
        return isUndelivered ?? false
    }
}
