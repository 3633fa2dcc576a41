import CassetteStore
import Foundation
import MockServe
import MockServeCore

/// What is wrong with a cassette, in words.
enum CassetteCheck {
    /// - Parameter maxSize: bytes; nil for any.
    static func findings(_ path: String, maxSize: Int? = nil) -> [String] {
        var findings: [String] = []
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int ?? 0
        if let maxSize, size > maxSize {
            findings.append("is \(ByteCount.text(size)) long; \(ByteCount.text(maxSize)) is the limit")
        }
        do {
            let reader = try CassetteReader(path: path)
            defer { reader.close() }
            findings += try reader.damage().map { "is damaged: \($0)" }
            let conflicts = try reader.conflicts()
            if !conflicts.isEmpty {
                findings.append("has \(Counted.text(conflicts.count, "conflict")): mockserve cassette resolve")
            }
            findings += try secrets(reader)
        } catch let error as CassetteError {
            findings.append(Console.safe(error.reason))
        } catch {
            findings.append(Console.safe(String(describing: error)))
        }
        return findings
    }

    private static func secrets(_ reader: CassetteReader) throws -> [String] {
        let catalog = try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")
        let found = try SecretScan.findings(reader, [catalog], KnownSecrets([], learned: LearnedSecrets()))
        return found.notes.map { subject, note in
            "\(subject.short): \(Console.safe(note.place)): \(SecretScan.kind(of: note))"
        }
            + found.unread.map { subject, place, reason in
                "\(subject.short): \(Console.safe(place)): not looked at: \(Console.safe(reason))"
            }
    }
}
