import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

/// How far a long work is, on a terminal.
final class Progress: Sendable {
    private let total: Int
    private let isShown = Console.isTerminal(STDERR_FILENO)

    init(total: Int) { self.total = total }

    func show(_ done: Int) {
        guard isShown else { return }
        let text = "\rmockserve: \(done) of \(total)"
        _ = text.utf8CString.withUnsafeBufferPointer { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count - 1) }
    }

    func end() {
        guard isShown else { return }
        _ = "\r\u{1B}[K".utf8CString.withUnsafeBufferPointer {
            Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count - 1)
        }
    }
}

/// Cleans up before the program ends by a signal.
final class Interruption {
    private let sources: [any DispatchSourceSignal]

    init(_ cleanUp: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler {
                cleanUp()
                signal(number, SIG_DFL)
                raise(number)
            }
            source.resume()
            return source
        }
    }

    func end() {
        for source in sources { source.cancel() }
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
}
