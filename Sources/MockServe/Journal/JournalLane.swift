import DequeModule
import Foundation
import Synchronization

/// The part of a scope's journal that one event loop writes, so that event loops do not wait for each other: its lock
/// is contended only while somebody reads.
final class JournalLane: Sendable {
    struct State {
        /// The newest entries, within the limits of the whole journal.
        var entries: Deque<JournalEntry> = []
        var bytes = 0
        /// Requests answered from the cassette.
        var answered = 0
        var recorded = 0
        /// Interactions that were replayed.
        var replayedNumbers = NumberSet()
        /// Interactions that were recorded, if there is a coverage file.
        var recordedNumbers = NumberSet()
    }

    private let journal: ScopeJournal
    private let state = Mutex(State())

    init(_ journal: ScopeJournal) {
        self.journal = journal
    }

    /// - Parameters:
    ///   - target: redacted.
    ///   - status: of the answer; nil if there was none.
    func note(
        method: [UInt8],
        target: [UInt8],
        _ outcome: JournalEntry.Outcome,
        status: Int?,
        _ notes: ExchangeNotes = ExchangeNotes()
    ) {
        let entry = JournalEntry(
            number: journal.nextNumber(),
            date: Date(),
            methodBytes: method,
            targetBytes: target,
            outcome: outcome,
            status: status,
            remark: notes.remark,
            client: notes.client?.subject,
            log: notes.log
        )
        let limits = journal.limits
        let keepsRecorded = journal.keepsRecordedNumbers
        state.withLock { state in
            switch outcome.kind {
            case .replayed(let number):
                state.answered += 1
                state.replayedNumbers.insert(Int64(number))
            case .recorded(let number):
                state.recorded += 1
                if keepsRecorded { state.recordedNumbers.insert(Int64(number)) }
            case .forwarded, .responded, .missed, .failed: break
            }
            state.append(entry, limits)
        }
        journal.spread(entry)
    }

    func read<Result>(_ body: (State) -> Result) -> Result { state.withLock { body($0) } }
}

extension JournalLane.State {
    fileprivate mutating func append(_ entry: JournalEntry, _ limits: JournalLimits) {
        entries.append(entry)
        bytes += entry.size
        while entries.count > limits.entries || bytes > limits.bytes, let oldest = entries.popFirst() {
            bytes -= oldest.size
        }
    }
}
