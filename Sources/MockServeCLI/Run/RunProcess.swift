import Foundation
import MockServe
import Subprocess
import Synchronization
import UnixSignals

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// The command of `run`, as a process that gets our signals, and that does not outlive us.
///
/// At a terminal the command stays in our process group, so that the terminal and the shell's job control (Ctrl-C, Ctrl-Z,
/// `fg`) see one job. Elsewhere it leads a group of its own, and signals go to all of that: a shell would not pass them on
/// to what it runs.
struct RunProcess: Sendable {
    private let command: [String]
    private let environment: Environment
    private let terminal = ControllingTerminal()

    init(_ command: [String], environment: Environment) {
        (self.command, self.environment) = (command, environment)
    }

    /// The signals that are for the command.
    static func signals() async -> UnixSignalsSequence {
        Signals.hangUpIsIgnored
            ? await UnixSignalsSequence(trapping: .sigint, .sigquit, .sigterm)
            : await UnixSignalsSequence(trapping: .sigint, .sigquit, .sigterm, .sighup)
    }

    /// - Throws: `MockServeError` if there is no such program, or it cannot be started.
    func run(forwarding signals: UnixSignalsSequence) async throws -> TerminationStatus {
        guard Self.isThere(command[0]) else {
            let isFile = command[0].contains("/") && access(command[0], F_OK) == 0
            let reason = isFile ? "it is not executable" : "there is no such program"
            throw MockServeError(.invalidConfiguration, "`\(command[0])` cannot be run: \(reason).")
        }
        let child = RunningChild(leadsGroup: terminal == nil)
        let guardian = RunGuardian()
        return try await withThrowingTaskGroup(of: TerminationStatus?.self) { group in
            group.addTask {
                await guardian?.run()
                return nil
            }
            group.addTask {
                defer { guardian?.dismiss() }
                return try await spawn(child, guardian)
            }
            group.addTask {
                for await signal in signals where terminal?.sends(signal) != true { child.send(signal.rawValue) }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let status = result { return status }
            }
            throw CancellationError()
        }
    }

    private func spawn(_ child: RunningChild, _ guardian: RunGuardian?) async throws -> TerminationStatus {
        // Spawned programs start with no signal ignored, so a shell ignores SIGHUP for the command.
        let command =
            Signals.hangUpIsIgnored ? ["/bin/sh", "-c", "trap '' HUP; exec \"$@\"", "sh"] + command : command
        var options = PlatformOptions()
        if child.leadsGroup { options.processGroupID = 0 }
        do {
            let result = try await Subprocess.run(
                // A name is looked up in PATH, a path is taken as it is, as a shell does.
                command[0].contains("/") ? .path(FilePath(command[0])) : .name(command[0]),
                arguments: Arguments(Array(command.dropFirst())),
                environment: environment,
                platformOptions: options,
                input: .currentStandardInput,
                output: .currentStandardOutput,
                error: .currentStandardError
            ) { execution in
                child.began(execution.processIdentifier.value)
                guardian?.watch(child.target(execution.processIdentifier.value))
            }
            return result.terminationStatus
        } catch let error as SubprocessError {
            throw MockServeError(.invalidConfiguration, "`\(command[0])` cannot be run: \(error)", cause: error)
        }
    }

    private static func isThere(_ program: String) -> Bool {
        if program.contains("/") { return access(program, X_OK) == 0 }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }
}

/// The terminal that controls us.
private struct ControllingTerminal {
    /// Nil if there is none.
    init?() {
        let descriptor = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { return nil }
        close(descriptor)
    }

    /// Whether a signal comes from a key, which sends it to the whole foreground job: the command must not get it twice.
    func sends(_ signal: UnixSignal) -> Bool {
        guard signal == .sigint || signal == .sigquit else { return false }
        let descriptor = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return tcgetpgrp(descriptor) == getpgrp()
    }
}

/// The process of the command. It may run, and signals for it may arrive, before its number is known here.
private final class RunningChild: Sendable {
    private struct State {
        var id: pid_t?
        var waiting: [CInt] = []
    }

    let leadsGroup: Bool
    private let state = Mutex(State())

    init(leadsGroup: Bool) { self.leadsGroup = leadsGroup }

    /// What `kill` takes.
    func target(_ id: pid_t) -> pid_t { leadsGroup ? -id : id }

    func began(_ id: pid_t) {
        let waiting = state.withLock { state in
            defer { state = State(id: id) }
            return state.waiting
        }
        for signal in waiting { kill(target(id), signal) }
    }

    func send(_ signal: CInt) {
        let id = state.withLock { state in
            if state.id == nil { state.waiting.append(signal) }
            return state.id
        }
        if let id { kill(target(id), signal) }
    }
}
