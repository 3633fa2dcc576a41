import Foundation
import Synchronization

/// A copy of a cassette, or a place for a new one, that is recorded into instead of it: a run that fails, or is killed,
/// leaves the cassette as it was, byte for byte.
package struct RecordingCopy: Sendable {
    private static let purpose = "mockserve-recording"
    private static let last = Atomic(0)

    /// Where to record.
    package let path: String
    private let original: String

    /// Copies the cassette, if there is one. Removes copies that killed processes have left.
    ///
    /// - Throws: `CassetteError`.
    package init(of original: String) throws {
        self.original = original
        let number = Self.last.wrappingAdd(1, ordering: .relaxed).newValue
        path = CassetteFile.hidden(original, "\(Self.purpose)-\(getpid())-\(number)")
        let turn = try FolderTurn(of: original)
        defer { turn.end() }
        Self.removeOthers(of: original)
        guard FileManager.default.fileExists(atPath: original) else { return }
        CassetteFile.recover(original, during: turn)
        do {
            try FileManager.default.copyItem(atPath: original, toPath: path)
        } catch {
            throw CassetteError(.unwritable, path: original, "cannot be copied: \(error.localizedDescription)")
        }
    }

    /// Puts what was recorded in the place of the cassette.
    ///
    /// - Throws: `CassetteError`; then the cassette is as it was.
    package func publish() throws {
        guard rename(path, original) == 0 else {
            let reason = String(cString: strerror(errno))
            throw CassetteError(.unwritable, path: original, "cannot be replaced by what was recorded: \(reason).")
        }
    }

    /// Forgets what was recorded.
    package func discard() { Self.remove(path) }

    private static func remove(_ path: String) {
        for end in ["", "-wal", "-shm", "-journal"] { unlink(path + end) }
    }

    private static func removeOthers(of original: String) {
        let url = URL(fileURLWithPath: CassetteFile.hidden(original, purpose))
        let folder = url.deletingLastPathComponent()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let start = url.lastPathComponent + "-"
        for name in names where name.hasPrefix(start) {
            guard let owner = pid_t(name.dropFirst(start.count).prefix { $0.isNumber }), owner > 0, kill(owner, 0) != 0,
                errno == ESRCH
            else { continue }
            unlink(folder.appendingPathComponent(name).path)
        }
    }
}
