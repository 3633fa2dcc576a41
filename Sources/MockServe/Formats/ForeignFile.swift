import CassetteStore
import CassetteFormats
import Foundation
import MockServeCore

/// A file of another tool that is to be imported.
package struct ForeignFile: Sendable {
    /// `-` for standard input.
    package let path: String
    /// Relative to the folder that was given; only the name if the file itself was given.
    package let name: String
    /// Whether it was found in a folder, where there may be files of all sorts.
    package let isFound: Bool

    /// Folders of bodies and of dependencies, which are not recordings.
    private static let otherFolders: Set<String> = ["__files", "node_modules"]

    /// Files, and those in folders that may be of a format that is known, in the order of their names.
    ///
    /// - Throws: `FormatError` if there is no such file, or nothing in a folder.
    package static func all(_ paths: [String]) throws -> [ForeignFile] {
        try paths.flatMap { path -> [ForeignFile] in
            guard path != "-" else { return [ForeignFile(path: path, name: "standard-input", isFound: false)] }
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw FormatError(path, nil, "is not there.")
            }
            guard isFolder.boolValue else {
                return [ForeignFile(path: path, name: URL(fileURLWithPath: path).lastPathComponent, isFound: false)]
            }
            let names = try inFolder(path)
            guard !names.isEmpty else {
                let endings = KnownFormats.fileEndings.sorted().map { ".\($0)" }.joined(separator: ", ")
                throw FormatError(path, nil, "is a folder without files of another tool: they end in \(endings).")
            }
            return names.map {
                ForeignFile(
                    path: "\(path.hasSuffix("/") ? String(path.dropLast()) : path)/\($0)",
                    name: $0,
                    isFound: true
                )
            }
        }
    }

    private static func inFolder(_ path: String) throws -> [String] {
        guard let walk = FileManager.default.enumerator(atPath: path) else {
            throw FormatError(path, nil, "cannot be read.")
        }
        var names: [String] = []
        while let name = walk.nextObject() as? String {
            let last = name.split(separator: "/").last ?? ""
            if last.hasPrefix(".") || otherFolders.contains(String(last)) {
                walk.skipDescendants()
                continue
            }
            guard let dot = last.lastIndex(of: "."),
                KnownFormats.fileEndings.contains(last[last.index(after: dot)...].lowercased())
            else {
                continue
            }
            if FileStatus("\(path)/\(name)")?.kind == .regular { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The name of a cassette for this file alone.
    package var cassetteName: String {
        var parts = name.split(separator: "/").map(String.init)
        if let last = parts.popLast() {
            let stem = last.lastIndex(of: ".").map { String(last[..<$0]) } ?? last
            parts.append((stem.isEmpty ? last : stem) + ".cassette")
        }
        return parts.joined(separator: "/")
    }

    var folder: String? { path == "-" ? nil : URL(fileURLWithPath: path).deletingLastPathComponent().path }
}
