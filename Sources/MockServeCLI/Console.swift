import Foundation
import MockServe
import MockServeCore

/// Standard output is for data, standard error for messages.
enum Console {
    /// Whether the program ends when nobody reads any more. Set before anything is written, by the only thread.
    nonisolated(unsafe) static var endsAtClosedPipe = true

    /// Writes data. If the reader has gone away, the program ends quietly, as `cat` would.
    static func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                // Somebody has left the pager: what follows is not wanted, but how the command ends is.
                if errno == EPIPE, !endsAtClosedPipe { return }
                exit(errno == EPIPE ? 0 : 74)
            }
            rest = rest.dropFirst(written)
        }
    }

    static func print(_ line: String) { write(Array((line + "\n").utf8)) }

    /// Shows a message to the person at the terminal.
    static func say(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        // If standard error cannot be written, there is nobody left to tell.
        _ = bytes.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    static func isTerminal(_ descriptor: CInt) -> Bool { isatty(descriptor) == 1 }

    /// Columns of the terminal on standard output; nil if it is not a terminal.
    static var width: Int? {
        guard isTerminal(STDOUT_FILENO) else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Text from a peer or a file in one line, with the characters that could steer a terminal made visible.
    static func safe(_ text: String) -> String { VisibleText.line(text) }

    /// The same in as many lines as it has.
    static func safe(lines text: String) -> String { VisibleText.of(text) }
}
