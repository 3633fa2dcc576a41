import HTTPMessages
import MockServeCore
import NIOCore

/// Sends an answer wrongly. It stands between an exchange and its transport, and belongs to their event loop.
final class FaultyTransport: ExchangeTransport {
    /// How often a slow answer goes on.
    private static let pause = TimeAmount.milliseconds(50)
    /// Bytes of a slow answer that wait at most.
    private static let waitingLimit = 64 << 10

    private let kind: FaultKind
    /// Set before the first call.
    var inner: (any ExchangeTransport)?
    /// Who sends the answer.
    weak var receiver: (any ExchangeReceiver)?
    /// Bytes of the body that may still be sent.
    private var left: Int
    /// Whether nothing is sent any more.
    private var isOver = false
    private var waiting = ByteBuffer()
    /// Ends the answer once all that waits was sent.
    private var whenSent: (() -> Void)?
    private var timer: Scheduled<Void>?

    /// Called when nothing will ever follow.
    private let hold: () -> Void

    init(_ kind: FaultKind, hold: @escaping () -> Void) {
        (self.kind, self.hold) = (kind, hold)
        switch kind {
        case .close(let bytes), .stall(let bytes): left = bytes
        default: left = Int.max
        }
    }

    var isWritable: Bool {
        guard !isOver, let inner else { return true }
        return inner.isWritable && waiting.readableBytes < Self.waitingLimit
    }

    var eventLoop: any EventLoop {
        guard let inner else { preconditionFailure("a transport stands in front of another one") }
        return inner.eventLoop
    }

    func sendInformational(_ head: ResponseHead) { if !isOver { inner?.sendInformational(head) } }

    func sendHead(_ head: ResponseHead, length: BodyLength) {
        guard !isOver else { return }
        // There is no middle of an answer without a body.
        if left == 0, length.isEmpty { return stop() }
        var head = head
        var length = length
        switch (kind, length) {
        case (.wrongLength(let more), .known(let size)): length = .known(size + more)
        case (.wrongLength, .none), (.unfinishedChunks, .none): break
        case (.wrongLength, .unknown), (.unfinishedChunks, _):
            length = .unknown
            head.fields = head.fields.filter { !$0.isNamed("content-length") }
        default: break
        }
        inner?.sendHead(head, length: length)
        if left == 0 { stop() }
    }

    func mark(piece size: Int) {
        if case .slow = kind { return }
        if left == Int.max, !isOver { inner?.mark(piece: size) }
    }

    func send(_ bytes: ByteBuffer) {
        guard !isOver else { return }
        var bytes = bytes
        if case .slow = kind {
            waiting.writeBuffer(&bytes)
            return goOn()
        }
        guard bytes.readableBytes >= left else {
            left -= left == Int.max ? 0 : bytes.readableBytes
            inner?.send(bytes)
            return
        }
        if let part = bytes.readSlice(length: left), part.readableBytes > 0 { inner?.send(part) }
        left = 0
        stop()
    }

    func flush() { if !isOver { inner?.flush() } }

    func finish(trailers: Fields) {
        guard !isOver else { return }
        switch kind {
        case .unfinishedChunks, .wrongLength: cut(.close)
        case .slow where waiting.readableBytes > 0:
            whenSent = { [weak self] in self?.inner?.finish(trailers: trailers) }
        default: inner?.finish(trailers: trailers)
        }
    }

    func abort(_ end: AnswerCut.End) {
        guard !isOver else { return }
        cut(end)
    }

    func abort(sending bytes: ByteBuffer) { if !isOver { inner?.abort(sending: bytes) } }

    func pauseRequest(_ isPaused: Bool) { inner?.pauseRequest(isPaused) }

    /// The client is gone.
    func end() {
        isOver = true
        timer?.cancel()
        waiting = ByteBuffer()
        whenSent = nil
    }

    /// So far, and no further.
    private func stop() {
        if case .stall = kind {
            inner?.flush()
            end()
            hold()
        } else {
            cut(.close)
        }
    }

    private func cut(_ end: AnswerCut.End) {
        let transport = inner
        self.end()
        transport?.flush()
        transport?.abort(end)
    }

    // MARK: Slowly

    private func goOn() {
        guard timer == nil, waiting.readableBytes > 0, case .slow(let rate) = kind else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        // Whole bytes, so that a small rate has longer pauses.
        let size = max(1, rate / 20)
        let pause = rate >= 20 ? Self.pause : .milliseconds(Int64(1000 / rate))
        timer = eventLoop.scheduleTask(in: pause) { bound.value.sendSome(size) }
    }

    private func sendSome(_ size: Int) {
        timer = nil
        guard !isOver else { return }
        if let part = waiting.readSlice(length: min(size, waiting.readableBytes)) {
            inner?.send(part)
            inner?.flush()
        }
        waiting.discardReadBytes()
        guard waiting.readableBytes == 0 else { return goOn() }
        if let whenSent {
            self.whenSent = nil
            return whenSent()
        }
        receiver?.writabilityRestored()
    }
}
