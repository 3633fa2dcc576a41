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
