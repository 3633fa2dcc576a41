import Foundation

/// A copy of a cassette, or a place for a new one, that is recorded into instead of it: a run that fails, or is killed,
/// leaves the cassette as it was, byte for byte.
package struct RecordingCopy: Sendable {
    private static let purpose = "mockserve-recording"

    /// Where to record.
    package let path: String
    /// Without symbolic links.
    private let original: String
    /// What the cassette was when it was copied; nil if there was none.
    private let before: Stamp?

    /// What changes whenever somebody else writes to a file.
    struct Stamp: Equatable {
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            #if canImport(Darwin)
                let time = status.st_mtimespec
            #else
                let time = status.st_mtim
            #endif
            (seconds, nanoseconds) = (Int(time.tv_sec), Int(time.tv_nsec))
        }
    }

    /// Copies the cassette, if there is one. Removes copies that killed processes have left.
    ///
    /// - Throws: `CassetteError`, also if somebody else is recording into the cassette.
    package init(of original: String) throws {
        // A link that leads nowhere yet leads to where the cassette will be.
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: original)
        let isDangling = target != nil && !FileManager.default.fileExists(atPath: original)
        let folder = URL(fileURLWithPath: original).deletingLastPathComponent()
        let place = isDangling ? URL(fileURLWithPath: target ?? original, relativeTo: folder).path : original
        try CassetteFile.checkKind(place, mayBeNew: true)
        let original = CassetteFile.canonicalPath(place)
        self.original = original
        // A process may have the number of one that was killed.
        path = CassetteFile.hidden(original, "\(Self.purpose)-\(RunOwner.current.value)-\(UUID().uuidString)")
        let turn = try FolderTurn(of: original)
        defer { turn.end() }
        Self.removeOthers(of: original)
        if FileManager.default.fileExists(atPath: original) {
            CassetteFile.recover(original, during: turn)
            try Self.refuseIfInUse(original)
        }
        before = Stamp(original)
        guard before != nil else { return }
        do {
            try FileManager.default.copyItem(atPath: original, toPath: path)
        } catch {
            Self.remove(path)
            throw CassetteError(.unwritable, path: original, "cannot be copied: \(error.localizedDescription)")
        }
    }

    private static func refuseIfInUse(_ path: String) throws {
        guard CassetteFile.hasRemains(path) else { return }
        throw CassetteError(
            .unwritable,
            path: path,
            "is being written by another process. Try again when that has ended."
        )
    }

    /// Replaces the cassette with what was recorded.
    ///
    /// - Throws: `CassetteError`; then the cassette is as it was, and what was recorded is gone.
    package func publish() throws {
        let turn = try FolderTurn(of: original)
        defer { turn.end() }
        do {
            try Self.refuseIfInUse(original)
            // Its log would be left behind.
            guard !CassetteFile.hasRemains(path) else {
                throw CassetteError(
                    .unwritable,
                    path: original,
                    "is as it was: the recording was not complete in its file."
                )
            }
            guard Stamp(original) == before else {
                throw CassetteError(
                    .unwritable,
                    path: original,
                    "has been changed by somebody else meanwhile, so what was recorded is dropped. Record it again."
                )
            }
            guard rename(path, original) == 0 else {
                let reason = String(cString: strerror(errno))
                throw CassetteError(.unwritable, path: original, "cannot be replaced by what was recorded: \(reason).")
            }
        } catch {
            discard()
            throw error
        }
    }

    /// Forgets what was recorded.
    package func discard() { Self.remove(path) }

    private static func remove(_ path: String) {
        for end in ["", "-wal", "-shm", "-journal"] { unlink(path + end) }
        for end in ["", "-journal"] { unlink(CassetteFile.draft(of: path) + end) }
    }

    /// Removes those that killed processes have left.
    static func removeOthers(of original: String, _ purpose: String = Self.purpose) {
        let url = URL(fileURLWithPath: CassetteFile.hidden(original, purpose))
        let folder = url.deletingLastPathComponent()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let start = url.lastPathComponent + "-"
        for name in names {
            // Before a draft there is one more dot.
            let plain = name.hasPrefix("." + start) ? name.dropFirst() : name[...]
            guard plain.hasPrefix(start), let number = Int64(plain.dropFirst(start.count).prefix { $0 != "-" }) else {
                continue
            }
            let owner = RunOwner(number)
            guard owner.isKnown, !owner.isAlive else { continue }
            unlink(folder.appendingPathComponent(name).path)
        }
    }
}
