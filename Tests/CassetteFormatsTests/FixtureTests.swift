import CassetteFormats
import Foundation
import MockServeCore
import Testing

/// Files as tools write them, with what must come out of each in a file beside it.
@Suite struct FixtureTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")

    static let names: [String] = {
        let walk = FileManager.default.enumerator(atPath: folder.path)
        let names = walk.map { $0.compactMap { $0 as? String } } ?? []
        return names.filter { $0.hasSuffix(".expected") }.map { String($0.dropLast(9)) }.sorted()
    }()

    @Test func areThere() { #expect(Self.names.count >= 40) }

    @Test(arguments: names) func comesOut(_ name: String) throws {
        let file = Self.folder.appendingPathComponent(name)
        let expected = try String(contentsOf: file.appendingPathExtension("expected"), encoding: .utf8)
        var lines: [String]
        do {
            let source = try ByteSource.open(file.path)
            var bytes: [UInt8] = []
            while true {
                let piece = try source.next()
                if piece.isEmpty { break }
                bytes += piece
            }
            let reading = try Reading(bytes, name: name, folder: file.deletingLastPathComponent().path)
            lines = reading.interactions.flatMap { InteractionLines.lines($0) }
            lines +=
                reading.stubs.flatMap { StubLines.lines($0) }
            lines += InteractionLines.lines(reading.losses)
        } catch let error as FormatError {
            lines = [InteractionLines.line(error)]
        }
        let found = lines.joined(separator: "\n") + "\n"
        try write(found, name)
        #expect(found == expected)
    }

    /// To see what comes out of a new file, or what has changed: FIXTURE_OUTPUT names a folder for it.
    private func write(_ found: String, _ name: String) throws {
        guard let folder = ProcessInfo.processInfo.environment["FIXTURE_OUTPUT"] else { return }
        let file = URL(fileURLWithPath: folder).appendingPathComponent(name + ".expected")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try found.write(to: file, atomically: true, encoding: .utf8)
    }
}

/// What is said about formats elsewhere.
@Suite struct KnownFormatTests {
    @Test func everyFormatIsInTheGuide() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let guide = try String(contentsOf: root.appendingPathComponent("docs/formats.md"), encoding: .utf8)
        for name in Set(KnownFormats.readable.map(\.name) + KnownFormats.writable.map(\.name)) {
            #expect(guide.contains("`\(name)`"), "\(name)")
        }
        for ending in KnownFormats.fileEndings { #expect(guide.contains("`.\(ending)`"), "\(ending)") }
        #expect(Set(KnownFormats.readable.map(\.name)).count == KnownFormats.readable.count)
        #expect(Set(KnownFormats.writable.map(\.name)).count == KnownFormats.writable.count)
    }

    @Test(arguments: FixtureTests.names) func isRecognizedByOneFormatOnly(_ name: String) throws {
        let source = try ByteSource.open(FixtureTests.folder.appendingPathComponent(name).path)
        let start = try FileStart(source)
        let found = KnownFormats.readable.filter { $0.recognizes(start) }.map(\.name)
        let folder = name.split(separator: "/").first.map(String.init)
        #expect(found.first == (name.hasPrefix("har/polly") ? "polly" : folder), "\(name) \(found)")
    }
}
