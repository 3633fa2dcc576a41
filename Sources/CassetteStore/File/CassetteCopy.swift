import Foundation
import GRDB

/// A cassette that is made out of another one: it gets its name when it is complete.
package enum CassetteCopy {
    static let purpose = "mockserve-copy"

    /// Copies a cassette, as it is at one moment, changes the copy, and gives it its name.
    ///
    /// - Parameters:
    ///   - path: of the cassette; nil to begin with an empty one.
    ///   - output: may be the cassette itself.
    ///   - overwrites: whether another file of that name may be replaced.
    ///   - body: changes the copy, whose path it gets.
    /// - Throws: `CassetteError`; then what was there is there still.
    package static func make<Result>(
        of path: String?,
        to output: String,
        overwrites: Bool = false,
        _ body: (String) throws -> Result
    ) throws -> Result {
        let isItself = path.map { CassetteFile.canonicalPath($0) == CassetteFile.canonicalPath(output) } ?? false
        guard overwrites || isItself || !FileManager.default.fileExists(atPath: output) else {
            throw CassetteError(.unwritable, path: output, "is there already. Give another name, or --force.")
        }
        let place = CassetteFile.canonicalPath(output)
        RecordingCopy.removeOthers(of: place, purpose)
        let before = RecordingCopy.Stamp(place)
        let copy = CassetteFile.hidden(place, "\(purpose)-\(RunOwner.current.value)-\(UUID().uuidString)")
        defer { for end in ["", "-journal", "-wal", "-shm"] { unlink(copy + end) } }
        if let path {
            try CassetteFile.createDirectory(of: place)
            try backUp(path, to: copy)
        }
        let result = try body(copy)
        let turn = try FolderTurn(of: place)
        defer { turn.end() }
        guard RecordingCopy.Stamp(place) == before else {
            throw CassetteError(.unwritable, path: output, "has been changed by somebody else meanwhile. Do it again.")
        }
        guard !CassetteFile.hasRemains(place) else {
            throw CassetteError(
                .unwritable,
                path: output,
                "is being written by another process. Try again when that has ended."
            )
        }
        if (try? CassetteFile.checkKind(place)) != nil, let older = try? CassetteReader(path: place) {
            older.close()
            try write(copy, into: place)
            CassetteEditor.removeUndo(of: place)
        } else {
            CassetteFile.publish(copy)
            guard rename(copy, place) == 0 else {
                throw CassetteError(
                    .unwritable,
                    path: output,
                    "cannot be written: \(String(cString: strerror(errno)))."
                )
            }
        }
        return result
    }

    /// Writes it into a cassette that is there, in one transaction: whoever has that open goes on with what is in it then.
    private static func write(_ copy: String, into place: String) throws {
        do {
            try CassetteFile.copyContent(of: copy, into: place)
        } catch {
            throw CassetteFile.explain(error, path: place, .unwritable)
        }
    }

    /// A copy as of one moment, whoever writes meanwhile.
    private static func backUp(_ path: String, to copy: String) throws {
        do {
            let reader = try CassetteReader(path: path)
            defer { reader.close() }
            CassetteFile.createPrivately(copy)
            let destination = try DatabaseQueue(
                path: CassetteFile.databasePath(copy),
                configuration: CassetteFile.configuration(isReadOnly: false)
            )
            try reader.queue.backup(to: destination)
            try destination.close()
        } catch {
            throw CassetteFile.explain(error, path: copy, .unwritable)
        }
    }
}
