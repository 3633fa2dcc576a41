import CassetteStore
import Foundation
import MockServe

/// A file that an option names, for what others are to read.
enum OptionFile {
    /// Whether a path leads to a regular file, or to nothing yet: a device, a pipe or a link is not replaced and not
    /// removed.
    static func isRegular(_ path: String) -> Bool {
        FileStatus(path, followsLinks: false).map { $0.kind == .regular } ?? true
    }

    /// Writes a regular file so that readers never see half of it.
    ///
    /// - Throws: `MockServeError` that names the option.
    static func write(_ text: String, to path: String, _ option: String) throws {
        do {
            let data = Data(text.utf8)
            guard !isRegular(path) else { return try data.write(to: URL(fileURLWithPath: path), options: .atomic) }
            let descriptor = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
            guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: data)
        } catch {
            throw MockServeError(
                .invalidConfiguration,
                "\(option) \(path) cannot be written: \(error.localizedDescription)",
                cause: error
            )
        }
    }
}
