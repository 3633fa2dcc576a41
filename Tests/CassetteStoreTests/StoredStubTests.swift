import Foundation
import GRDB
import HTTPMessages
import MockServeCore
import Testing

@testable import CassetteStore

/// Stubs in a cassette: added, read, removed, and what a crafted file may hold.
@Suite struct StoredStubTests {
    private func stub(_ pattern: String = "GET /a/{id}", _ conditions: StubConditions = StubConditions()) throws
        -> StubDefinition
    {
        let head = ResponseHead(status: 201, reason: Array("Made".utf8), fields: Fields([("X-A", "b"), ("x-a", "c")]))
        return try StubDefinition(pattern, conditions, head, trailers: Fields([("X-End", "1")]), delay: 7)
    }

    private func add(_ stub: StubDefinition, _ body: [UInt8] = [1, 2, 3], to path: String) throws -> Int64 {
        try CassetteEditor.add(stub, body: body, rules: [], secrets: [], to: path).number
    }

    private func all(_ path: String) throws -> [(stored: StoredStub, body: [UInt8])] {
        let reader = try CassetteReader(path: path)
        defer { reader.close() }
        return try reader.loadedStubs().stubs
    }

    private func bodyCount(_ path: String) throws -> Int {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM body") ?? -1 }
    }

    @Test func areReadAsTheyWereAdded() throws {
        try withPath { path in
            let conditions = StubConditions(query: ["a": "b"], fields: ["X": "y"], body: .containing(["n": 1]))
            #expect(try add(stub("POST /x/**", conditions), to: path) == 1)
            let long = (0..<600_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
            #expect(try add(stub("* /y"), long, to: path) == 2)
            #expect(try add(stub("* /z"), long, to: path) == 3)
            #expect(try add(stub("GET /none"), [], to: path) == 4)
            let found = try all(path)
            #expect(found.map(\.stored.number) == [1, 2, 3, 4])
            #expect(found.map(\.stored.stub.pattern) == ["POST /x/**", "* /y", "* /z", "GET /none"])
            #expect(found.map(\.body) == [[1, 2, 3], long, long, []])
            let first = try #require(found.first).stored.stub
            #expect(first.conditions == conditions)
            #expect(first.response == (try stub()).response)
            #expect(first.trailers == Fields([("X-End", "1")]))
            #expect(first.delay == 7)
            // Equal bodies are stored once.
            #expect(try bodyCount(path) == 2)
        }
    }

    @Test func areRemovedWithTheirBodies() throws {
        try withPath { path in
            for number in 0..<3 { _ = try add(stub(), [UInt8(number)], to: path) }
            try CassetteEditor.removeStubs([2...2, 2...2], from: path)
            #expect(try all(path).map(\.stored.number) == [1, 3])
            #expect(try bodyCount(path) == 2)
            let error = #expect(throws: CassetteError.self) { try CassetteEditor.removeStubs([1...2], from: path) }
            #expect(error?.description.contains("has no stub 2, the end of 1-2; nothing was removed") == true)
            #expect(try all(path).count == 2)
        }
    }

    @Test func stayWhenInteractionsAreRemovedAndRecorded() throws {
        try withPath { path in
            _ = try add(stub(), Array("kept".utf8), to: path)
            for mode in [EpisodeMode.all, .rewrite] {
                let writer = try CassetteWriter.make(path, mode)
                writer.record(exchanged("/a"), response: Array("recorded".utf8))
                try writer.finish(keeping: true, now: 2_000)
            }
            let reader = try CassetteReader(path: path)
            let newest = try reader.newestID()
            reader.close()
            #expect(try CassetteEditor.remove([newest...newest], from: path) == 1)
            // A run that records nothing leaves no cassette that it has made, but this one is older.
            try CassetteWriter.make(path).finish(keeping: true, now: 3_000)
            #expect(try all(path).map(\.body) == [Array("kept".utf8)])
        }
    }

    @Test func theirStateChangesWithThem() throws {
        try withPath { path in
            func state() throws -> StubState {
                let reader = try CassetteReader(path: path)
                defer { reader.close() }
                return try reader.loadedStubs().state
            }
            _ = try add(stub(), [1], to: path)
            let first = try state()
            #expect(try state() == first)
            // It gets the same numbers, and everything is as long as before.
            try CassetteEditor.removeStubs([1...1], from: path)
            #expect(try state() == .none)
            #expect(try add(stub(), [2], to: path) == 1)
            let second = try state()
            #expect(second != first)
            try CassetteEditor.removeStubs([1...1], from: path)
            #expect(try add(stub("GET /b/{id}"), [2], to: path) == 1)
            #expect(try state() != second)
        }
    }

    @Test func whatCannotBeAddedLeavesNothing() throws {
        try withPath { path in
            let secret = StubConditions(fields: ["Authorization": "Bearer tz9Lk2mQ8vXw4Rb7"])
            let rules = [try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")]
            let error = #expect(throws: CassetteError.self) {
                try CassetteEditor.add(stub("GET /a", secret), body: [], rules: rules, secrets: [], to: path)
            }
            #expect(
                error?.description.contains("a secret in what the stub GET /a asks for (request field Authorization)")
                    == true
            )
            #expect(!FileManager.default.fileExists(atPath: path))
            let tooLong = Array(repeating: UInt8(0), count: StubSQL.bodyLimit + 1)
            #expect(throws: CassetteError.self) { try add(stub(), tooLong, to: path) }
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func areAddedWhileSomebodyRecordsButRulesAreNot() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            writer.record(exchanged("/a"))
            _ = try add(stub(), to: path)
            let rules = [try Rule(.ignore, "query:ts")]
            let error = #expect(throws: CassetteError.self) {
                try CassetteEditor.add(stub(), body: [], rules: rules, secrets: [], to: path)
            }
            #expect(error?.description.contains("is being recorded into") == true)
            try writer.finish(keeping: true, now: 2_000)
            #expect(try all(path).count == 1)
        }
    }

    @Test func thereIsRoomForSoMany() throws {
        try withPath { path in
            let full = Array(repeating: UInt8(1), count: StubSQL.bodyLimit)
            _ = try add(stub(), to: path)
            let count = StubSQL.memoryLimit / StubSQL.bodyLimit - 1
            for number in 0..<count {
                var body = full
                body[0] = UInt8(number)
                _ = try add(stub(), body, to: path)
            }
            let error = #expect(throws: CassetteError.self) { try add(stub(), full, to: path) }
            #expect(error?.description.contains("has no room for that") == true)
            #expect(error?.description.contains("mockserve cassette stub remove") == true)
            // What was added can be replayed.
            #expect(try all(path).count == count + 1)
        }
    }

    @Test func whatANewStubShowsToBeSecretIsReplacedInWhatWasThere() throws {
        try withPath { path in
            let rules = [try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")]
            let secret = "Qx7LmPz93kVbNt55rWyUeHh21"
            let writer = try CassetteWriter.make(path)
            writer.record(exchanged("/a"), response: Array("plain \(secret)".utf8))
            try writer.finish(keeping: true, now: 2_000)
            _ = try add(stub("GET /1"), Array("plain \(secret)".utf8), to: path)
            let cookie = ResponseHead(status: 200, fields: Fields([("Set-Cookie", "sid=\(secret)")]))
            let second = try StubDefinition("GET /2", StubConditions(), cookie)
            _ = try CassetteEditor.add(second, body: [], rules: rules, secrets: [], to: path)
            let file = try Data(contentsOf: URL(fileURLWithPath: path))
            #expect(file.range(of: Data(secret.utf8)) == nil)
        }
    }

    @Test func addersOfANewCassetteDoNotTakeItFromOneAnother() async throws {
        for _ in 0..<20 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).cassette").path
                defer { try? FileManager.default.removeItem(atPath: path) }
                let rules = [try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")]
                let secret = StubConditions(fields: ["Authorization": "Bearer tz9Lk2mQ8vXw4Rb7"])
                let (bad, good) = (try stub("GET /bad", secret), try stub("GET /good"))
                group.addTask { _ = try? CassetteEditor.add(bad, body: [], rules: rules, secrets: [], to: path) }
                group.addTask {
                    #expect(throws: Never.self) {
                        try CassetteEditor.add(good, body: [1], rules: [], secrets: [], to: path)
                    }
                }
                try await group.waitForAll()
                #expect(try all(path).map(\.stored.stub.pattern) == ["GET /good"])
            }
        }
    }

    /// What is a secret in one place is one everywhere.
    @Test func whatAStubShowsToBeSecretIsReplacedEverywhere() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            writer.record(exchanged("/a"), response: Array("value tz9Lk2mQ8vXw4Rb7 ends".utf8))
            try writer.finish(keeping: true, now: 2_000)
            _ = try add(stub("GET /plain"), Array("value tz9Lk2mQ8vXw4Rb7 ends".utf8), to: path)
            _ = try add(stub("GET /login"), Array(#"{"access_token":"tz9Lk2mQ8vXw4Rb7"}"#.utf8), to: path)
            // A stub that asks for a secret has it replaced in its answer.
            let asking = StubConditions(query: ["token": "tz9Lk2mQ8vXw4Rb7"])
            _ = try add(stub("GET /asks", asking), Array("value tz9Lk2mQ8vXw4Rb7 ends".utf8), to: path)
            let rules = [try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")]
            let changes = try CassetteEditor.redact(rules, secrets: [], in: path)
            #expect(changes.keptInStubs.map(\.stub) == [3])
            let reader = try CassetteReader(path: path)
            defer { reader.close() }
            let interaction = try #require(try reader.interaction(1))
            let bodies = try [reader.bytes(of: interaction.responseBody, limit: 1000) ?? []] + all(path).map(\.body)
            for body in bodies { #expect(!String(decoding: body, as: UTF8.self).contains("tz9Lk2mQ8vXw4Rb7")) }
        }
    }

    @Test(
        arguments: [
            ("pattern = 'nonsense'", "no method and path"), ("pattern = 'GET nowhere'", "makes no sense"),
            ("pattern = ''", "no method and path"), ("conditions = '{'", "cannot be read"),
            ("conditions = '{\"newer\":1}'", "`newer` is not a condition"), ("status = 99", "its status is 99"),
            ("status = 9223372036854775807", "its status is"), ("delay_ms = 3600001", "an hour is the most"),
            ("delay_ms = -5", "an hour is the most"), ("reason = 'a' || char(13, 10) || 'X: y'", "reason is malformed"),
            ("response_fields = '[[\"A\",\"b\\r\\nX: y\"]]'", "response_fields is malformed"),
            ("response_fields = 'x'", "response_fields is malformed"),
            ("response_trailers = '{}'", "response_trailers is malformed"),
            ("response_body_id = 77", "response_body_id is malformed"),
        ]
    )
    func aCraftedOneIsAnError(_ change: String, _ reason: String) throws {
        try withPath { path in
            _ = try add(stub(), to: path)
            let queue = try DatabaseQueue(path: path)
            try queue.writeWithoutTransaction {
                try $0.execute(sql: "PRAGMA foreign_keys = OFF; UPDATE stub SET \(change)")
            }
            try queue.close()
            let error = #expect(throws: CassetteError.self) { try all(path) }
            #expect(error?.description.contains("stub 1: ") == true, "\(error?.description ?? "")")
            #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        }
    }

    @Test func secretsInThemAreRedactedLater() throws {
        try withPath { path in
            let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
            _ = try add(stub(), Array("token \(secret)".utf8), to: path)
            _ = try add(stub("GET /b", StubConditions(query: ["token": secret], body: nil)), to: path)
            _ = try add(stub("GET /c"), Array("plain".utf8), to: path)
            var seen: [Int64] = []
            let rules = [try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")]
            let changes = try CassetteEditor.redact(
                rules,
                secrets: [],
                in: path,
                { _, _ in },
                ofStub: { id, _ in seen.append(id) }
            )
            #expect(seen == [1])
            #expect(changes.counts == ["github-token": 1])
            #expect(changes.keptInStubs.map(\.stub) == [2])
            let bytes = try all(path).map { String(decoding: $0.body, as: UTF8.self) }
            #expect(bytes[0] == "token redacted.github-token.1")
            #expect(bytes[2] == "plain")
            try CassetteEditor.removeStubs([2...2], from: path)
            let file = try Data(contentsOf: URL(fileURLWithPath: path))
            #expect(file.range(of: Data(secret.utf8)) == nil)
        }
    }
}
