import Crypto
import Foundation
import GRDB
import HTTPMessages
package import MockServeCore

extension CassetteEditor {
    /// How an answer that was recorded again differs from the older one.
    ///
    /// - Returns: the degree, and what differs in shape.
    package static func drift(
        of number: Int64,
        in old: CassetteReader,
        to newNumber: Int64,
        in new: CassetteReader
    ) throws -> (AnswerDrift, differences: [String]) {
        let rules = try old.rules()
        let digests = try (
            old.read { try AnswerSQL.digest(number, rules, $0, path: old.path) },
            new.read { try AnswerSQL.digest(newNumber, rules, $0, path: new.path) }
        )
        if digests.0 == digests.1 { return (.same, []) }
        guard let before = try old.interaction(number), let after = try new.interaction(newNumber) else {
            return (.shape, ["it is gone"])
        }
        func body(_ interaction: Interaction, _ reader: CassetteReader) throws -> [UInt8]? {
            try reader.bytes(of: interaction.responseBody, limit: AnswerLikeness.bodyLimit)
                .flatMap { BodyText.decoded($0, interaction.response.fields) }
        }
        let bodies = try (body(before, old), body(after, new))
        var both: (old: [UInt8], new: [UInt8])?
        if let left = bodies.0, let right = bodies.1 { both = (left, right) }
        let differences = AnswerShape.differences(before.response, after.response, bodies: both)
        return (differences.isEmpty ? .values : .shape, differences)
    }

    /// Takes answers over from other cassettes, each in the place of an older one. The file as it was is kept, for `undo`.
    ///
    /// - Parameter answers: numbers here, and in a source.
    /// - Throws: `CassetteError`; then nothing was changed.
    package static func takeOver(
        _ answers: [(source: CassetteReader, pairs: [(old: Int64, new: Int64)])],
        in path: String
    ) throws {
        let place = CassetteFile.canonicalPath(path)
        let before = CassetteFile.hidden(place, "\(CassetteCopy.purpose)-\(RunOwner.current.value)-undo")
        try CassetteCopy.make(of: path, to: before, overwrites: true) { _ in }
        do {
            try change(path) { db in
                try EpisodeSQL.refuseWhileOpen(db, path: path)
                for (source, pairs) in answers {
                    try source.read { other in
                        var copy = try RowCopy(from: other, to: db)
                        for (old, new) in pairs {
                            try db.query("DELETE FROM interaction WHERE id = ?1", [.integer(old)])
                            try copy.interaction(new, as: old)
                        }
                        try PlaceholderSQL.raise(try PlaceholderSQL.last(other), db)
                    }
                }
                try EpisodeSQL.removeUnused(db)
                _ = try RuleSQL.recomputeKeys(db, path: path)
            }
        } catch {
            unlink(before)
            throw error
        }
        removeUndo(of: place)
        _ = rename(before, CassetteFile.hidden(place, undoPurpose + (try fingerprint(place))))
    }

    private static let undoPurpose = "mockserve-undo-"

    private static func fingerprint(_ path: String) throws -> String {
        let digest = SHA256.hash(data: try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped))
        return digest.prefix(8).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    private static func undoFile(of place: String) -> URL? {
        let start = URL(fileURLWithPath: CassetteFile.hidden(place, undoPurpose))
        let folder = start.deletingLastPathComponent()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.first { $0.hasPrefix(start.lastPathComponent) }.map { folder.appendingPathComponent($0) }
    }

    /// Removes what is kept for `undo`: it holds what was there before.
    static func removeUndo(of path: String) {
        if let file = undoFile(of: CassetteFile.canonicalPath(path)) { unlink(file.path) }
    }

    /// Takes the last refresh back.
    ///
    /// - Throws: `CassetteError` if there is none, or the cassette has been changed since.
    package static func undo(_ path: String, force: Bool) throws {
        let place = CassetteFile.canonicalPath(path)
        guard let file = undoFile(of: place) else {
            throw CassetteError(.unreadable, path: path, "has no refresh that could be taken back.")
        }
        let turn = try FolderTurn(of: place)
        defer { turn.end() }
        guard !CassetteFile.hasRemains(place) else {
            throw CassetteError(
                .unwritable,
                path: path,
                "is being written by another process. Try again when that has ended."
            )
        }
        guard try force || file.lastPathComponent.hasSuffix(fingerprint(place)) else {
            throw CassetteError(
                .unwritable,
                path: path,
                "has been changed since its last refresh. --force takes that back with it."
            )
        }
        guard rename(file.path, place) == 0 else {
            throw CassetteError(.unwritable, path: path, "cannot be written: \(String(cString: strerror(errno))).")
        }
    }
}
