import Dispatch
import Foundation
import GRDB
package import MockServeCore
import Synchronization

/// Writes one episode into a cassette: one connection, one queue, commits in groups.
///
/// Whatever is handed over during a commit goes into the next transaction together, so the rate hardly depends on how
/// long a commit takes. The completion of `commit` is called only after the transaction that holds the interaction has
/// been committed.
package final class CassetteWriter: Sendable {
    /// `isCongested` is true if more bytes than this wait to be written: 8 MiB.
    package static let congestionLimit = 8 << 20

    private enum Operation: Sendable {
        case slice(upload: Int, bytes: [UInt8])
        case discard(upload: Int)
        case commit(NewInteraction, @Sendable (Result<Int64, CassetteError>) -> Void)
    }

    private struct Pending {
        var operations: [Operation] = []
        var bytes = 0
        var isScheduled = false
        var isFinished = false
        var waiters: [@Sendable () -> Void] = []
        var lastUpload = 0
    }

    package let path: String
    /// Number of the newest interaction from before this episode.
    package let newestBefore: Int64
    /// The rules of the cassette, with those of this episode.
    package let rules: RuleSet
    /// Numbers the secrets of this cassette.
    package let placeholders: PlaceholderBook
    private let wasCreated: Bool
    private let mode: EpisodeMode
    private let episode: Int64
    private let queue: DatabaseQueue
    private let checkpointer: Checkpointer
    private let file: FileIdentity
    /// What was in the cassette, and the file as it was; nil for a run that replaces nothing.
    private let state: CassetteState?
    private let original: OriginalFile?
    private let work = DispatchQueue(label: "mockserve.cassette-writer")
    private let pending = Mutex(Pending())
    private let bodies = Mutex(BodyWriter())
    /// Interactions whose requests had a secret in them that became one only later.
    private let lateKeys = Mutex<Set<Int64>>([])
    let searched = Mutex(SearchedInteractions())

    /// Opens or creates the cassette and begins an episode.
    ///
    /// - Throws: `CassetteError`.
    package init(
        path: String,
        mode: EpisodeMode,
        upstreams: [Upstream],
        rules: [Rule] = [],
        secrets: KnownSecrets = KnownSecrets(),
        now: Int64
    ) throws {
        self.path = path
        self.mode = mode
        checkpointer = Checkpointer(path: path)
        let turn = try FolderTurn(of: path)
        defer { turn.end() }
        let original = mode == .all || mode == .rewrite ? OriginalFile(path, during: turn) : nil
        self.original = original
        (queue, wasCreated) = try CassetteFile.openForWriting(path)
        file = FileIdentity(path)
        do {
            state = try original == nil ? nil : queue.inDatabase { try CassetteState($0) }
            let (queue, checkpointer) = (queue, checkpointer)
            let last: PlaceholderSQL.Numbers
            let book = PlaceholderBook.shared(for: path)
            var secrets = secrets
            secrets.book = book
            let known = secrets
            (episode, newestBefore, self.rules, last) = try CassetteFile.retryingWhileBusy {
                try queue.inDatabase { db in
                    let noneIsAlive = try EpisodeSQL.provesOthersDead(db)
                    PageSize.enlarge(db)
                    try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
                    checkpointer.watch(db)
                    var result = (Int64(0), Int64(0), RuleSet.none, PlaceholderSQL.Numbers())
                    try db.inTransaction(.immediate) {
                        result = try Self.begin(
                            db,
                            mode: mode,
                            upstreams: upstreams,
                            rules: rules,
                            secrets: known,
                            now: now,
                            noneIsAlive: noneIsAlive,
                            path: path
                        )
                        return .commit
                    }
                    return result
                }
            }
            book.raise(last.last, floor: last.floor)
            placeholders = book
        } catch {
            original?.discard()
            throw CassetteFile.explain(error, path: path, .unwritable)
        }
    }

    private static func begin(
        _ db: Database,
        mode: EpisodeMode,
        upstreams: [Upstream],
        rules: [Rule],
        secrets: KnownSecrets,
        now: Int64,
        noneIsAlive: Bool,
        path: String
    ) throws -> (Int64, Int64, RuleSet, PlaceholderSQL.Numbers) {
        try EpisodeSQL.finishInterrupted(db, noneIsAlive: noneIsAlive)
        if let error = CassetteError.unresolved(try ConflictSQL.all(db), path: path) { throw error }
        try EpisodeSQL.register(upstreams, db, path: path)
        let newest = try db.firstInteger("SELECT max(id) FROM interaction") ?? 0
        // Earlier recordings keep their keys.
        let version = newest == 0 ? [try Rule(.require, part: "key:\(KeyVersion.current)")] : []
        // Nor is a cassette moved to another version of redaction by recording into it: its keys depend on it.
        let hasRedaction = try RuleSQL.numbered(db, path: path).contains { $0.rule.isDefaultRedaction }
        let rules = hasRedaction ? rules.filter { !$0.isDefaultRedaction } : rules
        if try RuleSQL.add(version + rules, db, path: path) {
            try EpisodeSQL.refuseWhileOpen(db, path: path)
            _ = try RuleSQL.recomputeKeys(db, path: path)
        }
        try db.query(
            "INSERT INTO episode (mode, state, started_at, owner_pid) VALUES (?1, 'open', ?2, ?3)",
            [.text(mode.kept), .integer(now), .integer(RunOwner.current.value)]
        )
        let episode = db.lastInsertedRowID
        let numbers = try PlaceholderSQL.reserve(db, hasOthers: EpisodeSQL.hasRunsOfOthers(db))
        return (episode, newest, try RuleSQL.all(db, path: path, secrets: secrets), numbers)
    }

    // MARK: Handing over, from any thread

    /// A number for a body that is handed over slice by slice.
    package func newUpload() -> Int {
        pending.withLock {
            $0.lastUpload += 1
            return $0.lastUpload
        }
    }

    /// Hands over a slice of exactly `BodySlices.size` bytes.
    package func append(slice bytes: [UInt8], to upload: Int) {
        enqueue(.slice(upload: upload, bytes: bytes), size: bytes.count)
    }

    /// Forgets a body whose exchange failed.
    package func discard(upload: Int) {
        enqueue(.discard(upload: upload), size: 0)
    }

    /// Writes an interaction. `completion` is called once: on the writer's queue, with the interaction's number after
    /// it was committed, or with what went wrong; at once if the recording has ended.
    package func commit(
        _ interaction: NewInteraction,
        completion: @escaping @Sendable (Result<Int64, CassetteError>) -> Void
    ) {
        enqueue(.commit(interaction, completion), size: interaction.memory)
    }

    /// Whether the caller should wait (see `whenDrained`).
    package var isCongested: Bool {
        pending.withLock { $0.bytes > Self.congestionLimit }
    }

    /// Calls `body` on the writer's queue once it has caught up.
    package func whenDrained(_ body: @escaping @Sendable () -> Void) {
        pending.withLock { $0.waiters.append(body) }
        schedule()
    }

    private func enqueue(_ operation: Operation, size: Int) {
        let isRefused = pending.withLock { pending in
            guard !pending.isFinished else { return true }
            pending.operations.append(operation)
            pending.bytes += size
            return false
        }
        if isRefused {
            if case .commit(_, let completion) = operation {
                completion(.failure(CassetteError(.unwritable, path: path, "the recording has ended.")))
            }
        } else {
            schedule()
        }
    }

    private func schedule() {
        let mustSchedule = pending.withLock { pending in
            defer { pending.isScheduled = true }
            return !pending.isScheduled
        }
        if mustSchedule { work.async { self.drain() } }
    }

    // MARK: On the writer's queue

    private func drain() {
        while true {
            let operations = pending.withLock { pending -> [Operation] in
                defer {
                    pending.operations = []
                    pending.bytes = 0
                }
                return pending.operations
            }
            if !operations.isEmpty {
                write(operations)
                checkpoint()
            }
            let (waiters, isDone) = pending.withLock { pending in
                defer { pending.waiters = [] }
                if pending.operations.isEmpty { pending.isScheduled = false }
                return (pending.waiters, pending.operations.isEmpty)
            }
            for waiter in waiters { waiter() }
            if isDone { return }
        }
    }

    private func write(_ operations: [Operation]) {
        var numbers: [Int64] = []
        let failure: CassetteError?
        do {
            try file.check(.recording)
            try queue.inDatabase { db in
                try db.inTransaction(.immediate) {
                    for operation in operations {
                        if let number = try perform(operation, db) { numbers.append(number) }
                    }
                    return .commit
                }
            }
            failure = nil
        } catch {
            failure = CassetteFile.explain(error, path: path, .unwritable)
            // Uploads that were rolled back cannot be continued.
            bodies.withLock { $0.failAll() }
        }
        var next = numbers.makeIterator()
        for case .commit(_, let completion) in operations {
            if let failure {
                completion(.failure(failure))
            } else if let number = next.next() {
                completion(number > 0 ? .success(number) : .failure(brokenUpload))
            }
        }
    }

    /// What is committed is safe, even if it cannot be moved into the file now. `finish` moves the rest.
    private func checkpoint() {
        guard checkpointer.next() else { return }
        try? queue.inDatabase { try Checkpointer.moveRest($0) }
    }

    private var brokenUpload: CassetteError {
        CassetteError(.unwritable, path: path, "a part of this body could not be written.")
    }

    /// - Returns: the number of a written interaction, or zero if its body was lost before; nil for other operations.
    private func perform(_ operation: Operation, _ db: Database) throws -> Int64? {
        try bodies.withLock { bodies in
            switch operation {
            case .slice(let upload, let bytes):
                try bodies.append(bytes, to: upload, episode: episode, db)
                return nil
            case .discard(let upload):
                try bodies.discard(upload, db)
                return nil
            case .commit(let interaction, _):
                guard let request = try bodies.finish(interaction.requestBody, db),
                    let response = try bodies.finish(interaction.responseBody, db)
                else { return 0 }
                let number = try InteractionRow.insert(
                    interaction.content,
                    episode: episode,
                    requestBody: request.id,
                    responseBody: response.id,
                    rules,
                    db
                )
                if interaction.hasLateSecret { lateKeys.withLock { _ = $0.insert(number) } }
                searched.withLock { $0.note(number, interaction.learnedVersion) }
                return number
            }
        }
    }

    // MARK: The end

    /// Writes what was handed over, ends the episode, and leaves one file.
    ///
    /// - Parameters:
    ///   - keeping: false drops everything this episode recorded.
    ///   - isComplete: false if something could not be recorded: then `rewrite` acts as `all`, so that nothing is
    ///     removed that was not recorded anew.
    /// - Throws: `CassetteError`. A second call does nothing.
    @discardableResult
    package func finish(keeping: Bool, isComplete: Bool = true, now: Int64) throws -> FinishedRecording {
        let wasFinished = pending.withLock { pending in
            defer { pending.isFinished = true }
            return pending.isFinished
        }
        guard !wasFinished else { return FinishedRecording() }
        work.sync { drain() }
        checkpointer.close()
        let late = lateKeys.withLock { $0 }
        defer { original?.discard() }
        do {
            var plan = RerecordingSQL.Plan()
            // Nobody opens the cassette between the last look at it and the file from before being put back.
            var turn: FolderTurn?
            defer { turn?.end() }
            let (proof, likenesses, isAsBefore) = try queue.inDatabase { db in
                var version: Int64?
                let secrets = rules.redactor.map { SecretProof(redactor: $0, path: path) }
                try db.inTransaction(.immediate) {
                    let mode = mode == .rewrite && !isComplete ? .all : mode
                    if keeping {
                        plan = try RerecordingSQL.settle(episode, mode, after: newestBefore, rules, db, path: path)
                    }
                    if !plan.isSame { try RerecordingSQL.renumber(&plan, episode, db) }
                    try EpisodeSQL.end(episode, keeping: keeping, now: now, db)
                    version = try EpisodeSQL.lastVersion(db)
                    return .commit
                }
                // Failures are reported once the file is closed: the recording is kept, so that it can be examined.
                // What took the place of older ones has their numbers.
                let first =
                    plan.numbers.isEmpty ? newestBefore : min(newestBefore, (plan.numbers.values.min() ?? 1) - 1)
                let exempt = Set(late.map { plan.numbers[$0] ?? $0 })
                var proof = Result { try RuleSQL.proveKeys(db, after: first, without: exempt, path: path) }
                let likenesses = Result { keeping ? try LikenessSQL.all(db, after: first) : [] }
                if original != nil, keeping, plan.isSame { turn = try FolderTurn(of: path) }
                let isWhole = try EpisodeSQL.leaveWAL(db, version)
                if isWhole, wasCreated, try removeIfEmpty(db) {
                    return (proof, likenesses, false)
                }
                var isRedacted = false
                let clean = Result {
                    if let secrets { isRedacted = try prove(secrets, isMoved: !plan.numbers.isEmpty, db) }
                }
                if case .failure = clean { proof = clean }
                let isAsBefore = try turn != nil && isWhole && !isRedacted && state == CassetteState(db)
                if isWhole, !isAsBefore { PageSize.fit(db) }
                return (proof, likenesses, isAsBefore)
            }
            try queue.close()
            if wasCreated { CassetteFile.publish(path) }
            try proof.get()
            if isAsBefore { original?.putBack() } else { CassetteEditor.removeUndo(of: path) }
            return FinishedRecording(
                likenesses: try likenesses.get(),
                unchanged: plan.unchanged,
                isAsBefore: isAsBefore,
                numbers: plan.numbers
            )
        } catch let error as InteractionRow.Malformed {
            throw CassetteFile.explain(error, path: path)
        } catch {
            throw CassetteFile.explain(error, path: path, .unwritable)
        }
    }
}
