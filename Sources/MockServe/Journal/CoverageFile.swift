import CassetteStore
import Foundation
import MockServeCore

/// Which interactions of a cassette were used, one JSON object per line:
/// `{"cassette": name, "used": [[number, recorded_at], …]}`.
///
/// An interaction is identified by its number and the time of its recording, so that a cassette that was recorded again
/// is not taken for the one that was covered.
package enum CoverageFile {
    package struct Entry: Hashable, Sendable {
        package let number: Int64
        package let recordedAt: Int64

        package init(number: Int64, recordedAt: Int64) {
            self.number = number
            self.recordedAt = recordedAt
        }
    }

    private struct Line: Codable {
        let cassette: String
        let used: [[Int64]]
    }

    /// Interactions per line.
    private static let lineLength = 1000

    /// Adds used interactions. The file is locked meanwhile, so that processes that add at the same time do not mix
    /// their lines.
    ///
    /// - Throws: `CassetteError` or `MockServeError`.
    static func add(_ numbers: NumberSet, of cassette: String, to path: String) throws {
        guard FileManager.default.fileExists(atPath: cassette) else { return }
        let reader = try CassetteReader(path: cassette)
        defer { reader.close() }
        let used = try numbers.numbers.sorted().compactMap { number in
            try reader.recordedAt(number).map { [number, $0] }
        }
        let name = URL(fileURLWithPath: cassette).lastPathComponent
        var text = Data()
        for start in stride(from: 0, to: used.count, by: lineLength) {
            let line = Line(cassette: name, used: Array(used[start..<min(start + lineLength, used.count)]))
            text += try JSONEncoder().encode(line) + Data("\n".utf8)
        }
        try append(text, to: path)
    }

    private static func append(_ text: Data, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw unwritable(path) }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw unwritable(path) }
        }
        var rest = text[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw unwritable(path) }
            rest = rest.dropFirst(written)
        }
    }

    private static func unwritable(_ path: String) -> MockServeError {
        MockServeError(
            .invalidConfiguration,
            "The coverage file \(path) cannot be written: \(String(cString: strerror(errno)))."
        )
    }

    /// - Throws: `MockServeError` if the file cannot be read, or a line of it is not coverage.
    package static func read(_ path: String) throws -> Set<Entry> {
        let text: Data
        do {
            text = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        } catch {
            throw MockServeError(
                .cassetteUnreadable,
                "The coverage file \(path) cannot be read: \(error.localizedDescription)",
                cause: error
            )
        }
        var entries: Set<Entry> = []
        for (index, line) in text.split(separator: 0x0A).enumerated() {
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(line)),
                line.used.allSatisfy({ $0.count == 2 })
            else {
                throw MockServeError(
                    .cassetteUnreadable,
                    "\(path), line \(index + 1), is not what `--coverage` writes."
                )
            }
            for used in line.used { entries.insert(Entry(number: used[0], recordedAt: used[1])) }
        }
        return entries
    }
}
