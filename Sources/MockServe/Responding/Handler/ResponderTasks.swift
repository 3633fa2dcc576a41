import HTTPTypes
import HTTPMessages
import MockServeCore
import NIOCore
import Synchronization

/// Answers exchanges by functions of a user, off the event loop, in one task per exchange.
final class ResponderTasks: Sendable {
    private struct Running {
        var tasks: [Int: Task<Void, Never>] = [:]
        var lastNumber = 0
        var whenEmpty: EventLoopPromise<Void>?
    }

    private let journal: ScopeJournal
    private let running = Mutex(Running())

    init(_ journal: ScopeJournal) { self.journal = journal }

    /// Answers an exchange whose request is still arriving.
    ///
    /// - Parameter bodyLimit: bytes of a body; a longer one is refused.
    func answer(
        _ exchange: Exchange,
        bodyLimit: Int,
        with respond: @escaping @Sendable (MockRequest) async throws -> MockResponse
    ) -> any ExchangeReceiver {
        exchange.sendContinueIfExpected()
        return Receiver(exchange, bodyLimit: bodyLimit, start: starter(exchange, respond))
    }

    /// Answers a request that is complete.
    func answer(
        _ exchange: Exchange,
        _ request: MockRequest,
        with respond: @escaping @Sendable (MockRequest) async throws -> MockResponse
    ) -> any ExchangeReceiver {
        let receiver = Receiver(exchange, bodyLimit: 0, start: starter(exchange, respond))
        receiver.begin(request)
        return receiver
    }

    private func starter(
        _ exchange: Exchange,
        _ respond: @escaping @Sendable (MockRequest) async throws -> MockResponse
    ) -> Receiver.Start {
        let (head, notes) = (exchange.request, exchange.notes)
        return { request, writer in
            self.start {
                let (outcome, status) = await self.answer(request, writer, respond)
                self.journal.note(head, outcome, status: status, notes)
            }
        }
    }

    /// The tasks belong to this service: `shutDown` cancels them and waits for them.
    private func start(_ work: @escaping @Sendable () async -> Void) -> @Sendable () -> Void {
        let number = running.withLock { running in
            running.lastNumber += 1
            return running.lastNumber
        }
        // The lock is held until the task is listed, so that it cannot end before that.
        running.withLock { running in
            running.tasks[number] = Task(executorPreference: ResponderExecutor.shared) {
                await work()
                self.end(number)
            }
        }
        return { self.running.withLock { $0.tasks[number] }?.cancel() }
    }

    private func end(_ number: Int) {
        let promise = running.withLock { running in
            running.tasks[number] = nil
            guard running.tasks.isEmpty else { return EventLoopPromise<Void>?.none }
            defer { running.whenEmpty = nil }
            return running.whenEmpty
        }
        promise?.succeed()
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        let tasks = running.withLock { running in
            if !running.tasks.isEmpty { running.whenEmpty = promise }
            return Array(running.tasks.values)
        }
        guard !tasks.isEmpty else {
            promise.succeed()
            return promise.futureResult
        }
        // Every connection is closed by now, so nobody waits for these answers.
        for task in tasks { task.cancel() }
        let giveUp = eventLoop.scheduleTask(deadline: deadline + .seconds(1)) { promise.succeed() }
        promise.futureResult.whenComplete { _ in giveUp.cancel() }
        return promise.futureResult
    }

    /// - Returns: what became of the request, and the status of the answer.
    private func answer(
        _ request: MockRequest,
        _ writer: ResponseWriter,
        _ respond: @Sendable (MockRequest) async throws -> MockResponse
    ) async -> (JournalEntry.Outcome, Int) {
        let response: MockResponse
        do {
            response = try await respond(request)
        } catch {
            writer.fail(error)
            return (.failed(String(describing: error)), 500)
        }
        let status = response.status.code
        do {
            try await writer.write(response)
            return (.responded, status)
        } catch is CancellationError {
            return (.failed("the client went away before the answer was complete"), status)
        } catch {
            return (.failed("the answer was cut: its stream threw \(error)"), status)
        }
    }

    /// Collects the request body, then starts the task.
    private final class Receiver: ExchangeReceiver {
        typealias Start = (MockRequest, ResponseWriter) -> @Sendable () -> Void

        private let exchange: Exchange
        private let bodyLimit: Int
        private let start: Start
        private let writer: ResponseWriter
        private var body: [UInt8] = []
        private var cancel: (@Sendable () -> Void)?

        init(_ exchange: Exchange, bodyLimit: Int, start: @escaping Start) {
            self.exchange = exchange
            self.bodyLimit = bodyLimit
            self.start = start
            writer = ResponseWriter(exchange)
        }

        func receive(_ bytes: ByteBuffer) {
            body.append(contentsOf: bytes.readableBytesView)
            guard body.count > bodyLimit else { return }
            let problem = Problem(
                status: 413,
                title: "The request body is too large",
                detail: "This handler takes bodies of up to \(bodyLimit) bytes (RequestLimits.responderBody)."
            )
            exchange.answer(problem)
        }

        func receiveEnd(trailers: Fields) {
            let request = MockRequest(
                head: HTTPRequest(exchange.request, origin: exchange.servedOrigin),
                body: body,
                trailers: HTTPFields(trailers),
                upstream: exchange.upstream?.name
            )
            body = []
            begin(request)
        }

        func begin(_ request: MockRequest) { cancel = start(request, writer) }

        func connectionLost() {
            cancel?()
            writer.resume()
        }

        func writabilityRestored() { writer.resume() }
    }
}
