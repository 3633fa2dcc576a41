import Foundation
import GRDB
import HTTPMessages
import MockServeCore
import Testing

@testable import CassetteStore

/// What an interruption, another process or a removal leaves of a cassette.
@Suite struct InterruptionTests {
    private func make(_ path: String, _ targets: [String] = ["/a", "/b"], _ mode: EpisodeMode = .once) throws {
        let writer = try CassetteWriter.make(path, mode)
        for target in targets { writer.record(exchanged(target), response: Array(repeating: 7, count: 200_000)) }
        try writer.finish(keeping: true, now: 2_000)
    }

    /// The files as a kill in the middle of a change leaves them: written pages, and the journal that rolls them back.
    private func interrupt(_ path: String, into copy: String) throws {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.inDatabase { db in
            try db.execute(sql: "PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE body SET bytes = zeroblob(200000)")
            for name in ["", "-journal"] { try FileManager.default.copyItem(atPath: path + name, toPath: copy + name) }
            try db.execute(sql: "ROLLBACK")
        }
        try queue.close()
    }

    @Test func aReaderTakesAnInterruptedChangeBack() throws {
        try withPath { path in
            try make(path)
            let copy = path + ".copy"
            try interrupt(path, into: copy)
            let reader = try CassetteReader(path: copy)
            defer { reader.close() }
            let body = try #require(try reader.interaction(1)?.responseBody)
            #expect(try reader.slice(0, of: body).allSatisfy { $0 == 7 })
            #expect(!FileManager.default.fileExists(atPath: copy + "-journal"))
        }
    }

    @Test func aWriterTakesItBackToo() throws {
        try withPath { path in
            try make(path)
            let copy = path + ".copy"
            try interrupt(path, into: copy)
            CassetteFile.recover(copy)
            #expect(!FileManager.default.fileExists(atPath: copy + "-journal"))
            #expect(try CassetteEditor.remove([1...1], from: copy) == 1)
        }
    }

    @Test func whatAnInterruptedCreationLeftIsInNobodysWay() throws {
        try withPath { path in
            let draft = CassetteFile.draft(of: path)
            for name in ["", "-journal"] { try Data("half".utf8).write(to: URL(fileURLWithPath: draft + name)) }
            #expect(throws: CassetteError.self) { try CassetteReader(path: path) }
            try make(path)
            #expect(try CassetteReader(path: path).count() == 2)
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.cassette"])
        }
    }

    @Test func aFileThatIsRemovedWhileItIsRecordedIsNoticedAtTheNextAnswer() throws {
        try withPath { path in
            let outcomes = Outcomes()
            let writer = try CassetteWriter.make(path)
            try FileManager.default.removeItem(atPath: path)
            writer.record(exchanged("/a"), outcomes)
            let error = #expect(throws: CassetteError.self) { try writer.finish(keeping: true, now: 2_000) }
            #expect(outcomes.failures == 1 && error?.code == .unwritable)
        }
    }

    @Test func anOwnerIsKnownByMoreThanItsNumber() {
        let own = RunOwner.current
        #expect(own.isAlive && own.isKnown)
        // Written by an older program: a number alone.
        #expect(RunOwner(Int64(getpid())).isAlive && RunOwner(Int64(getpid())).isKnown)
        // The number of this process, from another time.
        let later = RunOwner(own.value ^ 1 << 30)
        #expect(!later.isAlive && later.isKnown)
        // From another container.
        #expect(!RunOwner(own.value ^ 1 << 50).isKnown)
        for value in [0, -1, Int64.min, .max] { #expect(!RunOwner(value).isAlive) }
    }

    @Test func aRunOfAnotherContainerIsOverOnceNobodyHasTheCassetteOpen() throws {
        try withPath { path in
            try make(path)
            let (queue, _) = try CassetteFile.openForWriting(path)
            try queue.inDatabase { db in
                try db.execute(sql: "PRAGMA journal_mode = WAL")
                try db.query(
                    "INSERT INTO episode (mode, state, started_at, owner_pid) VALUES ('once', 'open', 1, ?1)",
                    [.integer(RunOwner.current.value ^ 1 << 50)]
                )
                #expect(try EpisodeSQL.hasRunsOfOthers(db))
            }
            let second = try CassetteFile.openForWriting(path).queue
            // The first connection may belong to another run.
            #expect(try second.inDatabase { try EpisodeSQL.provesOthersDead($0) } == false)
            try queue.close()
            #expect(try second.inDatabase { try EpisodeSQL.provesOthersDead($0) })
            try second.inDatabase { db in
                try db.inTransaction {
                    try EpisodeSQL.finishInterrupted(db, noneIsAlive: true)
                    return .commit
                }
                #expect(try !EpisodeSQL.hasRunsOfOthers(db))
            }
            try second.close()
        }
    }

    @Test func twoProcessesGiveDifferentNumbers() throws {
        try withPath { path in
            try make(path)
            let (queue, _) = try CassetteFile.openForWriting(path)
            try queue.inDatabase { db in
                try PlaceholderSQL.raise(["token": 7], db)
                #expect(try PlaceholderSQL.reserve(db, hasOthers: false).floor == 0)
                let second = try PlaceholderSQL.reserve(db, hasOthers: true)
                let third = try PlaceholderSQL.reserve(db, hasOthers: true)
                #expect(second.last["token"] == 7 && second.floor > 7 && third.floor > second.floor)
            }
            try queue.close()
        }
    }

    @Test func aRunThatRewritesTakesThePlaceOfAllThatWasRecorded() throws {
        try withPath { path in
            try make(path)
            let hand = try CassetteWriter.make(path, .hand)
            hand.record(exchanged("/hand"))
            try hand.finish(keeping: true, now: 2_000)
            func targets() throws -> [String] {
                let reader = try CassetteReader(path: path)
                defer { reader.close() }
                var found: [String] = []
                try reader.eachNumber { found.append($2) }
                return found
            }
            let dropped = try CassetteWriter.make(path, .rewrite)
            dropped.record(exchanged("/c"))
            try dropped.finish(keeping: false, now: 3_000)
            #expect(try targets() == ["/a", "/b", "/hand"])
            try CassetteWriter.make(path, .rewrite).finish(keeping: true, now: 3_000)
            #expect(try targets() == ["/a", "/b", "/hand"])
            let kept = try CassetteWriter.make(path, .rewrite)
            kept.record(exchanged("/c"))
            try kept.finish(keeping: true, now: 3_000)
            #expect(try targets() == ["/hand", "/c"])
        }
    }

    @Test(arguments: [EpisodeMode.all, .rewrite])
    func whatARunReplacesLeavesNoTrace(_ mode: EpisodeMode) throws {
        try withPath { path in
            let secret = "a-secret-of-before"
            let older = try CassetteWriter.make(path)
            for number in 0..<50 {
                older.record(exchanged("/a"), response: Array("\(number) \(secret) \(number)".utf8))
                older.record(
                    exchanged("/a"),
                    response: Array(repeatElement(secret, count: 2_000 + number).joined().utf8)
                )
            }
            try older.finish(keeping: true, now: 2_000)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)).range(of: Data(secret.utf8)) != nil)
            let newer = try CassetteWriter.make(path, mode)
            newer.record(exchanged("/a"), response: Array("harmless".utf8))
            try newer.finish(keeping: true, now: 3_000)
            #expect(try CassetteReader(path: path).count() == 1)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)).range(of: Data(secret.utf8)) == nil)
        }
    }

    @Test func aRunThatWasKilledTakesNobodysPlace() throws {
        try withPath { path in
            try make(path, ["/a", "/b"])
            try make(path, ["/a"], .missing)
            let (queue, _) = try CassetteFile.openForWriting(path)
            try queue.inDatabase { db in
                try db.query(
                    "UPDATE episode SET mode = 'all', state = 'open', owner_pid = ?1 WHERE id = 2",
                    [.integer(RunOwner.current.value ^ 1 << 30)]
                )
            }
            try queue.close()
            try make(path, ["/c"])
            var targets: [String] = []
            try CassetteReader(path: path).eachNumber { _, _, target in targets.append(target) }
            #expect(targets == ["/a", "/b", "/a", "/c"])
        }
    }

    @Test func rulesDoNotChangeWhileARunGoesOn() throws {
        try withPath { path in
            try make(path)
            let rule = try Rule(.ignore, "query:ts")
            let writer = try CassetteWriter.make(path, .missing)
            #expect(throws: CassetteError.self) { try CassetteEditor.add([rule], to: path) }
            #expect(throws: CassetteError.self) { try CassetteEditor.removeRules([1], from: path) }
            #expect(throws: CassetteError.self) {
                try CassetteEditor.redact([Rule(.redact, "json:pin")], secrets: [], in: path)
            }
            #expect(throws: CassetteError.self) {
                try CassetteWriter(path: path, mode: .missing, upstreams: [], rules: [rule], now: 1)
            }
            // A run without other rules may record at the same time.
            try CassetteWriter.make(path, .missing).finish(keeping: true, now: 2_000)
            writer.record(exchanged("/c?ts=1"))
            try writer.finish(keeping: true, now: 2_000)
            _ = try CassetteEditor.add([rule], to: path)
            #expect(try CassetteReader(path: path).numberedRules().contains { $0.rule == rule })
        }
    }

    /// Nobody can ask whether that process lives, but nobody has the file open.
    @Test func rulesOfACassetteAreNotHeldByARunThatWasKilledElsewhere() throws {
        try withPath { path in
            try make(path)
            let (queue, _) = try CassetteFile.openForWriting(path)
            try queue.inDatabase { db in
                try db.query(
                    "INSERT INTO episode (mode, state, started_at, owner_pid) VALUES ('once', 'open', 1, ?1)",
                    [.integer(RunOwner.current.value ^ 1 << 50)]
                )
            }
            try queue.close()
            let rule = try Rule(.ignore, "query:ts")
            _ = try CassetteEditor.add([rule], to: path)
            #expect(try CassetteReader(path: path).numberedRules().contains { $0.rule == rule })
        }
    }

    @Test(arguments: [EpisodeMode.all, .rewrite])
    func aRunReplacesOnlyWhatWasThereWhenItBegan(_ mode: EpisodeMode) throws {
        try withPath { path in
            try make(path, ["/old", "/a"])
            let writer = try CassetteWriter.make(path, mode)
            let other = try CassetteWriter.make(path, .missing)
            for target in ["/a", "/new"] { other.record(exchanged(target)) }
            try other.finish(keeping: true, now: 2_000)
            writer.record(exchanged("/a"))
            try writer.finish(keeping: true, now: 3_000)
            var targets: [String] = []
            try CassetteReader(path: path).eachNumber { _, _, target in targets.append(target) }
            #expect(targets == (mode == .all ? ["/old"] : []) + ["/a", "/a", "/new"])
        }
    }

    @Test func whatCouldNotBeRecordedAnewStays() throws {
        try withPath { path in
            try make(path, ["/a", "/b"])
            let writer = try CassetteWriter.make(path, .rewrite)
            writer.record(exchanged("/a"))
            try writer.finish(keeping: true, isComplete: false, now: 3_000)
            var targets: [String] = []
            try CassetteReader(path: path).eachNumber { _, _, target in targets.append(target) }
            #expect(targets == ["/a", "/b"])
        }
    }

    @Test(arguments: [":memory:", "file:a?mode=memory", "-a.cassette"])
    func oddNamesAreNames(_ name: String) throws {
        try withPath { path in
            let odd = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(name).path
            try make(odd)
            #expect(FileManager.default.fileExists(atPath: odd))
            #expect(CassetteFile.databasePath(name) == "./" + name)
        }
    }

    @Test func manyPagesAreGivenBackByWritingTheFileAnew() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            for number in 0..<2 {
                writer.record(
                    exchanged("/\(number)"),
                    response: Array(repeating: UInt8(number), count: 60 << 20)
                )
            }
            try writer.finish(keeping: true, now: 2_000)
            func size() throws -> Int {
                try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
            }
            #expect(try size() > 120 << 20)
            #expect(try CassetteEditor.remove([1...1], from: path) == 1)
            #expect(try size() < 70 << 20)
            let reader = try CassetteReader(path: path)
            let body = try #require(try reader.interaction(2)?.responseBody)
            #expect(try reader.slice(239, of: body).count == BodySlices.size)
        }
    }
}
