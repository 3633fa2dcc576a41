import Dispatch
import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// Moves what was committed from the write-ahead log into the cassette on a thread and a connection of its own, so that
/// commits need not wait for the disk.
///
/// The log starts over only when all of it is in the file. What was committed while this worked is little, and the
/// writer moves it itself.
final class Checkpointer: Sendable {
    private enum State {
        case idle
        case working
        case done
    }

    private let path: String
    private let threshold: Int
    private let limit: Int
    private let state = Mutex(State.idle)
    private let pages = Atomic(0)
    private let queue = Mutex<DatabaseQueue?>(nil)
    private let work = DispatchQueue(label: "mockserve.checkpointer")

    /// - Parameters:
    ///   - threshold: pages in the log from which on they are moved; by default about 16 MiB.
    ///   - limit: pages in the log from which on the writer waits, because the disk is slower than the recording; by
    ///     default about 256 MiB.
    init(path: String, threshold: Int = 4_000, limit: Int = 64_000) {
        // Opened later, when the working directory may be another one.
        self.path = URL(fileURLWithPath: path).path
        self.threshold = threshold
        self.limit = limit
    }

    /// Follows the commits of a connection, instead of SQLite's own checkpoints. The checkpointer must outlive the
    /// connection.
    func watch(_ db: Database) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_wal_hook(
            db.sqliteConnection,
            { context, _, _, pages in
                guard let context else { return SQLITE_OK }
                let checkpointer = Unmanaged<Checkpointer>.fromOpaque(context).takeUnretainedValue()
                checkpointer.pages.store(Int(pages), ordering: .relaxed)
                return SQLITE_OK
            },
            context
        )
    }

    /// Must be called after each commit.
    ///
    /// - Returns: whether the writer should move the rest now.
    func next() -> Bool {
        let pages = pages.load(ordering: .relaxed)
        guard pages >= threshold else { return false }
        if pages >= limit { work.sync {} }
        return state.withLock { state in
            switch state {
            case .idle:
                state = .working
                work.async { self.run() }
                return false
            case .working: return false
            case .done:
                state = .idle
                return true
            }
        }
    }

    /// Must be called outside a transaction.
    static func moveRest(_ db: Database) throws { try db.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)") }

    private func run() {
        queue.withLock { queue in
            // What fails here is left to the writer, and finally to the end of the recording, which says what is wrong.
            if queue == nil {
                let configuration = CassetteFile.configuration(isReadOnly: false)
                queue = try? DatabaseQueue(path: CassetteFile.databasePath(path), configuration: configuration)
            }
            try? queue?.inDatabase { try Self.moveRest($0) }
        }
        state.withLock { $0 = .done }
    }

    /// Waits until the work is done, and closes the connection.
    func close() {
        work.sync {
            queue.withLock { queue in
                try? queue?.close()
                queue = nil
            }
        }
    }
}
