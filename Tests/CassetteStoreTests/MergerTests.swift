import Foundation
import GRDB
import HTTPMessages
import MockServeCore
import Testing

@testable import CassetteStore

/// Merging cassettes: random histories on two sides give what both give when they are done by hand, one after the other.
@Suite struct MergerTests {
    private func text(_ path: String) throws -> [String] {
        let reader = try CassetteReader(path: path)
        defer { reader.close() }
        var blocks: [String] = []
        try reader.writeText { lines in
            // Rules and upstreams have an order, which does not matter here.
            if lines.first?.hasPrefix("=== ") == true {
                blocks.append(lines.joined(separator: "\n"))
            } else {
                blocks += lines
            }
        }
        return blocks
    }

    private func merge(_ base: String?, _ ours: String, _ theirs: String, into result: String) throws -> MergeOutcome {
        let older = try base.map { try CassetteReader(path: $0) }
        let other = try CassetteReader(path: theirs)
        defer {
            older?.close()
            other.close()
        }
        return try CassetteCopy.make(of: ours, to: result, overwrites: true) {
            try CassetteMerger.merge(base: older, theirs: other, into: $0)
        }
    }

    private func record(_ path: String, _ names: [String], _ word: String, _ mode: EpisodeMode = .all) throws {
        let writer = try CassetteWriter.make(path, mode)
        for name in names { writer.record(exchanged("/" + name), response: Array("\(word) \(name)".utf8)) }
        try writer.finish(keeping: true, now: 2_000)
    }

    private func number(of name: String, _ path: String) throws -> Int64? {
        let reader = try CassetteReader(path: path)
        defer { reader.close() }
        var found: Int64?
        try reader.eachNumber { number, _, target in if target == "/" + name { found = number } }
        return found
    }

    /// A step of somebody's history, in things that only this side touches.
    private func step(_ path: String, _ side: String, _ random: inout some RandomNumberGenerator) throws {
        let name = "\(side)\(Int.random(in: 0..<6, using: &random))"
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1: try record(path, [name], "word \(Int.random(in: 0..<100, using: &random))")
        case 2:
            guard let number = try number(of: name, path) else { return }
            _ = try CassetteEditor.remove([number...number], from: path)
        case 3: _ = try CassetteEditor.add([Rule(.ignore, "query:\(name)")], to: path)
        case 4:
            let head = ResponseHead(status: 200, fields: Fields([("X-Side", side)]))
            let stub = try StubDefinition("GET /stub/\(name)", StubConditions(), head)
            _ = try CassetteEditor.add(stub, body: Array(name.utf8), rules: [], secrets: [], to: path)
        default: try record(path, [name], "missing", .missing)
        }
    }

    @Test(arguments: 0..<12)
    func randomHistoriesMerge(_ seed: Int) throws {
        try withPath { path in
            let (base, ours, theirs, both, result) = (
                path, path + ".ours", path + ".theirs", path + ".both", path + ".result"
            )
            let names = ["ours0", "ours1", "theirs0", "theirs1", "stays"]
            try record(base, names, "base")
            for copy in [ours, theirs, both] { try FileManager.default.copyItem(atPath: base, toPath: copy) }
            for (side, file) in [("ours", ours), ("theirs", theirs)] {
                var (random, again) = (
                    Seeded(UInt64(seed) * 2 + (side == "ours" ? 1 : 2)),
                    Seeded(UInt64(seed) * 2 + (side == "ours" ? 1 : 2))
                )
                for _ in 0..<8 { try step(file, side, &random) }
                for _ in 0..<8 { try step(both, side, &again) }
            }
            #expect(try merge(base, ours, theirs, into: result).conflicts.isEmpty)
            #expect(try text(result).sorted() == text(both).sorted())
            // It is a whole cassette whose requests find their answers.
            let reader = try CassetteReader(path: result)
            #expect(try reader.damage() == [])
            try reader.proveKeys()
            reader.close()
            // The other way round, and with itself.
            #expect(try merge(base, theirs, ours, into: result + "2").conflicts.isEmpty)
            #expect(try text(result + "2").sorted() == text(result).sorted())
            for (left, right, expected) in [(ours, ours, ours), (ours, base, ours), (base, theirs, theirs)] {
                _ = try merge(base, left, right, into: result + "3")
                #expect(try text(result + "3") == text(expected))
            }
        }
    }

    @Test func conflictsHoldBothSides() throws {
        try withPath { path in
            let (ours, theirs, result) = (path + ".ours", path + ".theirs", path + ".result")
            try record(path, ["a", "b"], "base")
            for copy in [ours, theirs] { try FileManager.default.copyItem(atPath: path, toPath: copy) }
            try record(ours, ["a"], "ours")
            try record(theirs, ["a"], "theirs")
            let outcome = try merge(path, ours, theirs, into: result)
            #expect(outcome.conflicts == [Conflict(number: 1, kind: .interaction, ours: 1, theirs: 2)])
            let error = #expect(throws: CassetteError.self) { try CassetteWriter.make(result) }
            #expect(error?.description.contains("mockserve cassette resolve") == true)
            let other = try CassetteReader(path: theirs)
            defer { other.close() }
            #expect(throws: CassetteError.self) { try CassetteMerger.merge(base: nil, theirs: other, into: result) }
            // Git merges so where branches have crossed: the conflicts stay.
            let again = try CassetteMerger.merge(
                base: nil,
                theirs: other,
                allowsConflicts: true,
                into: result
            )
            #expect(again.conflicts == outcome.conflicts)
            #expect(throws: CassetteError.self) { try CassetteMerger.resolve(.ours, [7], in: result) }
            #expect(try CassetteMerger.resolve(.theirs, [1], in: result).count == 1)
            #expect(try text(result) == text(theirs))
            try CassetteWriter.make(result).finish(keeping: true, now: 3_000)
        }
    }

    @Test func longBodiesMessagesAndRunsAreCopied() throws {
        try withPath { path in
            let (ours, theirs) = (path + ".ours", path + ".theirs")
            let long = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
            try record(ours, ["a"], "x")
            let writer = try CassetteWriter.make(theirs)
            writer.record(exchanged("/long", chunks: [ResponseChunk(offset: 5, size: 700_000)]), response: long)
            writer.record(exchanged("/again"), response: long)
            try writer.finish(keeping: true, now: 2_000)
            let queue = try DatabaseQueue(path: theirs)
            try queue.write { db in
                try db.execute(sql: "INSERT INTO message VALUES (1, 1, 'client', 'text', 1, 7)")
            }
            try queue.close()
            _ = try merge(nil, ours, theirs, into: path)
            let reader = try CassetteReader(path: path)
            defer { reader.close() }
            let found = try #require(try reader.interaction(2))
            #expect(try reader.bytes(of: found.responseBody, limit: .max) == long)
            #expect(found.content.chunks == [ResponseChunk(offset: 5, size: 700_000)])
            #expect(try reader.interaction(3)?.responseBody?.id == found.responseBody?.id)
            #expect(
                try reader.number(
                    "SELECT count(*) FROM message WHERE interaction_id = 2 AND body_id = ?1",
                    [.integer(found.responseBody?.id ?? 0)]
                ) == 1
            )
        }
    }
}

private struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
