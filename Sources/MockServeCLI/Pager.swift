import Foundation

/// Where a command writes that shows much: standard output, or on a terminal a pager, with colours.
final class PagedOutput {
    fileprivate let isColoured: Bool

    fileprivate init(isColoured: Bool) { self.isColoured = isColoured }

    /// Writes a block of the canonical text, or of a difference.
    ///
    /// - Parameter isFirst: whether no other stands before it; between blocks there is an empty line.
    func write(_ lines: [String], isFirst: Bool) {
        let text = lines.map { isColoured ? Self.coloured($0) : $0 }.joined(separator: "\n")
        Console.write(Array(((isFirst ? "" : "\n") + text + "\n").utf8))
    }

    private static func coloured(_ line: String) -> String {
        let code =
            switch line.first {
            case "=": "1"
            case "#": "2"
            case ">": "36"
            case "<": "33"
            case "@", "!", "?": "35"
            case "-": "31"
            case "+": "32"
            default: ""
            }
        return code.isEmpty ? line : "\u{1B}[\(code)m\(line)\u{1B}[0m"
    }
}

extension Console {
    /// Runs `body` with a place to write to. On a terminal that is the program that `PAGER` names, by default less, unless
    /// that is `cat` or empty; colours are left out if `NO_COLOR` is set.
    static func paged(isWanted: Bool = true, _ body: (PagedOutput) throws -> Void) throws {
        guard isWanted, isTerminal(STDOUT_FILENO) else { return try body(PagedOutput(isColoured: false)) }
        let environment = ProcessInfo.processInfo.environment
        let output = PagedOutput(
            isColoured: environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
        )
        let pager = environment["PAGER"] ?? (isThere("less", environment) ? "less" : "")
        guard !pager.isEmpty, pager != "cat", let process = start(pager, environment) else { return try body(output) }
        endsAtClosedPipe = false
        defer {
            // The pager ends when it has read everything, and its reader has seen it.
            close(STDOUT_FILENO)
            process.waitUntilExit()
        }
        try body(output)
    }

    private static func isThere(_ program: String, _ environment: [String: String]) -> Bool {
        (environment["PATH"] ?? "").split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    /// Puts a pipe to the pager in the place of standard output. Nil if it cannot be started.
    private static func start(_ pager: String, _ environment: [String: String]) -> Process? {
        let pipe = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", pager]
        // As git does: colours pass, and what fits on the screen is not paged.
        process.environment = environment.merging(["LESS": "FRX"]) { own, _ in own }
        process.standardInput = pipe
        // Ctrl-C is for the pager.
        guard (try? process.run()) != nil else { return nil }
        signal(SIGINT, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        try? pipe.fileHandleForReading.close()
        dup2(pipe.fileHandleForWriting.fileDescriptor, STDOUT_FILENO)
        try? pipe.fileHandleForWriting.close()
        return process
    }
}
