import HTTPTypes
import HTTPWire
import NIOCore
import Synchronization

/// Carries a ``MockResponse`` from its task to the exchange on the event loop, no faster than the client reads.
final class ResponseWriter: Sendable {
    private let exchange: NIOLoopBound<Exchange>
    private let eventLoop: any EventLoop
    private let waiting = Mutex<[CheckedContinuation<Void, Never>]>([])

    init(_ exchange: Exchange) {
        self.exchange = NIOLoopBound(exchange, eventLoop: exchange.eventLoop)
        eventLoop = exchange.eventLoop
    }

    /// - Throws: what the stream of the answer threw, or `CancellationError` if its client went away; then the connection is cut.
    func write(_ response: MockResponse) async throws {
        var fields = Fields()
        for field in response.fields { fields.append(field.name.rawName, field.value) }
        if !fields.contains("date") { fields.append("Date", HTTPDate.text()) }
        let reason = response.status.reasonPhrase
        let head = ResponseHead(status: max(200, response.status.code), reason: Array(reason.utf8), fields: fields)
        switch response.body {
        case .bytes(let bytes):
            eventLoop.execute { self.exchange.value.answer(head, body: bytes) }
        case .stream(let pieces):
            eventLoop.execute {
                self.exchange.value.sendHead(head, length: .chunked)
                self.exchange.value.flush()
            }
            do {
                for try await piece in pieces { await send(piece) }
                // A cancelled task ends the loop as if the stream had ended; the answer is not complete then.
                try Task.checkCancellation()
            } catch {
                eventLoop.execute { self.exchange.value.abort() }
                throw error
            }
            eventLoop.execute { self.exchange.value.finish() }
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

    /// Called on the event loop when the client reads again, or is gone.
    func resume() {
        let continuations = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for continuation in continuations { continuation.resume() }
    }

    func fail(_ error: any Error) {
        let problem = Problem(status: 500, title: "The responder threw an error", detail: String(describing: error))
        eventLoop.execute { self.exchange.value.answer(problem.response, body: problem.body) }
    }
}
