import GRDB
import HTTPMessages
import MockServeCore

/// What an interaction was at a moment, to see whether somebody has changed it since.
package struct InteractionFingerprint: Sendable, Equatable {
    fileprivate let content: [UInt8]

    fileprivate init?(_ number: Int64, _ db: Database) throws {
        guard let content = try MergeEntries.content(of: number, db) else { return nil }
        self.content = content
    }

    /// - Throws: `CassetteError` if it is not that any more.
    func check(_ number: Int64, _ db: Database, path: String) throws {
        guard try InteractionFingerprint(number, db) == self else {
            throw CassetteError(
                .unwritable,
                path: path,
                "was not changed: somebody else has changed interaction \(number) meanwhile. Do it again."
            )
        }
    }
}

extension CassetteReader {
    package func fingerprint(of number: Int64) throws -> InteractionFingerprint {
        guard let found = try read({ try InteractionFingerprint(number, $0) }) else {
            throw CassetteError(.unreadable, path: path, "has no interaction \(number).")
        }
        return found
    }
}
