import Foundation
import MockServeCore

/// Cassettes of tests that are not in the source any more, when another test has none.
enum RenamedTests {
    private static let limit = 5

    /// - Returns: a text that names them; nil if the test has a cassette, or there are none.
    static func hint(for cassette: URL, _ name: TestName) -> String? {
        let files = FileManager.default
        guard !files.fileExists(atPath: cassette.path) else { return nil }
        let found =
            orphans(in: cassette.deletingLastPathComponent(), source: URL(fileURLWithPath: name.file))
            + ofOtherFiles(cassette, name)
        guard !found.isEmpty else { return nil }
        let moves = found.prefix(limit).map { "  mv \(ShellText.quoted($0.path)) \(ShellText.quoted(cassette.path))" }
        let names = found.prefix(limit).map { CassetteLocation.stem($0) }.joined(separator: ", ")
        return "It may have been recorded as \(names), which no longer exists. If that was this test:\n"
            + moves.joined(separator: "\n")
    }

    /// Those of the same source file that have a name in them which the file does not.
    private static func orphans(in folder: URL, source: URL) -> [URL] {
        guard let text = try? String(contentsOf: source, encoding: .utf8) else { return [] }
        let words = Set(text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
        // Names in backticks, as those of files have them.
        let quoted = text.split(separator: "`").map { FileName([String($0)], identity: [], isWhole: true).text }
        return cassettes(in: folder).filter { file in
            guard !CassetteLocation.isClaimed(file) else { return false }
            let names = CassetteLocation.stem(file).split(separator: ".")
            return names.contains { name in
                // What follows is from arguments, or a digest.
                let word = String(name.prefix { $0 != "-" })
                return !words.contains(word) && !quoted.contains { $0 == word || $0.hasPrefix("\(word)-") }
            }
        }
    }

    /// Those of the same name beside it, of source files that are gone.
    private static func ofOtherFiles(_ cassette: URL, _ name: TestName) -> [URL] {
        let folder = cassette.deletingLastPathComponent()
        let sources = URL(fileURLWithPath: name.file).deletingLastPathComponent()
        let others =
            (try? FileManager.default.contentsOfDirectory(atPath: folder.deletingLastPathComponent().path)) ?? []
        return others.sorted().compactMap { other in
            let file = folder.deletingLastPathComponent().appendingPathComponent(other)
                .appendingPathComponent(cassette.lastPathComponent)
            let source = sources.appendingPathComponent("\(other).swift")
            let isGone = !FileManager.default.fileExists(atPath: source.path)
            return other != folder.lastPathComponent && isGone && FileManager.default.fileExists(atPath: file.path)
                ? file : nil
        }
    }

    private static func cassettes(in folder: URL) -> [URL] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".cassette") }.sorted().map { folder.appendingPathComponent($0) }
    }
}
