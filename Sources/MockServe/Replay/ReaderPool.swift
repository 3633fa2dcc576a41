import CassetteStore
import NIOCore
import Synchronization

/// One connection to the cassette for every event loop that asks, so that loops do not wait for each other.
final class ReaderPool: Sendable {
    private let path: String
    private let readers: Mutex<[ObjectIdentifier: CassetteReader]>
    private let first: Mutex<CassetteReader?>
    private let reports = Mutex<CassetteReader?>(nil)

    /// - Parameter first: the reader that was opened to look at the cassette; the first event loop gets it.
    init(_ first: CassetteReader) {
        path = first.path
        self.first = Mutex(first)
        readers = Mutex([:])
    }

    /// - Throws: `CassetteError`.
    func reader(for eventLoop: any EventLoop) throws -> CassetteReader {
        let key = ObjectIdentifier(eventLoop)
        if let reader = readers.withLock({ $0[key] }) { return reader }
        let reader = try first.withLock { $0.take() } ?? CassetteReader(path: path)
        readers.withLock { $0[key] = reader }
        return reader
    }

    /// A reader of its own for what takes longer, shared by all event loops.
    func readerForReports() throws -> CassetteReader {
        try reports.withLock { reports in
            if let reports { return reports }
            let reader = try CassetteReader(path: path)
            reports = reader
            return reader
        }
    }

    func close() {
        reports.withLock { $0.take() }?.close()
        let open = readers.withLock { readers in
            defer { readers = [:] }
            return Array(readers.values)
        }
        for reader in open { reader.close() }
        first.withLock { $0.take() }?.close()
    }
}
