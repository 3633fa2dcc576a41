import Foundation

/// The turn to make or remove cassettes in a folder: one run at a time, of all processes.
///
/// SQLite guards what is in a file, not whether the file is there: without this, a run that recorded nothing might remove the
/// file it made while another has it open and is about to record into it.
struct FolderTurn {
    private let descriptor: CInt

    /// Waits for the turn, up to 10 seconds; then, and where the file system has no locks, goes on without. Makes the folder
    /// if there is none.
    ///
    /// - Throws: `CassetteError` if the folder cannot be made.
    init(of path: String) throws {
        try CassetteFile.createDirectory(of: path)
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let deadline = ContinuousClock.now + .seconds(10)
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR,
            ContinuousClock.now < deadline
        {
            usleep(1_000)
        }
    }

    func end() { close(descriptor) }
}
