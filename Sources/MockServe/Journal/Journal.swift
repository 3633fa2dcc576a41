import CassetteStore
import Foundation
import HTTPMessages
import MockServeCore
import NIOCore
import Synchronization

/// The requests of a server and what became of them, oldest first.
public struct Journal: Sendable, Equatable {
    /// The newest requests, within ``MockServerConfiguration/journalLimits``.
    public let entries: [JournalEntry]
    /// Number of older ones that were forgotten.
    public let forgottenCount: Int

    /// The entries that match a pattern, oldest first.
    ///
    /// ```swift
    /// let charge = try #require(server.journal.requests(matching: "POST /charges").first?.request)
    /// #expect(try charge.json(as: Charge.self).amount == 100)
    /// ```
    ///
    /// - Parameter requests: a method and a path, as for ``MockServer/wait(for:count:timeout:)-15atc``.
    /// - Throws: ``MockServeError`` if the pattern is invalid.
    public func requests(matching requests: String) throws -> [JournalEntry] {
        let pattern = try RequestPattern(asked: requests)
        return entries.filter { pattern.matches(method: $0.methodBytes, target: $0.targetBytes) }
    }
}

extension RequestPattern {
    /// - Throws: `MockServeError` if `text` is not a pattern.
    init(asked text: String) throws {
        guard let pattern = RequestPattern(text) else {
            throw MockServeError(
                .invalidConfiguration,
                "`\(text)` is no pattern of requests: write METHOD PATH, such as `GET /users/*`."
            )
        }
        self = pattern
    }
}

/// Keeps the journal of one scope: counts of everything, and the newest entries.
final class ScopeJournal: Sendable {
    struct Summary: Sendable {
        var answered = 0
        var recorded = 0
        /// How many of these are answers that the upstream did not complete.
        var cut = 0
        /// The first `ScopeJournal.limit` of them.
        var misses: [Miss] = []
        var missCount = 0
        /// The first `ScopeJournal.limit` of them, a line each.
        var failures: [String] = []
        var failureCount = 0
        var writeError: CassetteError?
        /// Number of answers out of the recorded order, and the first of them.
        var departures = 0
        var firstDeparture: String?
        /// How many of the recorded interactions were there already, and have not changed.
        var unchanged = 0
        /// Requests that stubs of the cassette answered.
        var stubbed = 0
        /// Requests that redaction made alike, as found at the end of a recording.
        var likenesses: [String] = []
        /// How many secrets were replaced, by kind.
        var redacted: [String: Int] = [:]
    }

    /// What does not change with every request.
    fileprivate struct State {
        var summary = Summary()
        var lanes: [JournalLane] = []
        var waits: [Int: Wait] = [:]
    }

    fileprivate struct Wait {
        let pattern: RequestPattern
        let count: Int
        var found: [JournalEntry] = []
        /// Numbers of the entries found so far: one may be reported twice.
        var seen: Set<Int> = []
        let promise: EventLoopPromise<[JournalEntry]>

        mutating func add(_ entry: JournalEntry) -> Bool {
            guard pattern.matches(method: entry.methodBytes, target: entry.targetBytes),
                seen.insert(entry.number).inserted
            else { return false }
            found.append(entry)
            return found.count >= count
        }

        func succeed() { promise.succeed(found.sorted { $0.number < $1.number }) }
    }

    /// How many misses and failures are kept, whatever the limits of the journal. All are counted.
    static let limit = 1000

    let limits: JournalLimits
    let keepsRecordedNumbers: Bool
    /// Redacts what is noted, whatever the rules of the cassette. Nil if nothing is to be redacted.
    let redactor: Redactor?
    /// What is a secret in this scope, for all that shows or keeps something of it.
    let secrets: KnownSecrets
    private let state = Mutex(State())
    private let lastNumber = Atomic<Int>(0)
    /// Whether anybody has waited for entries.
    private let hasWaits = Atomic<Bool>(false)
    private let observer: (@Sendable (ServerEvent) -> Void)?
    private let files: [JournalFile]

    /// - Throws: `MockServeError` if the journal file cannot be written.
    init(_ configuration: MockServerConfiguration) throws {
        limits = configuration.journalLimits
        observer = configuration.observer
        secrets = KnownSecrets(configuration.redact.compactMap(\.secret), learned: LearnedSecrets())
        redactor = configuration.redactor(secrets)
        keepsRecordedNumbers = configuration.coverageFile != nil
        files = try [
            configuration.journalFile.map { try JournalFile($0, .everything) },
            configuration.missFile.map { try JournalFile($0, .misses) },
        ].compactMap { $0 }
    }

    var summary: Summary {
        var (summary, lanes) = state.withLock { ($0.summary, $0.lanes) }
        for lane in lanes {
            let (answered, recorded) = lane.read { ($0.answered, $0.recorded) }
            summary.answered += answered
            summary.recorded += recorded
        }
        return summary
    }

    var snapshot: Journal {
        var entries = entries
        let number = lastNumber.load(ordering: .acquiring)
        var bytes = 0
        let start = entries.lastIndex { entry in
            bytes += entry.size
            return bytes > limits.bytes
        }
        entries.removeFirst(max(start.map { $0 + 1 } ?? 0, entries.count - limits.entries))
        return Journal(entries: entries, forgottenCount: number - entries.count)
    }

    /// The entries of all lanes, oldest first.
    private var entries: [JournalEntry] {
        let lanes = state.withLock { $0.lanes }
        return lanes.flatMap { $0.read { Array($0.entries) } }.sorted { $0.number < $1.number }
    }

    /// Numbers of interactions that were replayed.
    var replayedNumbers: NumberSet { union(\.replayedNumbers) }

    /// Numbers of interactions that were recorded; empty without a coverage file.
    var recordedNumbers: NumberSet { union(\.recordedNumbers) }

    private func union(_ numbers: KeyPath<JournalLane.State, NumberSet>) -> NumberSet {
        let lanes = state.withLock { $0.lanes }
        return lanes.reduce(into: NumberSet()) { union, lane in union.formUnion(lane.read { $0[keyPath: numbers] }) }
    }

    // MARK: Noting

    /// A new lane for one event loop.
    func makeLane() -> JournalLane {
        let lane = JournalLane(self)
        state.withLock { $0.lanes.append(lane) }
        return lane
    }

    /// Notes a request, after redacting its target and a reason that may quote it.
    ///
    /// - Parameter status: of the answer; nil if there was none.
    func note(
        _ request: RequestHead,
        _ outcome: JournalEntry.Outcome,
        status: Int?,
        _ notes: ExchangeNotes
    ) {
        let lane = state.withLock { $0.lanes.first } ?? makeLane()
        lane.note(
            method: redactor?.redact(method: request.method) ?? request.method,
            target: redacted(request),
            redacted(outcome),
            status: status,
            notes
        )
    }

    /// The target of a request.
    func redacted(_ request: RequestHead) -> [UInt8] {
        redacted(request.target, redactor?.applying(to: request))
    }

    private func redacted(_ text: [UInt8], _ redactor: Redactor?) -> [UInt8] {
        guard let redactor else { return text }
        var notes = RedactionNotes()
        return redactor.redact(target: text, nil, &notes)
    }

    private func redacted(_ outcome: JournalEntry.Outcome) -> JournalEntry.Outcome {
        guard case .failed(let reason) = outcome.kind else { return outcome }
        return .failed(String(decoding: redacted(Array(reason.utf8), redactor), as: UTF8.self))
    }

    func recorded(_ notes: RedactionNotes, isCut: Bool) {
        guard isCut || !notes.isEmpty else { return }
        state.withLock { state in
            state.summary.cut += isCut ? 1 : 0
            state.summary.redacted.merge(notes.counts, uniquingKeysWith: +)
        }
    }

    /// An answer was given out of the recorded order.
    func departed(_ text: String) {
        state.withLock { state in
            state.summary.departures += 1
            state.summary.firstDeparture = state.summary.firstDeparture ?? text
        }
    }

    func stubbed() { state.withLock { $0.summary.stubbed += 1 } }

    func found(_ finished: FinishedRecording) {
        state.withLock {
            $0.summary.unchanged = finished.unchanged
            $0.summary.likenesses = finished.likenesses.map(\.description)
        }
    }

    func failedToWrite(_ error: CassetteError) {
        state.withLock { $0.summary.writeError = $0.summary.writeError ?? error }
    }

    /// Writes the remaining lines to the files, and closes them.
    func close() {
        for file in files { file.close() }
    }

    // MARK: For the lanes

    func nextNumber() -> Int { lastNumber.add(1, ordering: .relaxed).newValue }

    /// Counts an entry that is in its lane, and reports it to whoever is interested.
    func spread(_ entry: JournalEntry) {
        switch entry.outcome.kind {
        case .missed(let miss):
            state.withLock { $0.summary.add(miss) }
            observer?(.miss(miss))
        case .failed(let reason):
            state.withLock { $0.summary.add(failure: reason) }
            observer?(.failure(reason))
        case .replayed, .recorded, .forwarded, .responded: break
        }
        // Set before the lanes are searched, so an entry that the search does not find is reported here.
        if hasWaits.load(ordering: .sequentiallyConsistent) {
            for wait in state.withLock({ $0.served(by: entry) }) { wait.succeed() }
        }
        for file in files { file.write(entry) }
    }

    // MARK: Waiting

    /// Completes with the first `count` entries that match the pattern, including earlier ones.
    func entries(
        of pattern: RequestPattern,
        count: Int,
        timeout: TimeAmount,
        on eventLoop: any EventLoop
    ) -> EventLoopPromise<[JournalEntry]> {
        let promise = eventLoop.makePromise(of: [JournalEntry].self)
        let number = state.withLock { state in
            let number = (state.waits.keys.max() ?? 0) + 1
            state.waits[number] = Wait(pattern: pattern, count: count, promise: promise)
            return number
        }
        hasWaits.store(true, ordering: .sequentiallyConsistent)
        let timer = eventLoop.scheduleTask(in: timeout) { self.giveUp(number, after: timeout) }
        promise.futureResult.whenComplete { _ in
            timer.cancel()
            self.state.withLock { $0.waits[number] = nil }
        }
        for entry in entries {
            for wait in state.withLock({ $0.served(by: entry, only: number) }) { wait.succeed() }
        }
        return promise
    }

    private func giveUp(_ number: Int, after timeout: TimeAmount) {
        guard let wait = state.withLock({ $0.waits.removeValue(forKey: number) }) else { return }
        let came = entries.last.map { "the last request was \($0)" } ?? "no request came at all"
        wait.promise.fail(
            MockServeError(
                .timedOut,
                "Of \(Counted.text(wait.count, "request")) `\(wait.pattern.text)` \(wait.found.count) came within "
                    + "\(Double(timeout.nanoseconds) / 1e9) s; \(came)."
            )
        )
    }
}

extension ScopeJournal.Summary {
    fileprivate mutating func add(_ miss: Miss) {
        missCount += 1
        if misses.count < ScopeJournal.limit { misses.append(miss) }
    }

    fileprivate mutating func add(failure: String) {
        failureCount += 1
        if failures.count < ScopeJournal.limit { failures.append(failure) }
    }
}

extension ScopeJournal.State {
    /// - Parameter only: the number of the one wait to check; nil for all.
    fileprivate mutating func served(by entry: JournalEntry, only: Int? = nil) -> [ScopeJournal.Wait] {
        var done: [ScopeJournal.Wait] = []
        for number in waits.keys.sorted() where only == nil || only == number {
            guard var wait = waits[number] else { continue }
            let isDone = wait.add(entry)
            waits[number] = isDone ? nil : wait
            if isDone { done.append(wait) }
        }
        return done
    }
}
