import CassetteStore
import Foundation
import HTTPWire
import MockServeCore
import NIOCore

/// One exchange on its way through: the request to the upstream, the answer to the client, both into the recording.
///
/// Nothing is held but what the mapping of origins needs, and the end of the answer: its last byte goes out after the
/// interaction was committed. If the client goes away the upstream's answer is still read and kept.
final class ForwardedExchange: ExchangeReceiver, UpstreamReceiver {
    /// How long the end of a request is awaited that the upstream has answered already.
    private static let requestGrace = TimeAmount.seconds(2)

    let exchange: Exchange
    private let origin: Origin
    private var originText: String { forwarder.originText(exchange.upstreamIndex) }
    private let client: UpstreamClient
    private let forwarder: Forwarder
    private let map: OriginMap
    private let eventLoop: any EventLoop
    private var hasSentContinue = false
    private let arrival = Clock.now()
    private var number = 0

    // The request.
    private let recordedRequest: RequestHead
    private let keyBuilder: MatchKeyBuilder
    private var requestMapping: BodyMapping?
    private var requestBody: BodyCollector
    private var requestTrailers = Fields()
    private var isRequestComplete = false
    /// While it belongs to this exchange: from the end of the answer on it may be another's.
    private var upstream: UpstreamConnection?
    private var upstreamFraming: BodyFraming
    private var isReused = false
    private var hasRetried = false
    /// What waits for the connection, or for the mapping to be complete.
    private var waiting: [ByteBuffer] = []
    private var waitingBytes = 0

    // The response.
    private var informational: [ResponseHead] = []
    private var responseHead: ResponseHead?
    private var headTime = Clock.now()
    private var responseMapping: BodyMapping?
    private var responseBody: BodyCollector
    private var chunks = ChunkLog()
    private var gatherer = ChunkGatherer()
    private var chunkRemaining = 0
    private var received = 0
    private var held: HeldEnd?
    private var hasSentHead = false
    /// Whether something was written that is not on its way yet.
    private var mustFlush = false
    /// Whether the client has something of the response already.
    private var isStreaming = false
    private var responseEnd: Fields?
    /// Set if the upstream did not complete its answer.
    private var cut: AnswerCut?

    private var redactions = RedactionNotes()
    private var isOver = false
    private var isCongested = false

    /// What the client is not sent before the commit.
    private enum HeldEnd {
        case head(ResponseHead, BodyFraming)
        case lastByte(ByteBuffer)
    }

    init(_ exchange: Exchange, origin: Origin, map: OriginMap, forwarder: Forwarder) {
        self.exchange = exchange
        self.origin = origin
        self.forwarder = forwarder
        self.map = map
        client = forwarder.client
        eventLoop = exchange.eventLoop
        recordedRequest = map.mapRequest(exchange.request)
        keyBuilder = MatchKeyBuilder(recordedRequest, forwarder.writer?.rules ?? .none)
        requestMapping = map.requestBodyMapping(for: exchange.request)
        requestBody = BodyCollector(forwarder.writer)
        requestBody.redact(recordedRequest.fields, "request body")
        responseBody = BodyCollector(forwarder.writer)
        upstreamFraming = exchange.request.framing
    }

    /// Connects and sends the request head, unless the body must be mapped first.
    ///
    /// - Parameter number: by which the forwarder knows this exchange.
    func start(_ number: Int) {
        self.number = number
        guard isCollectingRequest else { return connect() }
        hasSentContinue = exchange.request.expectsContinue
        exchange.sendContinueIfExpected()
    }

    /// Whether the request is not sent before its body is complete, as its length may change.
    private var isCollectingRequest: Bool { requestMapping?.isCollecting == true }

    // MARK: From the client

    func receive(_ bytes: ByteBuffer) {
        guard !isOver else { return }
        guard requestMapping != nil else { return forward(bytes) }
        let wasCollecting = isCollectingRequest
        let mapped = requestMapping?.push(Array(bytes.readableBytesView)) ?? []
        if !mapped.isEmpty { forward(ByteBuffer(bytes: mapped)) }
        // Too long to be held: from here on it is sent as it comes.
        if wasCollecting, !isCollectingRequest { connect() }
    }

    private func forward(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { keyBuilder.update($0) }
        if requestBody.append(bytes) { checkCongestion() }
        if let upstream {
            upstream.send(bytes)
        } else if responseEnd == nil {
            waiting.append(bytes)
            waitingBytes += bytes.readableBytes
        }
        updatePauses()
    }

    func receiveEnd(trailers: Fields) {
        guard !isOver else { return }
        let mustConnect = isCollectingRequest
        if let rest = requestMapping?.finish(), !rest.isEmpty { forward(ByteBuffer(bytes: rest)) }
        requestTrailers = trailers
        isRequestComplete = true
        if mustConnect { connect(collected: waitingBytes) }
        upstream?.finish(trailers: trailers)
        if responseEnd != nil { complete() }
    }

    func connectionLost() {
        exchange.transport = nil
        guard !isOver else { return }
        if isRequestComplete {
            // The answer is still wanted by the cassette.
            updatePauses()
        } else {
            end()
            upstream?.cancel()
        }
    }

    func writabilityRestored() { updatePauses() }

    // MARK: To the upstream

    /// - Parameter collected: bytes of the body, if it was held to be mapped.
    private func connect(collected: Int? = nil) {
        if let collected, exchange.request.framing != .chunked { upstreamFraming = .length(collected) }
        if let idle = client.idleConnection(to: origin, on: eventLoop, isRepeatable: isRepeatable) {
            return connected(idle)
        }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        client.connect(to: origin, on: eventLoop).whenComplete { result in
            switch result {
            case .success(let connection): bound.value.connected(connection.value)
            case .failure(let error): bound.value.fail(UpstreamFailure(error, upstream: bound.value.originText))
            }
        }
        updatePauses()
    }

    /// Whether the request may be sent again on another connection (RFC 9110 §9.2.2).
    private var isRepeatable: Bool {
        exchange.request.framing == .none && recordedRequest.isIdempotent
    }

    private func connected(_ upstream: UpstreamConnection) {
        guard !isOver else { return upstream.cancel() }
        guard !upstream.leads(to: forwarder.ownListeners) else {
            upstream.cancel()
            return fail(UpstreamFailure("\(origin) is this server itself; name the real service as the upstream"))
        }
        isReused = upstream.idleSince != nil
        self.upstream = upstream
        let proxy = client.proxyForm(for: origin)
        upstream.begin(recordedRequest.forwarded(to: origin, by: proxy, framing: upstreamFraming), receiver: self)
        let held = waiting
        waiting = []
        waitingBytes = 0
        for bytes in held { upstream.send(bytes) }
        if isRequestComplete { upstream.finish(trailers: requestTrailers) }
        updatePauses()
    }

    func upstreamWritabilityRestored() { updatePauses() }

    /// The one place where it is decided who may read on.
    private func updatePauses() {
        let isUpstreamBusy = upstream.map { !$0.isWritable } ?? (waitingBytes > 64 << 10)
        exchange.pauseRequest(!isOver && (isCongested || isUpstreamBusy && !isCollectingRequest))
        upstream?.pause(!isOver && (isCongested || !exchange.isWritable))
    }

    private func checkCongestion() {
        guard !isCongested, let writer = forwarder.writer, writer.isCongested else { return }
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
        // The one that the client asked for, a replay makes anew.
        if head.status == 100, exchange.request.expectsContinue {
            if hasSentContinue { return }
            hasSentContinue = true
        } else {
            informational.append(head)
        }
        exchange.sendInformational(map.mapResponse(head))
    }

    func receiveHead(_ head: ResponseHead) {
        responseHead = head
        headTime = Clock.now()
        responseBody.redact(head.fields, "response body")
        responseMapping = map.responseBodyMapping(for: head)
        if responseMapping?.isCollecting == true { return }
        let mapped = map.mapResponse(head)
        let length = responseMapping == nil ? head.framing : .chunked
        if head.framing == .none || head.framing == .length(0) || exchange.request.isHEAD {
            held = .head(mapped, length)
        } else {
            sendHead(mapped, length)
        }
    }

    private func sendHead(_ head: ResponseHead, _ length: BodyFraming) {
        hasSentHead = true
        exchange.sendHead(head, length: length)
        mustFlush = true
    }

    /// A response that came as a whole is written as a whole, after the commit. Of a stream only the end waits for that.
    func receivedAll() {
        guard mustFlush else { return }
        mustFlush = false
        isStreaming = true
        exchange.flush()
    }

    func receiveChunk(size: Int) {
        chunks.begin(size: size, at: Clock.milliseconds(since: headTime))
        chunkRemaining = size
        if responseMapping == nil { exchange.startChunk(size: size) }
    }

    func receiveBody(_ bytes: ByteBuffer) {
        received += bytes.readableBytes
        if responseHead?.framing != .chunked {
            chunks.add(size: bytes.readableBytes, at: Clock.milliseconds(since: headTime))
        }
        if responseBody.append(bytes) { checkCongestion() }
        if responseMapping != nil {
            let mapped = responseMapping?.push(Array(bytes.readableBytesView)) ?? []
            if responseMapping?.isUnchanged == true {
                startUnchangedBody(mapped)
            } else {
                if !isCollectingResponse { startMappedBody() }
                chunkRemaining -= bytes.readableBytes
                exchange.send(ByteBuffer(bytes: gatherer.push(mapped, endsChunk: chunkRemaining <= 0)))
            }
        } else {
            exchange.send(holdingLastByte(bytes))
        }
        mustFlush = true
        updatePauses()
    }

    /// A collected body turned out too long: it goes out as it comes from here on.
    private func startMappedBody() {
        guard !hasSentHead, let responseHead else { return }
        sendHead(map.mapResponse(responseHead), .chunked)
    }

    /// It has turned out that nothing is replaced in this body: it goes out as it comes.
    private func startUnchangedBody(_ bytes: [UInt8]) {
        responseMapping = nil
        guard let responseHead else { return }
        sendHead(map.mapResponse(responseHead), responseHead.framing)
        if responseHead.framing == .chunked {
            sendAsItCame(bytes)
        } else {
            exchange.send(holdingLastByte(ByteBuffer(bytes: bytes)))
        }
    }

    /// What was held of a body, in the chunks in which it came. The last one may not be complete yet.
    private func sendAsItCame(_ bytes: [UInt8]) {
        var rest = ByteBuffer(bytes: bytes)
        guard responseHead?.framing == .chunked else { return exchange.send(rest) }
        for chunk in chunks.chunks {
            exchange.startChunk(size: chunk.size)
            if let part = rest.readSlice(length: min(chunk.size, rest.readableBytes)) { exchange.send(part) }
        }
    }

    /// Of a body of known length the last byte is the end; of others the end is a mark of its own.
    private func holdingLastByte(_ bytes: ByteBuffer) -> ByteBuffer {
        guard case .length(let length) = responseHead?.framing, received == length else { return bytes }
        var bytes = bytes
        let body = bytes.readSlice(length: bytes.readableBytes - 1) ?? ByteBuffer()
        held = .lastByte(bytes)
        return body
    }

    func receiveResponseEnd(trailers: Fields) {
        responseEnd = trailers
        upstream = nil
        guard !isOver else { return }
        if isStreaming || !isRequestComplete { receivedAll() }
        if isRequestComplete { return complete() }
        // An answer before the end of the request: without that there is nothing to match it by.
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: Self.requestGrace) { bound.value.endWithoutRequest() }
    }

    private func endWithoutRequest() {
        guard !isOver, !isRequestComplete else { return }
        note(.failed("\(describe): answered before the end of the request, so it was not recorded"))
        release()
        end()
    }

    func receiveFailure(_ failure: UpstreamFailure) {
        let mayRetry = isReused && !hasRetried && isRepeatable && responseHead == nil
        let hadAnswer = upstream?.hasReceived ?? true
        upstream = nil
        if mayRetry, !hadAnswer {
            hasRetried = true
            return connect()
        }
        guard let responseHead, !isOver else { return fail(failure) }
        cut = AnswerCut(failure.end, offset: Clock.milliseconds(since: headTime))
        guard forwarder.keepsCut, forwarder.writer != nil, isRequestComplete else {
            note(.failed("\(describe): \(failure.message)"), status: responseHead.status)
            release()
            return end()
        }
        responseEnd = Fields()
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
        exchange.answer(problem.response, body: problem.body)
        end()
    }

    private func note(_ outcome: JournalEntry.Outcome, status: Int? = nil) {
        forwarder.note(exchange, outcome, status: status ?? responseHead?.status)
    }

    private var describe: String {
        "\(Latin1.string(recordedRequest.method)) \(origin)\(Latin1.string(Target(recordedRequest.target).path))"
    }

    // MARK: The end

    private func complete() {
        guard let writer = forwarder.writer else {
            note(.forwarded)
            release()
            return end()
        }
        let interaction: NewInteraction
        do {
            guard let made = try makeInteraction(writer) else { return }
            interaction = made
        } catch {
            note(.failed("\(describe): \(error), so it was not recorded; --no-default-redaction would record it"))
            release()
            return end()
        }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let eventLoop = eventLoop
        redactions = interaction.exchanged.redactions
        writer.commit(interaction) { result in
            eventLoop.execute { bound.value.committed(result) }
        }
    }

    /// - Throws: `BodyRedaction.Refusal` if a body must not be written.
    private func makeInteraction(_ writer: CassetteWriter) throws -> NewInteraction? {
        guard let responseHead, let responseEnd else { return nil }
        let exchanged = Exchanged(
            origin: originText,
            request: recordedRequest,
            requestTrailers: requestTrailers,
            informational: informational,
            response: responseHead,
            responseTrailers: responseEnd,
            matchKey: keyBuilder.key(origin: originText),
            recordedAt: arrival.unixMilliseconds,
            firstByte: headTime.milliseconds(since: arrival),
            chunks: chunks.chunks,
            cut: cut
        )
        return try NewInteraction(exchanged, &requestBody, &responseBody, for: writer)
    }

    private func committed(_ result: Result<Int64, CassetteError>) {
        guard !isOver else { return }
        switch result {
        case .success(let number):
            note(.recorded(interaction: Int(number)))
            forwarder.recorded(redactions, isCut: cut != nil)
            release()
        case .failure(let error):
            forwarder.failedToWrite(error)
            note(.failed(error.description), status: hasSentHead ? responseHead?.status : 502)
            if hasSentHead {
                exchange.abort()
            } else {
                let problem = Problem(
                    status: 502,
                    title: "The interaction could not be recorded",
                    detail: "The cassette \(error.description)"
                )
                exchange.answer(problem.response, body: problem.body)
            }
        }
        end()
    }

    /// Sends what was held, and ends the answer as the upstream did.
    private func release() {
        if responseMapping != nil, let responseHead {
            let wasCollecting = isCollectingResponse
            let rest = responseMapping?.finish() ?? []
            if wasCollecting { exchange.sendHead(map.mapResponse(responseHead), length: mappedLength(rest.count)) }
            if wasCollecting, responseMapping?.isUnchanged == true {
                sendAsItCame(rest)
            } else {
                exchange.send(ByteBuffer(bytes: gatherer.finish(rest)))
            }
        }
        switch held {
        case .head(let head, let length): exchange.sendHead(head, length: length)
        case .lastByte(let bytes): exchange.send(bytes)
        case nil: break
        }
        if let cut { exchange.abort(cut.end) } else { exchange.finish(trailers: responseEnd ?? Fields()) }
    }

    private var isCollectingResponse: Bool { responseMapping?.isCollecting == true }

    /// What had a length has one, what had none has none. Of a body that was cut, what is missing of it is missing of the mapped
    /// one too.
    private func mappedLength(_ count: Int) -> BodyFraming {
        guard case .length(let length) = responseHead?.framing else { return .chunked }
        return .length(cut == nil ? count : count + max(1, length - received))
    }

    private func end() {
        guard !isOver else { return }
        isOver = true
        requestBody.discard()
        responseBody.discard()
        updatePauses()
        forwarder.end(number)
    }

    /// Gives up at the deadline of a stop.
    func cancel() {
        guard !isOver else { return }
        note(.failed("\(describe): cut off by the end of the recording"))
        upstream?.cancel()
        exchange.abort()
        end()
    }
}
