import Foundation

/// The turn to create or remove cassettes in a folder: one run at a time, across all processes.
///
/// SQLite guards what is in a file, not whether the file exists: without this, a run that recorded nothing might remove
/// the file it made while another has it open and is about to record into it.
struct FolderTurn {
    private let descriptor: CInt

    /// Waits for the turn, up to 10 seconds; then, or if the file system has no locks, goes on without it. Creates the
    /// folder if there is none.
    ///
    /// - Throws: `CassetteError` if the folder cannot be created.
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
