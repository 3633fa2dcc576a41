import Foundation

/// What a path leads to, links followed.
package enum FileKind: Sendable {
    case regular
    case folder
    case pipe
    /// A device or a socket.
    case other

    /// Nil if it leads nowhere.
    package init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .folder
        case S_IFIFO: self = .pipe
        default: self = .other
        }
    }
}
