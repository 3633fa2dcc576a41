import Foundation

/// What is known of a file without opening it.
package struct FileStatus: Sendable {
    package enum Kind: Sendable {
        case regular
        case folder
        case pipe
        case link
        /// A device or a socket.
        case other
    }

    package let kind: Kind
    /// Bytes.
    package let size: Int
    /// Seconds since 1970 UTC, and nanoseconds.
    package let modified: (seconds: Int, nanoseconds: Int)

    /// - Parameter followsLinks: whether this is about what a link leads to.
    /// - Returns: nil if the path leads nowhere.
    package init?(_ path: String, followsLinks: Bool = true) {
        var status = stat()
        guard (followsLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .folder
        case S_IFIFO: kind = .pipe
        case S_IFLNK: kind = .link
        default: kind = .other
        }
        size = Int(status.st_size)
        #if canImport(Darwin)
            modified = (status.st_mtimespec.tv_sec, status.st_mtimespec.tv_nsec)
        #else
            modified = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        #endif
    }
}
