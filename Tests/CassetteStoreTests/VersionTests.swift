import CassetteSchema
import Crypto
import Foundation
import GRDB
import HTTPMessages
import MockServeCore
import Testing

@testable import CassetteStore

/// Cassettes of every version that was ever frozen are in the folder `Versions`. They stay as they are, and stay readable.
@Suite struct VersionTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Versions")

    static let files: [String] = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    private func around(_ path: String) throws -> [String] {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        return try FileManager.default.contentsOfDirectory(atPath: folder)
    }

    private func withCopy(_ name: String, _ body: (String) throws -> Void) throws {
        try withPath { path in
            try FileManager.default.copyItem(atPath: Self.folder.appendingPathComponent(name).path, toPath: path)
            try body(path)
        }
    }

    private func version(_ path: String) throws -> Int? {
        var configuration = Configuration()
        configuration.readonly = true
        return try DatabaseQueue(path: path, configuration: configuration).read {
            try Int.fetchOne($0, sql: "PRAGMA user_version")
        }
    }

    /// Everything that a reader sees, in words.
    private func content(_ path: String) throws -> [String] {
        let reader = try CassetteReader(path: path)
        defer { reader.close() }
        var lines = try reader.numberedRules().map { "rule \($0.number) \($0.rule.action.rawValue) \($0.rule.text)" }
        lines += try reader.upstreams().map { "upstream \($0.name) \($0.origin)" }
        try reader.forEach { interaction in
            let content = interaction.content
            var line =
                "\(interaction.id) \(Latin1.string(content.request.method)) \(Latin1.string(content.request.target)) "
            line +=
                "\(content.request.version.rawValue) \(FieldsJSON.encode(content.request.fields)) \(content.response.status) "
            line += "\(content.response.version.rawValue) \(FieldsJSON.encode(content.response.fields)) "
            line += "\(FieldsJSON.encode(content.responseTrailers)) \(content.informational.map(\.status)) "
            line +=
                "\(content.chunks.map(\.size)) \(content.cut.map { String(describing: $0.end) } ?? "") \(content.matchKey) "
            for body in [interaction.requestBody, interaction.responseBody] {
                let held = try reader.bytes(of: body, limit: .max) ?? []
                line += SHA256.hash(data: held).map { String(format: "%02x", $0) }.joined() + " "
            }
            lines.append(line)
            return true
        }
        return lines
    }

    @Test func thereIsOneOfEveryFrozenVersion() {
        #expect(Self.files.map { $0.prefix(5) } == ["v0001", "v0002", "v0003", "v0004"])
        // A released script is never edited: files that it made are checked against it.
        let digests = CassetteSchema.scripts.dropLast().map { script in
            SHA256.hash(data: Data(script.utf8)).map { String(format: "%02x", $0) }.joined()
        }
        #expect(
            digests == [
                "d5362d71c5b138f80347a02c08abd1be66d55d129195bace8b619a5fb397c773",
                "6c47b4ab024f85edb717ade4bee19ef7d7df302b1173dbc467d8f1dbb21c0652",
                "b7274012955da0c69e738ef629144c528b7b7a10ea7ac33821e9a0d999ff4782",
                "1e59d1cc22c4bd8c05dc51d4f8f163275558cd45585e0d7e7c37e67157a054be",
            ]
        )
    }

    @Test(arguments: files) func anOldFileIsReadWithoutBeingChanged(_ name: String) throws {
        try withCopy(name) { path in
            let before = try bytes(path)
            let lines = try content(path)
            #expect(lines.count > 15, "\(lines)")
            #expect(lines.contains { $0.contains("GET /chunks") && $0.contains("[103]") && $0.contains("X-Sum") })
            #expect(lines.contains { $0.contains("GET /old") && $0.contains("HTTP/1.0") && $0.contains("caf\u{E9}") })
            #expect(lines.contains { $0.contains("GET /cut") && $0.contains("close") })
            #expect(lines.contains { $0.contains("[redacted:") } && !lines.contains { $0.contains("tok-tok") })
            #expect(try bytes(path) == before)
            #expect(try around(path) == ["a.cassette"])
        }
    }

    @Test(arguments: files) func aWriterBringsItUpToDate(_ name: String) throws {
        try withCopy(name) { path in
            let before = try content(path)
            let writer = try CassetteWriter.make(path, .missing)
            try writer.finish(keeping: true, now: 2_000)
            #expect(try version(path) == CassetteSchema.version)
            // The run registers its upstream, and changes nothing else.
            #expect(try content(path).filter { $0 != "upstream default http://a" } == before)
            #expect(try around(path) == ["a.cassette"])
        }
    }

    /// As a kill leaves them: the log next to the file, and a run that did not end.
    @Test(arguments: files) func aReplayMendsAnOldFileWithoutChangingItsVersion(_ name: String) throws {
        try withCopy(name) { path in
            let before = try content(path)
            let copy = path + ".killed"
            var configuration = Configuration()
            configuration.allowsUnsafeTransactions = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.inDatabase { db in
                try db.execute(
                    sql: """
                        PRAGMA journal_mode = WAL;
                        INSERT INTO episode (mode, state, started_at, owner_pid) VALUES ('all', 'open', 1, 0);
                        INSERT INTO body (sha256, size, bytes) VALUES (x'00', 1, x'00')
                        """
                )
                for end in ["", "-wal"] { try FileManager.default.copyItem(atPath: path + end, toPath: copy + end) }
            }
            try queue.close()
            CassetteFile.recover(copy)
            #expect(!FileManager.default.fileExists(atPath: copy + "-wal"))
            #expect(try content(copy) == before)
            #expect(try String(version(copy) ?? 0) == String(name.dropFirst(4).prefix(1)))
        }
    }

    @Test func aNewFileHasTheNewestVersion() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            writer.record(exchanged("/a"))
            try writer.finish(keeping: true, now: 2_000)
            #expect(try version(path) == CassetteSchema.version)
        }
    }

    @Test(arguments: files) func aMigrationThatFailsLeavesTheFileAsItWas(_ name: String) throws {
        try withCopy(name) { path in
            let before = try bytes(path)
            // No copy can be made.
            let copy = CassetteMigration.copy(of: path)
            try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
            let error = #expect(throws: CassetteError.self) { try CassetteWriter.make(path, .missing) }
            #expect(error?.code == .unwritable && error?.path == path, "\(String(describing: error))")
            #expect(error?.reason.contains("cannot be made at \(copy)") == true)
            #expect(try bytes(path) == before)
            try FileManager.default.removeItem(atPath: copy)
            #expect(try CassetteEditor.remove([1...1], from: path) == 1)
            #expect(try version(path) == CassetteSchema.version)
        }
    }

    @Test(arguments: files) func whatAKilledMigrationLeftIsTakenAway(_ name: String) throws {
        try withCopy(name) { path in
            let copy = CassetteMigration.copy(of: path)
            for half in [Data(), Data("half of a copy".utf8), try bytes(path)] {
                try half.write(to: URL(fileURLWithPath: copy))
                let writer = try CassetteWriter.make(path, .missing)
                try writer.finish(keeping: true, now: 2_000)
                #expect(try around(path) == ["a.cassette"])
            }
        }
    }

    @Test(arguments: files) func severalWritersBringItUpToDateTogether(_ name: String) throws {
        try withCopy(name) { path in
            let before = try content(path).count
            DispatchQueue.concurrentPerform(iterations: 6) { number in
                do {
                    let writer = try CassetteWriter.make(path, .missing)
                    writer.record(exchanged("/of/\(number)"))
                    try writer.finish(keeping: true, now: 2_000)
                } catch {
                    Issue.record(error)
                }
            }
            #expect(try version(path) == CassetteSchema.version)
            #expect(try content(path).count == before + 1 + 6)
            #expect(try around(path) == ["a.cassette"])
        }
    }

    /// Who reads while it is brought up to date sees it as it was, or as it is then.
    @Test(arguments: files) func readersSeeOneVersionOrTheOther(_ name: String) throws {
        for _ in 0..<8 {
            try withCopy(name) { path in
                let count = try content(path).count
                DispatchQueue.concurrentPerform(iterations: 8) { number in
                    do {
                        if number == 0 {
                            let writer = try CassetteWriter.make(path, .missing)
                            try writer.finish(keeping: true, now: 2_000)
                        } else {
                            for _ in 0..<5 { try #expect(content(path).count >= count) }
                        }
                    } catch {
                        Issue.record(error)
                    }
                }
            }
        }
    }

    /// What was wrong with a file before, and harms nobody, is not in the way.
    @Test(arguments: files) func damageFromBeforeIsNotTheMigrationsDoing(_ name: String) throws {
        try withCopy(name) { path in
            var bytes = try bytes(path)
            let pageSize = Int(bytes[16]) << 8 | Int(bytes[17])
            let pages = bytes.count / pageSize + 1
            for (index, shift) in [24, 16, 8, 0].enumerated() { bytes[28 + index] = UInt8(pages >> shift & 255) }
            bytes.append(Data(count: pageSize))
            try bytes.write(to: URL(fileURLWithPath: path))
            for _ in 0..<2 {
                let writer = try CassetteWriter.make(path, .missing)
                try writer.finish(keeping: true, now: 2_000)
            }
            #expect(try version(path) == CassetteSchema.version)
            #expect(try around(path) == ["a.cassette"])
        }
    }

    @Test(arguments: files) func aReplayThatGoesOnMeanwhileSeesNoneOfIt(_ name: String) throws {
        try withCopy(name) { path in
            let reader = try CassetteReader(path: path)
            defer { reader.close() }
            let count = try reader.count()
            #expect(try CassetteEditor.remove([1...1], from: path) == 1)
            #expect(try reader.count() == count - 1)
        }
    }
}
