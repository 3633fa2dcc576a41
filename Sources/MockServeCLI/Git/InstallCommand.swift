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
                ("diff.mockserve.textconv", "\(program) git textconv --"), ("diff.mockserve.xfuncname", "^=== .*$"),
                ("merge.mockserve.name", "cassettes, by interaction"),
                ("merge.mockserve.driver", "\(program) git merge --marker-size %L -- %O %A %B %P"),
            ]
            for (name, value) in settings {
                try Git.run(["config"] + setup.scope + [name, value])
                Console.say("mockserve: git config \(setup.scope[0]) \(name) '\(value)'")
            }
        }
    }

    /// - Returns: whether it was not there yet.
    private static func add(_ line: String, to file: String) throws -> Bool {
        let bytes = try AttributesFile.read(file)
        guard !bytes.split(separator: UInt8(ascii: "\n")).contains(Array(line.utf8)[...]) else { return false }
        let start = bytes.isEmpty || bytes.last == UInt8(ascii: "\n") ? bytes : bytes + [UInt8(ascii: "\n")]
        try AttributesFile.write(start + Array((line + "\n").utf8), to: file)
        return true
    }
}

/// A file with attributes, whose bytes stay what they are: comments may be in any encoding.
enum AttributesFile {
    static func read(_ file: String) throws -> [UInt8] {
        guard FileManager.default.fileExists(atPath: file) else { return [] }
        do {
            return Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw MockServeError(
                .cassetteUnreadable,
                "\(file) cannot be read: \(error.localizedDescription)",
                cause: error
            )
        }
    }

    /// In the place that a symbolic link leads to.
    static func write(_ bytes: [UInt8], to file: String) throws {
        let url = URL(fileURLWithPath: file).resolvingSymlinksInPath()
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(bytes).write(to: url, options: .atomic)
        } catch {
            throw MockServeError(
                .cassetteUnwritable,
                "\(file) cannot be written: \(error.localizedDescription)",
                cause: error
            )
        }
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
            let lines = try AttributesFile.read(file).split(
                separator: UInt8(ascii: "\n"),
                omittingEmptySubsequences: false
            )
            let kept = lines.filter { $0 != Array(GitSetup.attributes.utf8)[...] }
            if kept.count < lines.count {
                if kept.allSatisfy(\.isEmpty) {
                    unlink(file)
                } else {
                    try AttributesFile.write(Array(kept.joined(separator: [UInt8(ascii: "\n")])), to: file)
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
