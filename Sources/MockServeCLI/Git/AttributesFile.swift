import ArgumentParser
import Foundation
import MockServe
import MockServeCore

/// A file with attributes, whose bytes stay what they are: comments may be in any encoding.
enum AttributesFile {
    static func read(_ file: String) throws -> [UInt8] {
        guard FileManager.default.fileExists(atPath: file) else { return [] }
        do {
            return Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw MockServeError(
                .cassetteUnreadable,
                "\(file) cannot be read: \(error.localizedDescription)",
                cause: error
            )
        }
    }

    /// In the place that a symbolic link leads to.
    static func write(_ bytes: [UInt8], to file: String) throws {
        let url = URL(fileURLWithPath: file).resolvingSymlinksInPath()
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(bytes).write(to: url, options: .atomic)
        } catch {
            throw MockServeError(
                .cassetteUnwritable,
                "\(file) cannot be written: \(error.localizedDescription)",
                cause: error
            )
        }
    }
}
