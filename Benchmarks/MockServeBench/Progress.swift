import CassetteStore
import Foundation
import Synchronization

/// Counts what was written, and shows the count on a terminal.
final class Progress: Sendable {
    private struct State {
        var count = 0
        var error: CassetteError?
    }

    private let total: Int
    private let state = Mutex(State())
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init(total: Int) {
        self.total = total
    }

    func note(_ result: Result<Int64, CassetteError>) {
        let count = state.withLock { state in
            if case .failure(let error) = result { state.error = state.error ?? error }
            state.count += 1
            return state.count
        }
        if isTerminal, count % 10_000 == 0 { write("\r\(count) of \(total)") }
    }

    /// - Throws: the first error, if there was one.
    func check() throws {
        if let error = state.withLock({ $0.error }) { throw error }
    }

    func say(_ line: String) { write("\(isTerminal ? "\r" : "")\(line)\n") }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
