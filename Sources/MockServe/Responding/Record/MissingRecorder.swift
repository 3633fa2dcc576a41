import HTTPMessages
import MockServeCore
import NIOCore

/// Replays what the cassette has and records the rest: the service of the mode `missing`.
///
/// Requests are held until they are complete, because only then it is known whether the cassette has an answer.
final class MissingRecorder: ExchangeService {
    /// Bytes of a request body that are held; a longer one is refused.
    static let holdLimit = 64 << 20

    private let replayer: Replayer
    private let recorder: Recorder

    init(replayer: Replayer, recorder: Recorder) {
        self.replayer = replayer
        self.recorder = recorder
    }

    func handler(on eventLoop: any EventLoop) -> any ExchangeHandler {
        LoopMissingRecorder(replayer: replayer.loopReplayer(on: eventLoop), recorder: recorder)
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        recorder.shutDown(deadline: deadline, on: eventLoop).flatMap {
            self.replayer.shutDown(deadline: deadline, on: eventLoop)
        }
    }
}

private final class LoopMissingRecorder: ExchangeHandler {
    private let replayer: LoopReplayer
    private let recorder: Recorder

    init(replayer: LoopReplayer, recorder: Recorder) {
        self.replayer = replayer
        self.recorder = recorder
    }

    func respond(to exchange: Exchange) -> any ExchangeReceiver {
        // Of what page a request comes matters only if it is forwarded; the cassette answers any, as in a replay.
        if let problem = Problem.unsupported(exchange.request) { return Refusal(exchange, problem) }
        exchange.sendContinueIfExpected()
        return HeldExchange(exchange, replayer: replayer, recorder: recorder)
    }
}

/// Holds a request while the cassette is searched for an answer, and forwards it if there is none.
private final class HeldExchange: ExchangeReceiver {
    private let exchange: Exchange
    private let recorder: Recorder
    private var held: [ByteBuffer] = []
    private var heldBytes = 0
    private var replayed: ReplayedExchange?
    private var forwarded: (any ExchangeReceiver)?
    private var trailers = Fields()

    init(_ exchange: Exchange, replayer: LoopReplayer, recorder: Recorder) {
        self.exchange = exchange
        self.recorder = recorder
        replayed = ReplayedExchange(exchange, replayer: replayer) { [weak self] _ in self?.forward() }
    }

    private var current: (any ExchangeReceiver)? { forwarded ?? replayed }

    func receive(_ bytes: ByteBuffer) {
        replayed?.receive(bytes)
        heldBytes += bytes.readableBytes
        guard heldBytes <= MissingRecorder.holdLimit else {
            held = []
            let problem = Problem(
                status: 413,
                title: "The request body is too large for the mode `missing`",
                detail:
                    "This mode holds a request of up to \(MissingRecorder.holdLimit) bytes until it is known whether "
                    + "the cassette answers it. Record larger ones with the mode `all`."
            )
            return exchange.answer(problem)
        }
        held.append(bytes)
    }

    func receiveEnd(trailers: Fields) {
        self.trailers = trailers
        replayed?.receiveEnd(trailers: trailers)
    }

    private func forward() {
        let receiver = recorder.respond(to: exchange)
        forwarded = receiver
        for bytes in held { receiver.receive(bytes) }
        held = []
        receiver.receiveEnd(trailers: trailers)
    }

    func connectionLost() { current?.connectionLost() }

    func writabilityRestored() { current?.writabilityRestored() }
}
