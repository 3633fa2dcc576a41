import Dispatch
import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// Moves what was committed from the write-ahead log into the cassette on a thread and a connection of its own, so that
/// commits need not wait for the disk.
///
/// The log begins anew only when nothing is in it that is not in the file too. What was committed while this worked the writer
/// moves itself, which is little.
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
    ///   - threshold: pages in the log from which on they are moved: 16 MiB unless said.
    ///   - limit: pages in the log from which on the writer waits, as the disk is slower than what is recorded: 256 MiB.
    init(path: String, threshold: Int = 4_000, limit: Int = 64_000) {
        // Opened later, wherever the process is then.
        self.path = URL(fileURLWithPath: path).path
        self.threshold = threshold
        self.limit = limit
    }

    /// Has this told of each commit of a connection, instead of SQLite's own checkpoints. This must outlive the connection.
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

    /// To be asked after each commit.
    ///
    /// - Returns: whether the writer is to move the rest now.
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

    /// On the connection of the writer, outside of a transaction.
    static func moveRest(_ db: Database) throws { try db.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)") }

    private func run() {
        queue.withLock { queue in
            // What fails here is left to the writer, and at last to the end of the recording, which says what is wrong.
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
