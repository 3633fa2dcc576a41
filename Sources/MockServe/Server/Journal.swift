import CassetteStore
import DequeModule
import Foundation
import HTTPWire
import MockServeCore
import NIOCore
import Synchronization

/// What a server was asked and what it answered, oldest first.
public struct Journal: Sendable {
    /// The newest requests, within ``MockServerConfiguration/journalLimits``.
    public let entries: [JournalEntry]
    /// Number of older ones that were forgotten.
    public let forgottenCount: Int
}

/// Keeps the journal of one scope: counts for all of it, and the newest entries.
final class ScopeJournal: Sendable {
    struct Summary: Sendable {
        var answered = 0
        var recorded = 0
        /// The first `ScopeJournal.limit` of them.
        var misses: [Miss] = []
        var missCount = 0
        /// The first `ScopeJournal.limit` of them, a line each.
        var failures: [String] = []
        var failureCount = 0
        var writeError: CassetteError?
        /// Numbers of recorded interactions, if a coverage file wants them.
        var recordedNumbers: Set<Int64> = []
        /// How many secrets were replaced, by kind.
        var redacted: [String: Int] = [:]
    }

    fileprivate struct State {
        var summary = Summary()
        var entries: Deque<JournalEntry> = []
        var bytes = 0
        var lastNumber = 0
        var waits: [Int: Wait] = [:]
    }

    fileprivate struct Wait {
        let pattern: RequestPattern
        let count: Int
        var found: [JournalEntry] = []
        let promise: EventLoopPromise<[JournalEntry]>

        mutating func add(_ entry: JournalEntry) -> Bool {
            guard pattern.matches(method: entry.methodBytes, target: entry.targetBytes) else { return false }
            found.append(entry)
            return found.count >= count
        }
    }

    /// How many misses and failures are kept whatever the limits; all are counted.
    static let limit = 1000

    private let state = Mutex(State())
    private let limits: JournalLimits
    private let observer: (@Sendable (ServerEvent) -> Void)?
    private let files: [JournalFile]
    /// What is noted is redacted whatever the cassette holds. Nil if nothing is to be.
    let redactor: Redactor?
    private let keepsRecordedNumbers: Bool

    /// - Throws: `MockServeError` if the journal file cannot be written.
    init(_ configuration: MockServerConfiguration) throws {
        limits = configuration.journalLimits
        observer = configuration.observer
        redactor = configuration.redactor
        keepsRecordedNumbers = configuration.coverageFile != nil
        files = try [
            configuration.journalFile.map { try JournalFile($0, .everything) },
            configuration.missFile.map { try JournalFile($0, .misses) },
        ].compactMap { $0 }
    }

    var summary: Summary { state.withLock { $0.summary } }

    var snapshot: Journal {
        state.withLock { Journal(entries: Array($0.entries), forgottenCount: $0.lastNumber - $0.entries.count) }
    }

    // MARK: Noting

    /// - Parameter status: of the answer; nil if there was none.
    func note(_ request: RequestHead, _ outcome: JournalEntry.Outcome, status: Int?) {
        let date = Date()
        var notes = RedactionNotes()
        let target = redactor?.redact(target: request.target, nil, &notes) ?? request.target
        let outcome = redacted(outcome)
        let (entry, done) = state.withLock { state -> (JournalEntry, [Wait]) in
            state.lastNumber += 1
            let entry = JournalEntry(
                number: state.lastNumber,
                date: date,
                methodBytes: request.method,
                targetBytes: target,
                outcome: outcome,
                status: status
            )
            state.summary.count(outcome, keepsNumber: keepsRecordedNumbers)
            state.append(entry, limits)
            return (entry, state.waits.isEmpty ? [] : state.served(by: entry))
        }
        for wait in done { wait.promise.succeed(wait.found) }
        for file in files { file.write(entry) }
        switch outcome {
        case .missed(let miss): observer?(.miss(miss))
        case .failed(let reason): observer?(.failure(reason))
        default: break
        }
    }

    private func redacted(_ outcome: JournalEntry.Outcome) -> JournalEntry.Outcome {
        guard case .failed(let reason) = outcome, let redactor else { return outcome }
        var notes = RedactionNotes()
        let text = redactor.redact(target: Array(reason.utf8), nil, &notes)
        return .failed(String(decoding: text, as: UTF8.self))
    }

    func redacted(_ notes: RedactionNotes) {
        guard !notes.isEmpty else { return }
        state.withLock { $0.summary.redacted.merge(notes.counts, uniquingKeysWith: +) }
    }

    func failedToWrite(_ error: CassetteError) {
        state.withLock { $0.summary.writeError = $0.summary.writeError ?? error }
    }

    /// Writes what is left for the files.
    func close() {
        for file in files { file.close() }
    }

    // MARK: Waiting

    /// Completes with the first `count` entries of the pattern, those that are there already included.
    func entries(
        of pattern: RequestPattern,
        count: Int,
        timeout: TimeAmount,
        on eventLoop: any EventLoop
    ) -> EventLoopPromise<[JournalEntry]> {
        let promise = eventLoop.makePromise(of: [JournalEntry].self)
        var wait = Wait(pattern: pattern, count: count, promise: promise)
        let (number, isDone) = state.withLock { state in
            let isDone = state.entries.contains { wait.add($0) }
            let number = (state.waits.keys.max() ?? 0) + 1
            if !isDone { state.waits[number] = wait }
            return (number, isDone)
        }
        if isDone {
            promise.succeed(wait.found)
            return promise
        }
        let timer = eventLoop.scheduleTask(in: timeout) { self.giveUp(number, after: timeout) }
        promise.futureResult.whenComplete { _ in
            timer.cancel()
            self.state.withLock { $0.waits[number] = nil }
        }
        return promise
    }

    private func giveUp(_ number: Int, after timeout: TimeAmount) {
        let (wait, last) = state.withLock { ($0.waits.removeValue(forKey: number), $0.entries.last) }
        guard let wait else { return }
        let came = last.map { "the last request was \($0)" } ?? "no request came at all"
        wait.promise.fail(
            MockServeError(
                .timedOut,
                "Of \(wait.count) requests `\(wait.pattern.text)` \(wait.found.count) came within "
                    + "\(Double(timeout.nanoseconds) / 1e9) s; \(came)."
            )
        )
    }
}

extension ScopeJournal.Summary {
    fileprivate mutating func count(_ outcome: JournalEntry.Outcome, keepsNumber: Bool) {
        switch outcome {
        case .replayed: answered += 1
        case .recorded(let number):
            recorded += 1
            if keepsNumber { recordedNumbers.insert(Int64(number)) }
        case .missed(let miss):
            missCount += 1
            if misses.count < ScopeJournal.limit { misses.append(miss) }
        case .failed(let reason):
            failureCount += 1
            if failures.count < ScopeJournal.limit { failures.append(reason) }
        case .forwarded, .responded: break
        }
    }
}

extension ScopeJournal.State {
    fileprivate mutating func append(_ entry: JournalEntry, _ limits: JournalLimits) {
        entries.append(entry)
        bytes += entry.size
        while let oldest = entries.first, entries.count > limits.entries || bytes > limits.bytes {
            bytes -= oldest.size
            entries.removeFirst()
        }
    }

    fileprivate mutating func served(by entry: JournalEntry) -> [ScopeJournal.Wait] {
        var done: [ScopeJournal.Wait] = []
        for number in waits.keys.sorted() {
            guard var wait = waits[number] else { continue }
            let isDone = wait.add(entry)
            waits[number] = isDone ? nil : wait
            if isDone { done.append(wait) }
        }
        return done
    }
}

/// Something a server did that its owner may want to hear of at once.
public enum ServerEvent: Sendable {
    /// A request that nothing recorded matches.
    case miss(Miss)
    /// An exchange that could not be forwarded or recorded, in one line.
    case failure(String)
}
