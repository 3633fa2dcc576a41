import Foundation
import Synchronization

/// How far a long work is, on a terminal; off it, nothing.
final class Progress: Sendable {
    private let total: Int?
    private let what: String
    private let isShown = Console.isTerminal(STDERR_FILENO)

    /// - Parameters:
    ///   - total: nil if it is not known.
    ///   - what: such as `importing`.
    init(total: Int?, _ what: String = "") {
        self.total = total
        self.what = what.isEmpty ? "" : what + ", "
    }

    /// Of work whose end is not known, every 256th step.
    func show(_ done: Int) {
        guard isShown, total != nil || done.isMultiple(of: 256) else { return }
        Self.write("\rmockserve: \(what)\(done)" + (total.map { " of \($0)" } ?? ""))
    }

    func end() { if isShown { Self.write(Self.clear) } }

    private static let clear = "\r\u{1B}[K"

    private static func write(_ text: String) {
        let bytes = Array(text.utf8)
        // If it cannot be written, nobody sees it.
        _ = bytes.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    // MARK: Work of which it is not known how much there is

    private final class State: Sendable {
        let value = Mutex((isDone: false, isShown: false))
    }

    /// Says what is being done, and for how long, once that takes longer than a second.
    ///
    /// - Parameter what: such as `merging`.
    static func during<Result>(_ what: String, _ body: () throws -> Result) rethrows -> Result {
        guard Console.isTerminal(STDERR_FILENO) else { return try body() }
        let state = State()
        let started = ContinuousClock.now
        Thread.detachNewThread {
            var isDone = false
            while !isDone {
                usleep(500_000)
                isDone = state.value.withLock { value in
                    let seconds = (ContinuousClock.now - started).components.seconds
                    if !value.isDone, seconds >= 1 {
                        write("\rmockserve: \(what), \(seconds) s")
                        value.isShown = true
                    }
                    return value.isDone
                }
            }
        }
        defer {
            state.value.withLock { value in
                value.isDone = true
                if value.isShown { write(clear) }
            }
        }
        return try body()
    }
}
