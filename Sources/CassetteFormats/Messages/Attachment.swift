import Foundation

extension FormatImport {
    /// Bytes of a file that an imported file names: 1 GiB.
    private static let attachmentLimit = 1 << 30

    /// Reads a file that the imported file names, which must be in the same folder or below it.
    ///
    /// - Parameters:
    ///   - name: relative to `subfolder` of the folder of the imported file.
    /// - Throws: `FormatError`
    func attachment(_ name: String, in subfolder: String = "", line: Int) throws -> [UInt8] {
        guard let folder else {
            throw FormatError(file, line, "names the file \(name.prefix(200)), and is not in a folder.")
        }
        func problem(_ reason: String) -> FormatError {
            FormatError(file, line, "names the file \(name.prefix(200)), \(reason)")
        }
        guard !name.isEmpty, !name.hasPrefix("/"), !name.contains("\0"), !name.split(separator: "/").contains("..")
        else {
            throw problem("which is not within its folder.")
        }
        let root = URL(fileURLWithPath: folder).appendingPathComponent(subfolder).resolvingSymlinksInPath().path
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
