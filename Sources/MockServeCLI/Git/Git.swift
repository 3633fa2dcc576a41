import Foundation
import MockServe
import Synchronization

/// Calls the program git.
enum Git {
    /// - Parameters:
    ///   - folder: where it runs; nil for where we are.
    ///   - statuses: that are no error.
    /// - Returns: its exit status and standard output.
    /// - Throws: `MockServeError` with what it said, or if there is no git.
    @discardableResult
    static func run(
        _ arguments: [String],
        in folder: String? = nil,
        statuses: Set<Int32> = [0]
    ) throws -> (status: Int32, output: String) {
        let (status, data) = try data(arguments, in: folder, statuses: statuses)
        return (status, String(decoding: data, as: UTF8.self))
    }

    /// The same with bytes.
    static func data(
        _ arguments: [String],
        in folder: String? = nil,
        statuses: Set<Int32> = [0]
    ) throws -> (status: Int32, output: Data) {
        let process = Process()
        let (output, problem) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git"] + (folder.map { ["-C", $0] } ?? []) + arguments
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
        // Both are read at once, or it would wait for the one that is full.
        let said = Mutex(Data())
        let group = DispatchGroup()
        let handle = problem.fileHandleForReading
        DispatchQueue.global().async(group: group) {
            let data = (try? handle.readToEnd()) ?? Data()
            said.withLock { $0 = data }
        }
        let data = (try? output.fileHandleForReading.readToEnd()) ?? Data()
        group.wait()
        process.waitUntilExit()
        let status = process.terminationStatus
        guard process.terminationReason == .exit, statuses.contains(status) else {
            if status == 127 { throw MockServeError(.invalidConfiguration, "There is no git on this machine.") }
            let text = String(decoding: said.withLock { $0 }, as: UTF8.self)
            let reason = text.trimmingCharacters(in: .whitespacesAndNewlines)
            throw MockServeError(.invalidConfiguration, "git \(arguments.prefix(2).joined(separator: " ")): \(reason)")
        }
        return (status, data)
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
