import CassetteStore
import HTTPMessages
import MockServeCore
import NIOCore

/// Forwards one exchange: the request to the upstream, the answer to the client, and both into the recording.
///
/// Holds only what the mapping of origins needs, and the end of the answer, which is sent once the interaction is
/// committed. If the client goes away after its request is complete, the upstream's answer is still read and recorded.
final class ForwardedExchange: ExchangeReceiver, UpstreamReceiver {
    /// How long to wait for the end of a request that the upstream has already answered.
    private static let requestGrace = TimeAmount.seconds(2)
    /// Bytes of a request body that may wait for the connection; beyond that the client is not read.
    private static let waitingLimit = 64 << 10

    let exchange: Exchange
    private let upstream: ServedUpstream
    private let recorder: Recorder
    private let eventLoop: any EventLoop
    private var number = 0

    private let request: ForwardedRequest
    private let answer: ForwardedAnswer
    private let recording: ExchangeRecording

    private var hasSentContinue = false
    private var hasRetried = false
    /// How often the upstream may still refuse to look at the request.
    private var refusalsLeft = 3
    /// The trailers of the answer, once it has ended.
    private var responseEnd: Fields?
    /// Whether the answer has ended the request, too.
    private var isCutShort = false
    /// Set if the upstream did not complete its answer.
    private var cut: AnswerCut?
    private var redactions = RedactionNotes()
    private var isOver = false
    private var isCongested = false

    init(_ exchange: Exchange, to upstream: ServedUpstream, _ map: OriginMap, _ recorder: Recorder) {
        self.exchange = exchange
        self.upstream = upstream
        self.recorder = recorder
        eventLoop = exchange.eventLoop
        request = ForwardedRequest(exchange.request, map)
        answer = ForwardedAnswer(exchange, map)
        recording = ExchangeRecording(request.head, from: upstream.originText, recorder.writer)
    }

    /// Connects and sends the request head, unless the body must be collected first.
    ///
    /// - Parameter number: the recorder's number for this exchange.
    func start(_ number: Int) {
        self.number = number
        guard request.isCollecting else { return connect() }
        hasSentContinue = exchange.request.expectsContinue
        exchange.sendContinueIfExpected()
    }

    // MARK: From the client

    func receive(_ bytes: ByteBuffer) {
        guard !isOver, !isCutShort else { return }
        let wasCollecting = request.isCollecting
        forward(request.map(bytes))
        // The body is no longer collected: from here on it is sent as it arrives.
        if wasCollecting, !request.isCollecting { connect() }
    }

    private func forward(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        if recording.append(request: bytes) { checkCongestion() }
        // After the answer, only the recording needs the bytes.
        if request.stream != nil || responseEnd == nil { request.send(bytes) }
        updatePauses()
    }

    func receiveEnd(trailers: Fields) {
        guard !isOver, !isCutShort else { return }
        let wasCollecting = request.isCollecting
        forward(request.endOfMapping())
        recording.endRequest()
        request.complete(trailers: trailers)
        let wasAnswered = responseEnd != nil
        if wasCollecting {
            request.sayLength()
            connect()
        }
        request.finishIfComplete()
        if wasAnswered { complete() }
    }

    func connectionLost() {
        exchange.detach()
        guard !isOver else { return }
        if request.isComplete {
            // The cassette still needs the answer.
            updatePauses()
        } else {
            end()
            request.stream?.cancel()
        }
    }

    func writabilityRestored() { updatePauses() }

    // MARK: To the upstream

    private func connect() {
        let isRepeatable = request.isRepeatable
        recorder.client.stream(to: upstream.origin, on: eventLoop, isRepeatable: isRepeatable) { result in
            switch result {
            case .success(let stream): self.connected(stream)
            case .failure(let failure): self.fail(failure)
            }
        }
        updatePauses()
    }

    private func connected(_ stream: any UpstreamStream) {
        guard !isOver else { return stream.cancel() }
        request.begin(on: stream, receiver: self)
        updatePauses()
    }

    func upstreamWritabilityRestored() { updatePauses() }

    /// The only place that decides who may read on.
    private func updatePauses() {
        let stream = request.stream
        let isUpstreamBusy = stream.map { !$0.isWritable } ?? (request.waitingBytes > Self.waitingLimit)
        exchange.pauseRequest(!isOver && (isCongested || isUpstreamBusy && !request.isCollecting))
        stream?.pause(!isOver && (isCongested || !exchange.isWritable))
    }

    private func checkCongestion() {
        guard !isCongested, let writer = recording.writer, writer.isCongested else { return }
        isCongested = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let eventLoop = eventLoop
        writer.whenDrained {
            eventLoop.execute {
                bound.value.isCongested = false
                bound.value.updatePauses()
            }
        }
        updatePauses()
    }

    // MARK: From the upstream

    func receiveInformational(_ head: ResponseHead) {
        // Not recorded: a replay makes its own `100` for a client that asks for one.
        if head.status == 100, exchange.request.expectsContinue {
            if hasSentContinue { return }
            hasSentContinue = true
        } else {
            recording.append(informational: head)
        }
        answer.sendInformational(head)
    }

    func receiveHead(_ head: ResponseHead) {
        recording.begin(head)
        answer.begin(head)
    }

    func receiveMark(piece size: Int) {
        recording.mark(piece: size)
        answer.mark(piece: size)
    }

    func receiveBody(_ bytes: ByteBuffer) {
        if recording.append(response: bytes) { checkCongestion() }
        answer.send(bytes)
        updatePauses()
    }

    func receivedAll() { answer.flush() }

    func receiveResponseEnd(trailers: Fields) {
        responseEnd = trailers
        recording.endResponse()
        request.leaveStream()
        guard !isOver else { return }
        if answer.isStreaming || !request.isComplete { answer.flush() }
        if request.isComplete { return complete() }
        if recording.endsWithAnswer {
            cutRequest()
            return complete()
        }
        // The answer arrived before the end of the request. Without that there is nothing to match it by.
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: Self.requestGrace) { bound.value.endWithoutRequest() }
    }

    /// What the client has said so far is all of the request.
    private func cutRequest() {
        isCutShort = true
        request.complete(trailers: Fields())
        recording.cutRequest()
    }

    private func endWithoutRequest() {
        guard !isOver, !request.isComplete else { return }
        note(.failed("\(describe): answered before the end of the request, so it was not recorded"))
        release()
        end()
    }

    func receiveFailure(_ failure: UpstreamFailure) {
        request.leaveStream()
        if !isOver, failure.wasRefused, refusalsLeft > 0, request.isKept {
            refusalsLeft -= 1
            request.takeBack()
            return connect()
        }
        if !isOver, failure.saysNothing, !hasRetried, request.isRepeatable {
            hasRetried = true
            return connect()
        }
        guard let head = recording.response, !isOver else { return fail(failure) }
        cut = AnswerCut(failure.end, offset: recording.sinceHead)
        guard recorder.keepsCut, recorder.writer != nil, request.isComplete || recording.endsWithAnswer else {
            note(.failed("\(describe): \(failure.message)"), status: head.status)
            release()
            return end()
        }
        responseEnd = Fields()
        recording.endResponse()
        if !request.isComplete { cutRequest() }
        complete()
    }

    private func fail(_ failure: UpstreamFailure) {
        guard !isOver else { return }
        note(.failed("\(describe): \(failure.message)"), status: failure.status)
        let problem = Problem(
            status: failure.status,
            title: "The upstream gave no valid answer",
            detail: failure.message + ". Nothing was recorded."
        )
        exchange.answer(problem)
        end()
    }

    private func note(_ outcome: JournalEntry.Outcome, status: Int? = nil) {
        recorder.note(exchange, outcome, status: status ?? recording.response?.status)
    }

    private var describe: String {
        "\(Latin1.string(request.head.method)) \(upstream.originText)\(Latin1.string(Target(request.head.target).path))"
    }

    // MARK: The end

    private func complete() {
        guard let writer = recording.writer else {
            note(.forwarded)
            release()
            return end()
        }
        let interaction: NewInteraction
        do {
            let made = try recording.interaction(
                requestTrailers: request.trailers,
                responseTrailers: responseEnd ?? Fields(),
                cut,
                for: writer
            )
            guard let made else { return }
            interaction = made
        } catch {
            note(.failed("\(describe): \(error), so it was not recorded; --no-default-redaction would record it"))
            release()
            return end()
        }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let eventLoop = eventLoop
        redactions = interaction.content.redactions
        writer.commit(interaction) { result in
            eventLoop.execute { bound.value.committed(result) }
        }
    }

    private func committed(_ result: Result<Int64, CassetteError>) {
        guard !isOver else { return }
        switch result {
        case .success(let number):
            note(.recorded(interaction: Int(number)))
            recorder.recorded(redactions, isCut: cut != nil)
            release()
        case .failure(let error):
            recorder.failedToWrite(error)
            note(.failed(error.description), status: answer.hasSentHead ? nil : 502)
            if answer.hasSentHead {
                exchange.abort()
            } else {
                let problem = Problem(
                    status: 502,
                    title: "The interaction could not be recorded",
                    detail: "The cassette \(error.description)"
                )
                exchange.answer(problem)
            }
        }
        end()
    }

    private func release() { answer.release(trailers: responseEnd ?? Fields(), cut) }

    private func end() {
        guard !isOver else { return }
        isOver = true
        recording.discard()
        updatePauses()
        recorder.end(number)
    }

    /// Gives up at the deadline of a stop.
    func cancel() {
        guard !isOver else { return }
        note(.failed("\(describe): cut off by the end of the recording"))
        request.stream?.cancel()
        exchange.abort()
        end()
    }
}
