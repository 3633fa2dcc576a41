import ArgumentParser
import Foundation
import MockServe
import MockServeCore

/// Where git keeps what concerns cassettes.
struct GitSetup: ParsableArguments {
    static let attributes = "*.cassette -text diff=mockserve merge=mockserve"

    @Flag(help: "For all repositories of this user, instead of the one that we are in.")
    var global = false

    /// The file with attributes.
    func attributesFile() throws -> String {
        guard global else { return try Git.topFolder() + "/.gitattributes" }
        let set = try Git.run(["config", "--global", "--type=path", "core.attributesFile"], statuses: [0, 1])
        if set.status == 0 { return Git.line(set.output) }
        let environment = ProcessInfo.processInfo.environment
        let home = environment["HOME"] ?? NSHomeDirectory()
        let folder = environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? home + "/.config"
        return folder + "/git/attributes"
    }

    var scope: [String] { global ? ["--global"] : ["--local"] }

    /// How git calls this program: by its name if that is found, otherwise by its path.
    static var program: String {
        let own = CommandLine.executablePath
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let found = folders.map { String($0) + "/mockserve" }.first { access($0, X_OK) == 0 }
        return found.flatMap { realpath($0) } == own ? "mockserve" : ShellText.quoted(own)
    }

    private static func realpath(_ path: String) -> String? {
        guard let resolved = Foundation.realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

extension CommandLine {
    /// Of this program, without symbolic links.
    fileprivate static var executablePath: String {
        let path =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? Bundle.main.executablePath
        return path ?? arguments[0]
    }
}

struct InstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Set git up for cassettes.",
        discussion: """
            Adds a line to .gitattributes, which you commit, and the drivers that it names to the configuration of this clone. \
            Where that was not done, as in a clone without mockserve, git treats cassettes as the binary files that they are. \
            Doing it again changes nothing.

            EXAMPLE
              mockserve git install
              mockserve git install --global
            """
    )

    @OptionGroup var setup: GitSetup

    func run() throws {
        try ExitStatus.reporting {
            let file = try setup.attributesFile()
            if try Self.add(GitSetup.attributes, to: file) {
                Console.say("mockserve: added to \(file): \(GitSetup.attributes)")
            } else {
                Console.say("mockserve: already in \(file): \(GitSetup.attributes)")
            }
            let program = GitSetup.program
            let settings = [
                ("diff.mockserve.textconv", "\(program) git textconv"), ("diff.mockserve.xfuncname", "^=== .*$"),
                ("merge.mockserve.name", "cassettes, by interaction"),
                ("merge.mockserve.driver", "\(program) git merge %O %A %B %P"),
            ]
            for (name, value) in settings {
                try Git.run(["config"] + setup.scope + [name, value])
                Console.say("mockserve: git config \(setup.scope[0]) \(name) '\(value)'")
            }
        }
    }

    /// - Returns: whether it was not there yet.
    private static func add(_ line: String, to file: String) throws -> Bool {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        guard !text.split(separator: "\n").contains(Substring(line)) else { return false }
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let start = text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"
            try (start + line + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        } catch {
            throw MockServeError(
                .cassetteUnwritable,
                "\(file) cannot be written: \(error.localizedDescription)",
                cause: error
            )
        }
        return true
    }
}

struct UninstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uninstall",
        abstract: "Undo what `install` did.",
        discussion: """
            EXAMPLE
              mockserve git uninstall
            """
    )

    @OptionGroup var setup: GitSetup

    func run() throws {
        try ExitStatus.reporting {
            let file = try setup.attributesFile()
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let kept = lines.filter { $0 != GitSetup.attributes }
            if kept.count < lines.count {
                do {
                    if kept.allSatisfy(\.isEmpty) {
                        try FileManager.default.removeItem(atPath: file)
                    } else {
                        try kept.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
                    }
                } catch {
                    throw MockServeError(
                        .cassetteUnwritable,
                        "\(file) cannot be written: \(error.localizedDescription)",
                        cause: error
                    )
                }
                Console.say("mockserve: taken out of \(file): \(GitSetup.attributes)")
            }
            for section in ["diff.mockserve", "merge.mockserve"] {
                let found = try Git.run(
                    ["config"] + setup.scope + ["--get-regexp", "^\(section)\\."],
                    statuses: [0, 1]
                )
                guard found.status == 0 else { continue }
                try Git.run(["config"] + setup.scope + ["--remove-section", section])
                Console.say("mockserve: git config \(setup.scope[0]) --remove-section \(section)")
            }
        }
    }
}
