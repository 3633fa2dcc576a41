import HTTPTypes
import HTTPMessages
import NIOCore
import Synchronization

extension Fields {
    fileprivate init(_ fields: HTTPFields) {
        self.init()
        for field in fields { append(field.name.rawName, field.value) }
    }
}

/// Carries a ``MockResponse`` from its task to the exchange on the event loop, no faster than the client reads.
final class ResponseWriter: Sendable {
    private let exchange: NIOLoopBound<Exchange>
    private let eventLoop: any EventLoop
    private let waiting = Mutex<[CheckedContinuation<Void, Never>]>([])

    init(_ exchange: Exchange) {
        self.exchange = NIOLoopBound(exchange, eventLoop: exchange.eventLoop)
        eventLoop = exchange.eventLoop
    }

    /// - Throws: what the stream of the answer threw, or `CancellationError` if the client went away; then the
    ///   connection is cut.
    func write(_ response: MockResponse) async throws {
        if response.delay > .zero { try await Task.sleep(for: response.delay) }
        var fields = Fields(response.fields)
        if !fields.contains("date") { fields.append("Date", HTTPDate.text()) }
        let reason = response.status.reasonPhrase
        let head = ResponseHead(status: max(200, response.status.code), reason: Array(reason.utf8), fields: fields)
        sendInformational(response.informational)
        let trailers = Fields(response.trailers)
        switch response.body.kind {
        case .abort: eventLoop.execute { self.exchange.value.abort() }
        case .bytes(let bytes) where trailers.isEmpty:
            eventLoop.execute { self.exchange.value.answer(head, body: bytes) }
        case .bytes(let bytes):
            eventLoop.execute {
                self.exchange.value.sendHead(head, length: .unknown)
                self.exchange.value.send(ByteBuffer(bytes: bytes))
                self.exchange.value.finish(trailers: trailers)
            }
        case .stream(let pieces):
            eventLoop.execute {
                self.exchange.value.sendHead(head, length: .unknown)
                self.exchange.value.flush()
            }
            do {
                for try await piece in pieces { await send(piece) }
                // A cancelled task ends the loop as if the stream had ended, but the answer is incomplete.
                try Task.checkCancellation()
            } catch {
                eventLoop.execute { self.exchange.value.abort() }
                throw error
            }
            eventLoop.execute { self.exchange.value.finish(trailers: trailers) }
        }
    }

    private func sendInformational(_ responses: [HTTPResponse]) {
        let heads = responses.map { response in
            ResponseHead(
                status: min(max(102, response.status.code), 199),
                reason: Array(response.status.reasonPhrase.utf8),
                fields: Fields(response.headerFields)
            )
        }
        guard !heads.isEmpty else { return }
        eventLoop.execute {
            for head in heads { self.exchange.value.sendInformational(head) }
            self.exchange.value.flush()
        }
    }

    private func send(_ piece: [UInt8]) async {
        await withCheckedContinuation { continuation in
            eventLoop.execute {
                self.exchange.value.send(ByteBuffer(bytes: piece))
                self.exchange.value.flush()
                if self.exchange.value.isWritable {
                    continuation.resume()
                } else {
                    self.waiting.withLock { $0.append(continuation) }
                }
            }
        }
    }

    /// Must be called on the event loop, when the client reads again or is gone.
    func resume() {
        let continuations = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for continuation in continuations { continuation.resume() }
    }

    func fail(_ error: any Error) {
        let problem = Problem(status: 500, title: "The responder threw an error", detail: String(describing: error))
        eventLoop.execute { self.exchange.value.answer(problem) }
    }
}
