import Foundation
import MockServe

/// Calls the program git.
enum Git {
    /// - Parameter statuses: that are no error.
    /// - Returns: its exit status and standard output.
    /// - Throws: `MockServeError` with what it said, or if there is no git.
    @discardableResult
    static func run(_ arguments: [String], statuses: Set<Int32> = [0]) throws -> (status: Int32, output: String) {
        let process = Process()
        let (output, problem) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git"] + arguments
        process.standardOutput = output
        process.standardError = problem
        do {
            try process.run()
        } catch {
            throw MockServeError(
                .invalidConfiguration,
                "git cannot be started: \(error.localizedDescription)",
                cause: error
            )
        }
        // What it says in an error is short.
        let text = String(decoding: (try? output.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
        let said = String(decoding: (try? problem.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        let status = process.terminationStatus
        guard process.terminationReason == .exit, statuses.contains(status) else {
            if status == 127 { throw MockServeError(.invalidConfiguration, "There is no git on this machine.") }
            let reason = said.trimmingCharacters(in: .whitespacesAndNewlines)
            throw MockServeError(.invalidConfiguration, "git \(arguments.prefix(2).joined(separator: " ")): \(reason)")
        }
        return (status, text)
    }

    /// The top folder of the repository that we are in.
    static func topFolder() throws -> String {
        do {
            return line(try run(["rev-parse", "--show-toplevel"]).output)
        } catch {
            throw MockServeError(
                .invalidConfiguration,
                "This is not a repository of git. Go into one, or use --global for all of them."
            )
        }
    }

    static func line(_ output: String) -> String { output.trimmingCharacters(in: .newlines) }

    /// Files that end with a NUL each, as with `-z`.
    static func files(_ output: String) -> [String] { output.split(separator: "\0").map(String.init) }
}
