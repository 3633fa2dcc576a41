import Foundation
import GRDB
import HTTPMessages
import MockServeCore
import Testing

@testable import CassetteStore

/// Recording again: an answer that is the same leaves the file as it is, one that is not takes the place of the older one.
@Suite struct RerecordingTests {
    /// `GET /a=1` is a request, and what was answered.
    private func record(_ path: String, _ words: String, _ mode: EpisodeMode = .all) throws -> FinishedRecording {
        let writer = try CassetteWriter.make(path, mode)
        for word in words.split(separator: " ") {
            let parts = word.split(separator: "=")
            let isWrite = parts[0].hasPrefix("!")
            var content = exchanged("/" + parts[0].drop { $0 == "!" })
            if isWrite { content.request.method = Array("POST".utf8) }
            writer.record(content, response: Array(parts[1].utf8))
        }
        return try writer.finish(keeping: true, now: 2_000)
    }

    private func content(_ path: String) throws -> String {
        let reader = try CassetteReader(path: path)
        defer { reader.close() }
        var words: [String] = []
        try reader.forEach { interaction in
            let body = try reader.bytes(of: interaction.responseBody, limit: 1000) ?? []
            let mark = interaction.request.isSafe ? "" : "!"
            let name = Latin1.string(interaction.request.target).dropFirst()
            words.append("\(interaction.id):\(mark)\(name)=\(String(decoding: body, as: UTF8.self))")
            return true
        }
        return words.joined(separator: " ")
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    @Test(
        arguments: [
            // The same again, in another order, in part, twice.
            ("a=1 b=2 c=3", "a=1 b=2 c=3", EpisodeMode.all), ("a=1 b=2 c=3", "c=3 a=1 b=2", .all),
            ("a=1 b=2 c=3", "b=2", .all),
            ("a=1 a=2 b=1", "a=1 a=2", .all), ("a=1 !w=1 a=2", "a=1 !w=1 a=2", .all), ("a=1 b=2", "b=2 a=1", .rewrite),
            ("a=1 b=1 !w=1 a=2 b=2", "b=1 a=1 !w=1 b=2 a=2", .all),
        ]
    )
    func theSameChangesNoByte(_ before: String, _ again: String, _ mode: EpisodeMode) throws {
        try withPath { path in
            _ = try record(path, before)
            let file = try bytes(path)
            let finished = try record(path, again, mode)
            #expect(finished.isAsBefore)
            #expect(finished.unchanged == again.split(separator: " ").count)
            #expect(try bytes(path) == file)
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            let left = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
                $0.contains("mockserve-before")
            }
            #expect(left.isEmpty)
        }
    }

    @Test(
        arguments: [
            // A change keeps its number; what is new comes after what it was recorded after, or at the end.
            ("a=1 b=2 c=3", "a=1 b=9 c=3", EpisodeMode.all, "1:a=1 2:b=9 3:c=3"),
            ("a=1 b=2 c=3", "b=9", .all, "1:a=1 2:b=9 3:c=3"),
            ("a=1 b=2", "a=1 b=2 x=7", .all, "1:a=1 2:b=2 5:x=7"),
            ("a=1 b=2", "a=1 x=7 b=2", .all, "1:a=1 2:x=7 3:b=2"),
            ("a=1 b=2", "x=7 a=1 b=2", .all, "1:x=7 2:a=1 3:b=2"),
            // `rewrite` drops what was not recorded again, `all` keeps it.
            ("a=1 b=2 c=3", "c=3 a=1", .rewrite, "1:a=1 3:c=3"), ("a=1 b=2 c=3", "c=4", .rewrite, "3:c=4"),
            ("a=1 a=2 b=1", "a=1", .all, "1:a=1 3:b=1"), ("a=1 b=1", "a=1 a=2", .all, "1:a=1 2:b=1 4:a=2"),
            // Reads stay between the writes that they were between.
            ("a=1 !w=1 a=2", "a=1 !w=1 a=3", .all, "1:a=1 2:!w=1 3:a=3"),
            ("a=1 !w=1 b=2", "!w=1 a=1 b=2", .all, "2:!w=1 3:a=1 4:b=2"),
        ]
    )
    func aChangeTakesThePlaceOfTheOlderOne(_ before: String, _ again: String, _ mode: EpisodeMode, _ after: String)
        throws
    {
        try withPath { path in
            _ = try record(path, before)
            let finished = try record(path, again, mode)
            #expect(!finished.isAsBefore)
            #expect(try content(path) == after)
        }
    }

    @Test func newRulesAreAChange() throws {
        try withPath { path in
            _ = try record(path, "a=1")
            let file = try bytes(path)
            let writer = try CassetteWriter(
                path: path,
                mode: .all,
                upstreams: [],
                rules: [Rule(.ignore, "query:ts")],
                now: 1_000
            )
            writer.record(exchanged("/a"), response: Array("1".utf8))
            #expect(try !writer.finish(keeping: true, now: 2_000).isAsBefore)
            #expect(try bytes(path) != file)
            let reader = try CassetteReader(path: path)
            defer { reader.close() }
            #expect(try reader.rules().rules.contains(Rule(.ignore, "query:ts")))
        }
    }

    @Test func whatOthersAddMeanwhileStays() throws {
        try withPath { path in
            _ = try record(path, "a=1")
            let writer = try CassetteWriter.make(path, .all)
            writer.record(exchanged("/a"), response: Array("1".utf8))
            _ = try record(path, "b=2", .missing)
            _ = try writer.finish(keeping: true, now: 2_000)
            #expect(try content(path).contains("b=2"))
        }
    }

    @Test func twoRunsAtOnceLoseNothing() throws {
        try withPath { path in
            _ = try record(path, "a=1 b=2 c=3")
            let first = try CassetteWriter.make(path, .all)
            let second = try CassetteWriter.make(path, .all)
            first.record(exchanged("/a"), response: Array("4".utf8))
            second.record(exchanged("/c"), response: Array("5".utf8))
            first.record(exchanged("/d"), response: Array("6".utf8))
            _ = try first.finish(keeping: true, now: 2_000)
            second.record(exchanged("/b"), response: Array("7".utf8))
            _ = try second.finish(keeping: true, now: 2_000)
            let found = try content(path).split(separator: " ").map { $0.drop { $0 != ":" }.dropFirst() }
            #expect(Set(found) == ["a=4", "b=7", "c=5", "d=6"])
            #expect(found.count == 4)
        }
    }

    @Test func numbersThatChangedAreTold() throws {
        try withPath { path in
            _ = try record(path, "a=1 b=2")
            let finished = try record(path, "a=1 b=3 c=1")
            #expect([3, 4, 5].map { finished.numbers[$0] } == [1, 2, 5])
            #expect(finished.unchanged == 1)
        }
    }
}
