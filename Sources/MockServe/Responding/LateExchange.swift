import HTTPMessages
import NIOCore

/// An exchange that goes on to the next service only later. Until then no more of its body is read.
final class LateExchange: ExchangeReceiver {
    private enum Event {
        case bytes(ByteBuffer)
        case end(Fields)
    }

    private let exchange: Exchange
    private let next: any ExchangeHandler
    private var waiting: [Event] = []
    private var receiver: (any ExchangeReceiver)?
    private var timer: Scheduled<Void>?
    private var isLost = false

    init(_ exchange: Exchange, _ next: any ExchangeHandler) {
        (self.exchange, self.next) = (exchange, next)
        exchange.pauseRequest(true)
    }

    func begin(after delay: Duration) {
        exchange.isHeld = true
        let bound = NIOLoopBound(self, eventLoop: exchange.eventLoop)
        timer = exchange.eventLoop.scheduleTask(in: TimeAmount(delay)) { bound.value.begin() }
    }

    /// Goes on, once, unless the client is gone.
    func begin() {
        guard !isLost, receiver == nil else { return }
        exchange.isHeld = false
        // Before anybody else pauses it.
        exchange.pauseRequest(false)
        let receiver = next.respond(to: exchange)
        self.receiver = receiver
        for event in waiting {
            switch event {
            case .bytes(let bytes): receiver.receive(bytes)
            case .end(let trailers): receiver.receiveEnd(trailers: trailers)
            }
        }
        waiting = []
    }

    func receive(_ bytes: ByteBuffer) {
        if let receiver { receiver.receive(bytes) } else { waiting.append(.bytes(bytes)) }
    }

    func receiveEnd(trailers: Fields) {
        if let receiver { receiver.receiveEnd(trailers: trailers) } else { waiting.append(.end(trailers)) }
    }

    func connectionLost() {
        timer?.cancel()
        isLost = true
        waiting = []
        guard let receiver else { return exchange.detach() }
        receiver.connectionLost()
    }

    func writabilityRestored() { receiver?.writabilityRestored() }
}
