import CassetteStore
import HTTPMessages
import MockServeCore
import NIOCore

/// A recorded conversation with what is needed to play it.
struct RecordedConversationAnswer {
    let conversation: RecordedConversation
    let answer: RecordedAnswer
    /// Where the server's messages are in the body of the answer, with their prefixes.
    let messages: [Range<Int>]
    /// What follows them: a message without its end.
    let rest: Range<Int>
}

/// Sends the messages of a recorded conversation, no faster than the client reads, and if wanted with their recorded timing.
final class ConversationPlayer {
    private let exchange: Exchange
    private let replayer: LoopReplayer
    private let map: OriginMap
    private var recorded: RecordedConversationAnswer?
    private var hasSentHead = false
    private var sent = 0
    private var upTo = 0
    /// Where in the body the message goes on that was sent in part.
    private var interrupted: Int?
    private var mustFinish = false
    private var isOver = false
    private var slices: (id: Int64, reader: SliceReader)?
    private var lastStep = NIODeadline.now()
    private var timer: Scheduled<Void>?
    private var isPlaying = false
    /// Since when somebody else has had the cassette locked.
    private var busySince: NIODeadline?
    /// Called with the reason why a recording cannot be played.
    var whenFailed: ((any Error) -> Void)?

    init(_ exchange: Exchange, replayer: LoopReplayer) {
        self.exchange = exchange
        self.replayer = replayer
        map = replayer.map(for: exchange.servedOrigin, exchange.upstream)
    }

    /// Sends further messages, up to a number, and then perhaps the end.
    func play(_ recorded: RecordedConversationAnswer, upTo: Int, isEnd: Bool) {
        self.recorded = recorded
        // What still waits for its time is not put off.
        if sent == self.upTo { lastStep = .now() }
        self.upTo = upTo
        mustFinish = isEnd
        run()
    }

    func resume() { run() }

    func stop() {
        isOver = true
        timer?.cancel()
    }

    private func run() {
        guard !isOver, !isPlaying, timer == nil, let recorded else { return }
        isPlaying = true
        defer { isPlaying = false }
        do {
            try play(recorded)
            busySince = nil
        } catch is PlaybackReader.Busy where .now() - (busySince ?? .now()) < LockPatience.limit {
            busySince = busySince ?? .now()
            wait(until: .now() + LockPatience.pause)
        } catch {
            stop()
            whenFailed?(error)
            exchange.abort()
        }
    }

    private func play(_ recorded: RecordedConversationAnswer) throws {
        if !hasSentHead {
            hasSentHead = true
            for informational in recorded.answer.informational { exchange.sendInformational(informational) }
            exchange.sendHead(map.mapResponse(recorded.answer.head), length: .unknown)
        }
        while sent < upTo {
            guard exchange.isWritable else { return exchange.flush() }
            if let moment = moment(of: sent, recorded), moment > .now() { return wait(until: moment) }
            try send(recorded.messages[sent], of: recorded.answer)
            sent += 1
            lastStep = .now()
        }
        exchange.flush()
        guard mustFinish else { return }
        try send(recorded.rest, of: recorded.answer)
        isOver = true
        if let cut = recorded.answer.cut { return exchange.abort(cut.end) }
        exchange.finish(trailers: recorded.answer.trailers)
    }

    private func send(_ range: Range<Int>, of answer: RecordedAnswer) throws {
        if slices?.id != answer.id { slices = (answer.id, SliceReader(replayer, answer.body, first: nil)) }
        guard let reader = slices?.reader else { return }
        // The cassette may be locked in the middle of a message: what was sent is not sent again.
        var position = interrupted ?? range.lowerBound
        while position < range.upperBound {
            let piece = try reader.read(at: position, count: range.upperBound - position)
            exchange.send(piece)
            position += piece.readableBytes
            interrupted = position
        }
        interrupted = nil
    }

    /// When a message is due: as long after the step before it as in the recording. Nil if timing is not replayed.
    private func moment(of message: Int, _ recorded: RecordedConversationAnswer) -> NIODeadline? {
        let speed = replayer.replayer.options.speed
        guard speed > 0 else { return nil }
        let pause = Double(recorded.conversation.pauses[message]) / speed
        return lastStep + .milliseconds(Int64(min(pause, 365 * 86_400_000)))
    }

    private func wait(until moment: NIODeadline) {
        exchange.flush()
        let bound = NIOLoopBound(self, eventLoop: exchange.eventLoop)
        timer = exchange.eventLoop.scheduleTask(deadline: moment) {
            bound.value.timer = nil
            bound.value.run()
        }
    }

    /// Ends the answer with an error, in its trailers.
    func end(_ problem: Problem) {
        guard !isOver else { return }
        stop()
        exchange.finish(trailers: problem.trailersOfGRPC)
    }
}
