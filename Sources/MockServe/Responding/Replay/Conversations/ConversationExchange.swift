import CassetteStore
import Crypto
import HTTPMessages
import MockServeCore
import NIOCore

/// A call of gRPC that is answered from the cassette. It may be a conversation, which is answered message by message. As
/// long as no recorded conversation has anything to say, it is read like any other request, and answered when it is
/// complete.
final class ConversationExchange: ExchangeReceiver {
    /// What has arrived while the cassette cannot be read.
    private enum Event {
        case bytes(ByteBuffer)
        case end(Fields)
    }

    private let exchange: Exchange
    private let replayer: LoopReplayer
    private let whole: ReplayedExchange
    private var splitter = MessageSplitter()
    private var payload: [UInt8] = []
    private var isCompressed = false
    private let encoding: ArraySlice<UInt8>?
    /// Nil as long as the cassette was not read.
    private var state: ConversationState?
    private var events: [Event] = []
    private var player: ConversationPlayer?
    private var recorded: [Int64: RecordedConversationAnswer] = [:]
    private var isLost = false
    private var isOver = false

    init(_ exchange: Exchange, replayer: LoopReplayer) {
        self.exchange = exchange
        self.replayer = replayer
        whole = ReplayedExchange(exchange, replayer: replayer)
        encoding = exchange.request.fields.first("grpc-encoding")
    }

    func start() {
        let deadline = NIODeadline.now() + LockPatience.limit
        replayer.whenOpen { [weak self] _ in
            // An error here recurs when the request is complete.
            self?.load(until: deadline)
        }
    }

    private func load(until deadline: NIODeadline) {
        guard !isLost else { return }
        do {
            let found = try replayer.conversations(for: exchange)
            for answer in found { recorded[answer.conversation.id] = answer }
            state = ConversationState(found.map(\.conversation))
        } catch is PlaybackReader.Busy where NIODeadline.now() < deadline {
            let bound = NIOLoopBound(self, eventLoop: exchange.eventLoop)
            exchange.eventLoop.scheduleTask(in: LockPatience.pause) { bound.value.load(until: deadline) }
            return
        } catch {
            state = ConversationState([])
        }
        if let action = state?.begin() { perform(action) }
        let waiting = events
        events = []
        for event in waiting {
            switch event {
            case .bytes(let bytes): receive(bytes)
            case .end(let trailers): receiveEnd(trailers: trailers)
            }
        }
    }

    // MARK: The request

    func receive(_ bytes: ByteBuffer) {
        guard state != nil else { return events.append(.bytes(bytes)) }
        guard !isOver else { return }
        whole.receive(bytes)
        var messages: [[UInt8]] = []
        bytes.withUnsafeReadableBytes { bytes in
            _ = splitter.push(bytes) {
                payload.append(contentsOf: $0)
            } _: { part in
                switch part {
                case .begin(_, let isCompressed): (payload, self.isCompressed) = ([], isCompressed)
                case .end: messages.append(isCompressed ? GRPCMessage.decoded(payload, encoding) : payload)
                }
            }
        }
        for message in messages {
            guard !isOver, let action = state?.receive(replayer.digest(message, of: exchange.request)) else { return }
            perform(action)
        }
    }

    func receiveEnd(trailers: Fields) {
        guard state != nil else { return events.append(.end(trailers)) }
        guard !isOver else { return }
        guard state?.hasBegun == true else {
            isOver = true
            return whole.receiveEnd(trailers: trailers)
        }
        if let action = state?.end() { perform(action) }
    }

    // MARK: The answer

    private func perform(_ action: ConversationState.Action) {
        switch action {
        case .wait: break
        case .send(let id, let upTo): play(id, upTo: upTo, isEnd: false)
        case .finish(let id, let upTo):
            // Nothing was said before the request was complete: then it is not told apart from others here.
            isOver = true
            replayer.noteConversation(exchange, id, status: recorded[id]?.answer.head.status ?? 200)
            play(id, upTo: upTo, isEnd: true)
        case .miss(let id, _):
            // As long as nothing was said, other recordings may answer the whole request.
            guard player != nil else { return }
            isOver = true
            miss(instead: id)
        }
    }

    private func play(_ id: Int64, upTo: Int, isEnd: Bool) {
        guard let answer = recorded[id] else { return }
        let player = player ?? ConversationPlayer(exchange, replayer: replayer)
        self.player = player
        player.play(answer, upTo: upTo, isEnd: isEnd)
    }

    /// The answer has begun, so that what it lacks is said at its end.
    private func miss(instead id: Int64) {
        let bound = NIOLoopBound(self, eventLoop: exchange.eventLoop)
        whole.report().whenComplete { result in
            let this = bound.value
            guard !this.isLost else { return }
            switch result {
            case .success(let report): this.player?.end(report.noted(this.exchange, this.replayer.replayer.journal))
            case .failure(let error):
                let detail = String(describing: error)
                this.player?.end(Problem(status: 500, title: "The cassette cannot be played", detail: detail))
            }
        }
    }

    func connectionLost() {
        exchange.detach()
        isLost = true
        player?.stop()
        whole.connectionLost()
    }

    func writabilityRestored() {
        player?.resume()
        whole.writabilityRestored()
    }
}
