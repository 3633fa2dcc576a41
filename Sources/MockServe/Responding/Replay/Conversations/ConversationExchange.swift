import CassetteStore
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
    /// Whether the message that arrives is short enough to be compared.
    private var isCompared = true
    private let encoding: ArraySlice<UInt8>?
    /// Nil as long as the cassette was not read.
    private var state: ConversationState?
    private var events: [Event] = []
    private var player: ConversationPlayer?
    private var recorded: [Int64: RecordedConversationAnswer] = [:]
    /// The interaction that speaks.
    private var current: Int64?
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
        exchange.pauseRequest(true)
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
        exchange.pauseRequest(false)
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
        guard state?.isIdle == false else { return }
        for message in messages(in: bytes) {
            // One that is too long is like no other.
            let digest = message.map { replayer.digest($0, of: exchange.request) } ?? []
            guard !isOver, let action = state?.receive(digest) else { return }
            perform(action)
        }
    }

    /// The messages that end in these bytes, without compression; nil for one that is too long to be compared.
    private func messages(in bytes: ByteBuffer) -> [[UInt8]?] {
        var messages: [[UInt8]?] = []
        bytes.withUnsafeReadableBytes { bytes in
            _ = splitter.push(bytes) {
                if isCompared { payload.append(contentsOf: $0) }
            } _: { part in
                switch part {
                case .begin(let size, let isCompressed):
                    (payload, self.isCompressed) = ([], isCompressed)
                    isCompared = size <= LoopReplayer.conversationSize
                case .end:
                    messages.append(
                        isCompared ? isCompressed ? GRPCMessage.decoded(payload, encoding) : payload : nil
                    )
                }
            }
        }
        return messages
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
            isOver = true
            note(id)
            play(id, upTo: upTo, isEnd: true)
        case .miss(let id, let message):
            isOver = true
            miss(instead: id, message)
        }
    }

    private func play(_ id: Int64, upTo: Int, isEnd: Bool) {
        guard let answer = recorded[id] else { return }
        let player = player ?? ConversationPlayer(exchange, replayer: replayer)
        self.player = player
        current = id
        player.whenFailed = { [weak self] in self?.noteFailure($0) }
        player.play(answer, upTo: upTo, isEnd: isEnd)
    }

    private func note(_ id: Int64) {
        replayer.noteConversation(exchange, id, status: recorded[id]?.answer.head.status ?? 200)
    }

    private func noteFailure(_ error: any Error) {
        let text = "\(Latin1.string(exchange.request.target)): the cassette cannot be played: \(error)"
        replayer.replayer.journal.note(exchange.request, .failed(text), status: nil, exchange.notes)
    }

    /// The answer has begun, so that what it lacks is said at its end.
    ///
    /// - Parameter message: as in `ConversationState.Action.miss`.
    private func miss(instead id: Int64, _ message: Int?) {
        let bound = NIOLoopBound(self, eventLoop: exchange.eventLoop)
        let what = message.map { "message \($0) of the client is another one" } ?? "the client has ended too early"
        whole.report().whenComplete { result in
            let this = bound.value
            guard !this.isLost else { return }
            switch result {
            case .success(let report):
                var problem = report.noted(this.exchange, this.replayer.replayer.journal)
                problem.oneLine = "This call went on like the recorded #\(id), but \(what). \(problem.oneLine ?? "")"
                this.player?.end(problem)
            case .failure(let error):
                this.noteFailure(error)
                let detail = String(describing: error)
                this.player?.end(Problem(status: 500, title: "The cassette cannot be played", detail: detail))
            }
        }
    }

    func connectionLost() {
        // It was used, as far as it went.
        if let current, !isOver { note(current) }
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
