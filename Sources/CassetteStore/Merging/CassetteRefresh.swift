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

    /// Replaces answers by newer ones from other cassettes. The file as it was is kept for `undo`.
    ///
    /// - Parameter answers: numbers here, and in a source.
    /// - Throws: `CassetteError`; then nothing was changed.
    package static func takeOver(
        _ answers: [(source: CassetteReader, pairs: [(old: Int64, before: InteractionFingerprint, new: Int64)])],
        in path: String
    ) throws {
        try keepingForUndo(path) {
            try change(path) { db in
                try EpisodeSQL.refuseWhileOpen(db, path: path)
                for (source, pairs) in answers {
                    try source.read { other in
                        var copy = try RowCopy(from: other, to: db)
                        for (old, before, new) in pairs {
                            try before.check(old, db, path: path)
                            try copy.answer(new, to: old)
                        }
                        try PlaceholderSQL.raise(try PlaceholderSQL.last(other), db)
                    }
                }
                try EpisodeSQL.removeUnused(db)
                _ = try RuleSQL.recomputeKeys(db, path: path)
            }
        }
    }

    /// Runs `body`, which changes the cassette. The file as it was is kept for `undo`.
    package static func keepingForUndo<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        let place = CassetteFile.canonicalPath(path)
        let before = CassetteFile.hidden(place, "\(CassetteCopy.purpose)-\(RunOwner.current.value)-undo")
        try CassetteCopy.make(of: path, to: before, overwrites: true) { _ in }
        defer { unlinkAll(before) }
        let result = try body()
        removeUndo(of: place)
        // Without a place for it, the change stands, and cannot be taken back.
        guard let folder = undoFolder, let digest = try? fingerprint(place) else { return result }
        try? FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let file = "\(folder)/\(undoName(of: place))\(digest).cassette"
        try? FileManager.default.moveItem(atPath: before, toPath: file)
        return result
    }

    private static func unlinkAll(_ path: String) {
        for end in ["", "-journal", "-wal", "-shm"] { unlink(path + end) }
    }

    /// In the folder for state (XDG Base Directory Specification), so that it is in nobody's way, and in no repository; nil if
    /// there is no home.
    private static var undoFolder: String? {
        let environment = ProcessInfo.processInfo.environment
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return "\(state)/mockserve/undo" }
        return environment["HOME"].flatMap { $0.hasPrefix("/") ? "\($0)/.local/state/mockserve/undo" : nil }
    }

    private static func undoName(of place: String) -> String { ShortDigest.hexadecimal(place) + "-" }

    private static func fingerprint(_ path: String) throws -> String {
        let digest = SHA256.hash(data: try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped))
        return digest.prefix(8).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    private static func undoFile(of place: String) -> String? {
        guard let folder = undoFolder else { return nil }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.first { $0.hasPrefix(undoName(of: place)) }.map { "\(folder)/\($0)" }
    }

    /// Removes what is kept for `undo`: it holds what was there before.
    static func removeUndo(of path: String) {
        if let file = undoFile(of: CassetteFile.canonicalPath(path)) { unlink(file) }
    }

    /// Takes the last refresh or import back.
    ///
    /// - Throws: `CassetteError` if there is none, or the cassette has been changed since.
    package static func undo(_ path: String, force: Bool, isDryRun: Bool = false) throws {
        let place = CassetteFile.canonicalPath(path)
        guard let file = undoFile(of: place) else {
            throw CassetteError(.unreadable, path: path, "has no refresh or import that could be taken back.")
        }
        guard try force || file.hasSuffix("\(fingerprint(place)).cassette") else {
            throw CassetteError(
                .unwritable,
                path: path,
                "has been changed since its last refresh or import. --force takes that back with it."
            )
        }
        guard !isDryRun else { return }
        // That takes the copy away, too.
        try CassetteCopy.make(of: file, to: path, overwrites: true) { _ in }
    }
}
