import Foundation

/// Which file a path led to. SQLite goes on using a file that was removed or replaced, and then what it writes is lost.
package struct FileIdentity: Sendable {
    private let path: String
    private let device: dev_t
    private let number: ino_t

    package init(_ path: String) {
        // Absolute, as the process may change its working directory.
        self.path = URL(fileURLWithPath: path).path
        var status = stat()
        _ = stat(path, &status)
        (device, number) = (status.st_dev, status.st_ino)
    }

    /// - Parameter use: what is done with the file.
    /// - Throws: `CassetteError` if the path leads elsewhere now, or nowhere.
    package func check(_ use: Use) throws {
        var status = stat()
        guard stat(path, &status) != 0 || status.st_dev != device || status.st_ino != number else { return }
        switch use {
        case .recording:
            throw CassetteError(.unwritable, path: path, "was removed or replaced while it was recorded into.")
        case .replay:
            throw CassetteError(
                .unreadable,
                path: path,
                "was removed or replaced by another file while it was replayed. Start the server again."
            )
        }
    }

    package enum Use {
        case recording
        case replay
    }
}
