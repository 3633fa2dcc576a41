import CassetteStore
import Foundation
import MockServeCore

/// Where the misses of a server are kept for `explain`: those of the last server that had any, for each cassette and
/// each folder in which servers were started.
enum MissFile {
    /// In the folder for state (XDG Base Directory Specification); nil if there is no home.
    private static var folder: String? {
        let environment = ProcessInfo.processInfo.environment
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return "\(state)/mockserve/misses" }
        return environment["HOME"].flatMap { $0.hasPrefix("/") ? "\($0)/.local/state/mockserve/misses" : nil }
    }

    private static var currentFolder: String { ShortDigest.hexadecimal(FileManager.default.currentDirectoryPath) }

    private static func name(of cassette: String) -> String {
        ShortDigest.hexadecimal(CassetteFile.canonicalPath(cassette))
    }

    /// For a server that is started in this folder.
    static func path(for cassette: String) -> String? {
        folder.map { "\($0)/\(currentFolder)-\(name(of: cassette)).jsonl" }
    }

    /// The newest one.
    ///
    /// - Parameter cassette: the cassette that was served; nil for all that were served from this folder. If a cassette
    ///   had no misses here, its misses elsewhere count.
    static func newest(_ cassette: String?) -> String? {
        guard let folder else { return nil }
        guard let cassette else { return newest(in: folder) { $0.hasPrefix(currentFolder + "-") } }
        if let path = path(for: cassette), FileManager.default.fileExists(atPath: path) { return path }
        let name = name(of: cassette)
        return newest(in: folder) { $0.hasSuffix("-\(name).jsonl") }
    }

    private static func newest(in folder: String, _ isWanted: (String) -> Bool) -> String? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let files = names.filter { isWanted($0) && $0.hasSuffix(".jsonl") }.map {
            URL(fileURLWithPath: "\(folder)/\($0)")
        }
        func date(_ file: URL) -> Date {
            (try? file.resourceValues(forKeys: [.contentModificationDateKey]))?.contentModificationDate ?? .distantPast
        }
        return files.max { date($0) < date($1) }?.path
    }
}
