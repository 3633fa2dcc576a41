import CassetteFormats
import CassetteStore
import Foundation
import MockServeCore

/// A cassette that is made of files of another tool, for as long as a server runs.
package struct TemporaryCassette: Sendable {
    private static let prefix = "mockserve-import-"

    package let path: String
    private let folder: String

    /// Whether a path leads to something that can be imported: a folder, or a file that is not a cassette and of a format that is
    /// known.
    package static func isForeign(_ path: String) -> Bool {
        guard let kind = FileStatus(path)?.kind else { return false }
        if kind == .folder { return true }
        // A pipe can be read only once. What a shell gives for `<(command)` has a writer; one with a name may never have.
        let isOfShell = path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/")
        guard kind == .regular else { return isOfShell && kind == .pipe }
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        let magic = (try? file.read(upToCount: 16)) ?? nil
        guard let magic, !magic.isEmpty, magic != Data("SQLite format 3\0".utf8) else { return false }
        // What is wrong with an archive is said when it is imported.
        if magic.starts(with: ByteSource.archive) { return true }
        guard let source = try? ByteSource.open(path), let start = try? FileStart(source) else { return false }
        return KnownFormats.format(of: start) != nil
    }

    /// Imports a file or a folder. Files of other formats in a folder are passed over.
    ///
    /// - Throws: `FormatError`, `CassetteError`; then nothing is left.
    package static func make(
        of path: String,
        rules: [Rule],
        secrets: [DeclaredSecret] = []
    ) throws -> (TemporaryCassette, CassetteImport.Report) {
        removeAbandoned()
        let name = "\(prefix)\(RunOwner.current.value)-\(UUID().uuidString)"
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        let permissions: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: false,
                attributes: permissions
            )
        } catch {
            throw FormatError(path, nil, "cannot be imported: \(folder) cannot be made: \(error.localizedDescription)")
        }
        let stem = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        let cassette = TemporaryCassette(path: "\(folder)/\(stem.isEmpty ? "imported" : stem).cassette", folder: folder)
        do {
            var settings = CassetteImport.Settings()
            (settings.rules, settings.secrets) = (rules, secrets)
            return (cassette, try CassetteImport.run(try ForeignFile.all([path]), into: cassette.path, settings))
        } catch {
            cassette.remove()
            throw error
        }
    }

    package func remove() { try? FileManager.default.removeItem(atPath: folder) }

    /// Removes those of processes that were killed.
    private static func removeAbandoned() {
        let parent = FileManager.default.temporaryDirectory.path
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(prefix) {
            guard let number = Int64(name.dropFirst(prefix.count).prefix { $0 != "-" }) else { continue }
            let owner = RunOwner(number)
            guard owner.isKnown, !owner.isAlive else { continue }
            try? FileManager.default.removeItem(atPath: "\(parent)/\(name)")
        }
    }
}
