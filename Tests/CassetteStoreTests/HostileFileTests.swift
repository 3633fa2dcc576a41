import CassetteSchema
import Foundation
import GRDB
import MockServeCore
import Testing

@testable import CassetteStore

/// Files somebody else may have made: an error that names the file, or safe play; never a crash.
@Suite struct HostileFileTests {
    private func good(_ path: String) throws {
        let writer = try CassetteWriter.make(path)
        for number in 0..<20 {
            let chunks = [ResponseChunk(offset: 0, size: 300_000)]
            writer.record(
                exchanged("/\(number)", chunks: chunks),
                response: Array(repeating: UInt8(number), count: 300_000)
            )
        }
        try writer.finish(keeping: true, now: 2_000)
    }

    /// Changes a good cassette by SQL.
    private func crafted(_ path: String, _ statements: String) throws {
        try good(path)
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA foreign_keys = OFF; " + statements) }
        try queue.close()
    }

    private func readEverything(_ path: String) throws {
        let reader = try CassetteReader(path: path)
        defer { reader.close() }
        _ = try reader.upstreams()
        _ = try reader.rules()
        try reader.forEach { interaction in
            _ = try reader.bytes(of: interaction.requestBody, limit: .max)
            _ = try reader.bytes(of: interaction.responseBody, limit: 1 << 20)
            return true
        }
    }

    @Test(arguments: [
        "CREATE VIEW v AS SELECT 1", "CREATE TRIGGER t AFTER INSERT ON body BEGIN SELECT 1; END",
        "CREATE TABLE extra (a)", "CREATE INDEX more ON interaction (status)", "DROP INDEX interaction_by_match_key",
        "ALTER TABLE interaction ADD COLUMN x TEXT", "ALTER TABLE body ADD COLUMN g INTEGER AS (size + 1)",
        "PRAGMA application_id = 7", "PRAGMA user_version = 99", "PRAGMA user_version = 0; DROP TABLE upstream",
    ])
    func anotherSchemaIsRefused(_ statements: String) throws {
        try withPath { path in
            try crafted(path, statements)
            let error = #expect(throws: CassetteError.self) { try CassetteReader(path: path) }
            #expect(error?.path == path)
            #expect(throws: CassetteError.self) { try CassetteWriter.make(path) }
        }
    }

    @Test func anotherEncodingIsRefused() throws {
        try withPath { path in
            let queue = try DatabaseQueue(path: path)
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA encoding = 'UTF-16'")
                for script in CassetteSchema.scripts { try db.execute(sql: script) }
                try db.execute(
                    sql:
                        "PRAGMA application_id = \(CassetteSchema.applicationID); PRAGMA user_version = \(CassetteSchema.version)"
                )
            }
            try queue.close()
            let errors = [
                #expect(throws: CassetteError.self) { try CassetteReader(path: path) },
                #expect(throws: CassetteError.self) { try CassetteWriter.make(path) },
            ]
            for error in errors {
                #expect(error?.description.contains("UTF-16") == true, "\(String(describing: error))")
            }
        }
    }

    @Test(arguments: [
        "UPDATE interaction SET request_fields = '[[\"a\"]]'", "UPDATE interaction SET response_fields = 'x'",
        "UPDATE interaction SET response_fields = '[[\"a\",\"b\\r\\nc\"]]'", "UPDATE interaction SET method = 'G T'",
        "UPDATE interaction SET target = '/a b'", "UPDATE interaction SET target = '/\u{20AC}'",
        "UPDATE interaction SET status = 7", "UPDATE interaction SET reason = 'a' || char(10)",
        "UPDATE interaction SET match_key = x'00'", "UPDATE interaction SET chunks = '[[0,1]]'",
        "UPDATE interaction SET chunks = '[[0,-1],[0,300001]]'",
        "UPDATE interaction SET chunks = '[[0,9223372036854775807]]'",
        "UPDATE interaction SET response_version = 'HTTP/3'",
        "UPDATE interaction SET informational = '[[200,null,[]]]'",
        "UPDATE interaction SET response_body_id = 999", "UPDATE body SET size = -1", "UPDATE body SET size = 1 << 62",
        "UPDATE body SET bytes = x''", "DELETE FROM body_slice", "UPDATE upstream SET origin = 'nonsense'",
        "INSERT INTO rule (action, part) VALUES ('ignore', 'nonsense')",
    ])
    func badValuesAreAnError(_ statement: String) throws {
        try withPath { path in
            try crafted(path, statement)
            let error = #expect(throws: CassetteError.self) { try readEverything(path) }
            #expect(error?.code == .damaged && error?.path == path)
        }
    }

    @Test func foreignFilesAreRefused() throws {
        try withPath { path in
            let contents: [Data] = [
                Data(), Data("text".utf8), Data("SQLite format 3\0".utf8), Data(repeating: 0, count: 10_000),
                Data("SQLite format 3\0".utf8) + Data(repeating: 0xFF, count: 8_192),
            ]
            for content in contents {
                try content.write(to: URL(fileURLWithPath: path))
                #expect(throws: CassetteError.self) { try CassetteReader(path: path) }
            }
        }
    }

    @Test func directoriesPipesAndMissingFilesAreRefused() throws {
        try withPath { path in
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            #expect(throws: CassetteError.self) { try CassetteReader(path: folder) }
            #expect(throws: CassetteError.self) { try CassetteReader(path: path) }
            try #require(mkfifo(path, 0o600) == 0)
            #expect(throws: CassetteError.self) { try CassetteReader(path: path) }
            #expect(throws: CassetteError.self) { try CassetteWriter.make(path) }
        }
    }

    @Test func truncatedFilesNeverCrash() throws {
        try withPath { path in
            try good(path)
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            for length in stride(from: 0, to: whole.count, by: whole.count / 60) {
                try whole.prefix(length).write(to: URL(fileURLWithPath: path))
                #expect(throws: CassetteError.self) { try readEverything(path) }
            }
        }
    }

    @Test func flippedBytesNeverCrash() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            for number in 0..<30 { writer.record(exchanged("/\(number)"), response: Array(repeating: 1, count: 50)) }
            try writer.finish(keeping: true, now: 2_000)
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            var state: UInt64 = 42
            var outcomes = (played: 0, refused: 0)
            for _ in 0..<400 {
                var bytes = whole
                for _ in 0..<8 {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 20)
                }
                try bytes.write(to: URL(fileURLWithPath: path))
                do {
                    try readEverything(path)
                    outcomes.played += 1
                } catch is CassetteError {
                    outcomes.refused += 1
                }
            }
            #expect(outcomes.played > 0 && outcomes.refused > 0)
        }
    }

    @Test(arguments: [
        "UPDATE body SET size = 9223372036854775807", "UPDATE body SET size = 9223372036854514688",
        "UPDATE interaction SET first_byte_ms = 9223372036854775807",
        "UPDATE interaction SET chunks = '[[1125899906842623,300000]]'",
        "UPDATE interaction SET chunks = '[[0,1125899906842623],[0,1125899906842623]]'",
        "UPDATE interaction SET chunks = '[[0,300000],[0,-1],[0,0]]'", "UPDATE interaction SET chunks = '[[0,-2]]'",
        "INSERT INTO placeholder VALUES ('token', 9223372036854775807)",
        "UPDATE interaction SET recorded_at = 9223372036854775807",
        "UPDATE interaction SET redacted = '[[\"request body\",\"x\"],[\"request\"]]'",
    ])
    func numbersThatLeadNowhereDoNoHarm(_ statements: String) throws {
        try withPath { path in
            try crafted(path, statements)
            do { try readEverything(path) } catch { #expect(error is CassetteError) }
            let playback = try PlaybackReader(path: path)
            _ = try playback.begin()
            do { _ = try playback.answer(1) } catch { #expect(error is CassetteError) }
            playback.close()
            do { _ = try CassetteEditor.add([try Rule(.ignore, "query:x")], to: path) } catch {
                #expect(error is CassetteError)
            }
            do {
                _ = try CassetteEditor.redact([try Rule(.redact, "field:X")], secrets: [], in: path)
            } catch {
                #expect(error is CassetteError)
            }
        }
    }
}
