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

    /// What is wrong with the answers of a cassette that is whole.
    ///
    /// - Parameter maxAge: days; nil for any.
    static func answers(_ path: String, maxAge: Int? = nil) -> [String] {
        guard let reader = try? CassetteReader(path: path) else { return [] }
        defer { reader.close() }
        var findings: [String] = []
        do {
            try reader.proveKeys()
        } catch let error as CassetteError {
            findings.append(Console.safe(error.reason))
        } catch {
            findings.append(Console.safe(String(describing: error)))
        }
        do {
            findings += try reader.likenesses().map { Console.safe($0.description) }
            findings += try hidden(reader)
            let statistics = try reader.statistics()
            if statistics.orphans > 0 {
                let what = Counted.text(statistics.orphans, "body", "bodies")
                findings.append("has \(what) that nothing refers to: mockserve cassette compact")
            }
            if let maxAge, let oldest = statistics.oldest {
                let days = (Int64(Date().timeIntervalSince1970 * 1000) - oldest) / 86_400_000
                if days > maxAge {
                    findings.append("was recorded \(days) days ago, in part; \(maxAge) is the limit")
                }
            }
        } catch {
            findings.append(Console.safe((error as? CassetteError)?.reason ?? String(describing: error)))
        }
        return findings
    }

    /// Interactions that a stub keeps from being given.
    private static func hidden(_ reader: CassetteReader) throws -> [String] {
        let stubs = try reader.stubs().filter(\.stub.conditions.isEmpty)
        var index = StubIndex<Int64>()
        for stored in stubs { _ = index.insert(method: stored.stub.method, stored.stub.path, stored.number) }
        var findings: [String] = []
        try reader.forEach { interaction in
            let asked = AskedRequest(interaction.request)
            if let stub = index.matches(method: asked.method, path: asked.path).first {
                findings.append("#\(interaction.id) is never given: stub \(stub.value) answers before")
            }
            return true
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
