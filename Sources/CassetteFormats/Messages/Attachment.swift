import Foundation

extension FormatImport {
    /// Folders above that of the imported file in which the folder of attachments is looked for.
    private static let climbLimit = 12

    /// Reads a file from a folder of attachments, which is next to the imported file, or next to a folder that it is in.
    func attachment(_ name: String, fromFolder attachments: String, line: Int) throws -> [UInt8] {
        var place = folder.map { URL(fileURLWithPath: $0).standardizedFileURL }
        for _ in 0..<Self.climbLimit {
            guard let current = place else { break }
            let folder = current.appendingPathComponent(attachments)
            if FileManager.default.fileExists(atPath: folder.path) {
                // A link could lead anywhere.
                guard (try? FileManager.default.destinationOfSymbolicLink(atPath: folder.path)) == nil else {
                    throw FormatError(
                        file,
                        line,
                        "names the file \(name.prefix(200)), and \(folder.path) is a symbolic link."
                    )
                }
                return try attachment(name, in: folder, line: line)
            }
            place = current.path == "/" ? nil : current.deletingLastPathComponent()
        }
        throw FormatError(file, line, "names the file \(name.prefix(200)), and there is no folder \(attachments).")
    }

    /// Bytes of a file that an imported file names: 1 GiB.
    private static let attachmentLimit = 1 << 30

    /// Reads a file that the imported file names, which must be in the same folder or below it.
    ///
    /// - Throws: `FormatError`
    func attachment(_ name: String, line: Int) throws -> [UInt8] {
        guard let folder else {
            throw FormatError(file, line, "names the file \(name.prefix(200)), and is not in a folder.")
        }
        return try attachment(name, in: URL(fileURLWithPath: folder), line: line)
    }

    private func attachment(_ name: String, in folder: URL, line: Int) throws -> [UInt8] {
        func problem(_ reason: String) -> FormatError {
            FormatError(file, line, "names the file \(name.prefix(200)), \(reason)")
        }
        guard !name.isEmpty, !name.hasPrefix("/"), !name.contains("\0"), !name.split(separator: "/").contains("..")
        else {
            throw problem("which is not within its folder.")
        }
        let root = folder.resolvingSymlinksInPath().path
        let place = URL(fileURLWithPath: root).appendingPathComponent(name).resolvingSymlinksInPath().path
        guard place.hasPrefix(root + "/") else { throw problem("which leads out of its folder.") }
        var status = stat()
        guard stat(place, &status) == 0 else { throw problem("which is not there (\(place)).") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw problem("which is not a regular file.") }
        guard status.st_size <= Self.attachmentLimit else { throw problem("which has more than 1 GiB.") }
        do {
            return Array(try Data(contentsOf: URL(fileURLWithPath: place)))
        } catch {
            throw problem("which cannot be read: \(error.localizedDescription)")
        }
    }
}
