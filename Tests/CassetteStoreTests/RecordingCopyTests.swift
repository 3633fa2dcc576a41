import Foundation
import MockServeCore
import Testing

@testable import CassetteStore

@Suite struct RecordingCopyTests {
    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    private func files(beside path: String) throws -> [String] {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    private func record(_ target: String, _ path: String) throws {
        let writer = try CassetteWriter.make(path, .missing)
        writer.record(exchanged(target), response: [1, 2, 3])
        try writer.finish(keeping: true, now: 2_000)
    }

    @Test func whatIsNoFileIsRefused() throws {
        try withPath { path in
            try #require(mkfifo(path, 0o600) == 0)
            for place in [path, "/dev/null", URL(fileURLWithPath: path).deletingLastPathComponent().path] {
                let error = #expect(throws: CassetteError.self) { try RecordingCopy(of: place) }
                #expect(error?.path == place)
            }
        }
    }

    @Test func aLinkThatLeadsNowhereYetIsFollowed() throws {
        try withPath { path in
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent("real"),
                withIntermediateDirectories: false
            )
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "real/b.cassette")
            let copy = try RecordingCopy(of: path)
            try record("/a", copy.path)
            try copy.publish()
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "real/b.cassette")
            #expect(try CassetteReader(path: folder.appendingPathComponent("real/b.cassette").path).count() == 1)
        }
    }

    @Test func takesThePlaceOfTheCassetteOrLeavesItAsItWas() throws {
        try withPath { path in
            let first = try RecordingCopy(of: path)
            try record("/a", first.path)
            #expect(!FileManager.default.fileExists(atPath: path))
            try first.publish()
            #expect(try CassetteReader(path: path).count() == 1)
            let before = try bytes(path)

            let dropped = try RecordingCopy(of: path)
            try record("/b", dropped.path)
            dropped.discard()
            #expect(try bytes(path) == before)

            let kept = try RecordingCopy(of: path)
            try record("/c", kept.path)
            try kept.publish()
            #expect(try CassetteReader(path: path).count() == 2)
            #expect(try files(beside: path) == ["a.cassette"])
        }
    }

    /// Two runs of one test: the second does not take back what the first has recorded.
    @Test func aChangeMeanwhileIsNotLost() throws {
        try withPath { path in
            try record("/a", path)
            let (one, other) = (try RecordingCopy(of: path), try RecordingCopy(of: path))
            try record("/b", one.path)
            try record("/c", other.path)
            try one.publish()
            let error = #expect(throws: CassetteError.self) { try other.publish() }
            #expect(error?.reason.contains("meanwhile") == true)
            #expect(try CassetteReader(path: path).count() == 2)
            #expect(try files(beside: path) == ["a.cassette"])
        }
    }

    @Test func aLinkStaysOne() throws {
        try withPath { path in
            try record("/a", path)
            let link = path.replacing("a.cassette", with: "link.cassette")
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
            let before = try bytes(path)
            let copy = try RecordingCopy(of: link)
            try record("/b", copy.path)
            #expect(try bytes(path) == before)
            try copy.publish()
            #expect(try CassetteReader(path: link).count() == 2)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == path)
        }
    }

    @Test func whatKilledRunsLeaveIsRemoved() throws {
        try withPath { path in
            try record("/a", path)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["true"]
            try process.run()
            process.waitUntilExit()
            // A process that is dead, of this boot or an unknown one.
            let name = "mockserve-recording-\(process.processIdentifier)-x"
            let left = CassetteFile.hidden(path, name)
            try Data([1]).write(to: URL(fileURLWithPath: left))
            let copy = try RecordingCopy(of: path)
            #expect(!FileManager.default.fileExists(atPath: left))
            copy.discard()
            #expect(try files(beside: path) == ["a.cassette"])
        }
    }

    @Test func aCassetteThatIsBeingRecordedIntoIsRefused() throws {
        try withPath { path in
            try record("/a", path)
            let writer = try CassetteWriter.make(path, .missing)
            writer.record(exchanged("/b"), response: [1])
            #expect(throws: CassetteError.self) { try RecordingCopy(of: path) }
            try writer.finish(keeping: true, now: 3_000)
            #expect(try CassetteReader(path: path).count() == 2)
        }
    }

    /// A dry run of redaction changes no byte.
    @Test func aDryRunChangesNothing() throws {
        try withPath { path in
            try record("/a?token=hT5jR8wE1qNs6VbK3mXd", path)
            let before = try bytes(path)
            let rules = [try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")]
            let changes = try CassetteEditor.redact(rules, secrets: [], isDryRun: true, in: path)
            #expect(!changes.counts.isEmpty)
            #expect(try bytes(path) == before)
        }
    }
}
