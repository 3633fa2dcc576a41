import ArgumentParser
import Foundation
import Subprocess
import Synchronization

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// Ends the command of `run` if we are killed. That cannot be done by whoever is killed, so it is a process of its own, which
/// notices our end by that of a pipe. Unlike the parent-death signal of Linux it reaches all of a process group.
final class RunGuardian: Sendable {
    private let program: String
    private let readEnd: CInt
    /// Nil once it is closed.
    private let writeEnd: Mutex<CInt?>

    /// - Returns: nil if that cannot be set up; the command runs all the same.
    init?() {
        var ends: [CInt] = [-1, -1]
        guard let program = Bundle.main.executablePath, pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (self.program, readEnd) = (program, ends[0])
        writeEnd = Mutex(ends[1])
    }

    /// Returns when it was dismissed.
    func run() async {
        var options = PlatformOptions()
        // What is sent to our group, or typed at our terminal, is not for it.
        options.createSession = true
        // If it does not come about, nothing guards the command.
        _ = try? await Subprocess.run(
            .path(FilePath(program)),
            arguments: [GuardCommand.name],
            platformOptions: options,
            input: .fileDescriptor(FileDescriptor(rawValue: readEnd), closeAfterSpawningProcess: true),
            output: .discarded,
            error: .discarded
        )
    }

    /// - Parameter target: what `kill` takes.
    func watch(_ target: pid_t) { write("\(target)\n") }

    func dismiss() {
        write("0\n")
        writeEnd.withLock { end in
            if let end { close(end) }
            end = nil
        }
    }

    private func write(_ text: String) {
        writeEnd.withLock { end in
            guard let end else { return }
            let bytes = Array(text.utf8)
            // Nobody reads it if the guardian has not come about.
            _ = bytes.withUnsafeBytes { Foundation.write(end, $0.baseAddress, $0.count) }
        }
    }
}

/// The process of a `RunGuardian`.
struct GuardCommand: ParsableCommand {
    static let name = "_guard"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)
    private static let graceSeconds = 5
    private static let pauseMilliseconds = 50

    func run() {
        // It must not keep a file system busy.
        _ = chdir("/")
        var target: pid_t = 0
        while let line = readLine() { target = pid_t(line) ?? 0 }
        guard target != 0, target != 1, target != -1, kill(target, SIGTERM) == 0 else { return }
        // A command that cleans up takes a moment.
        for _ in 0..<(Self.graceSeconds * 1000 / Self.pauseMilliseconds) {
            usleep(UInt32(Self.pauseMilliseconds) * 1000)
            if kill(target, 0) != 0 { return }
        }
        kill(target, SIGKILL)
    }
}
