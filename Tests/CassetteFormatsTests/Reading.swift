import CassetteFormats
import Foundation
import HTTPMessages
import MockServeCore

/// What a format has read of a file.
struct Reading {
    var interactions: [WholeInteraction] = []
    var stubs: [WholeStub] = []
    var losses: [LossReport.Loss] = []
    var format = ""

    /// - Parameters:
    ///   - format: nil to recognize it.
    ///   - folder: of files that it names.
    init(_ bytes: [UInt8], name: String = "file", format: (any ReadableFormat)? = nil, folder: String? = nil) throws {
        let taken = Taken()
        let source = ByteSource(bytes, name: name)
        let start = try FileStart(source)
        guard let format = format ?? KnownFormats.format(of: start) else {
            throw start.problem ?? FormatError(name, nil, "is of no format that is known.")
        }
        self.format = format.name
        let reading = FormatImport(
            interaction: { taken.interactions.append($0) },
            stub: { taken.stubs.append($0) }
        )
        (reading.file, reading.folder) = (name, folder)
        try format.read(source, into: reading)
        (interactions, stubs, losses) = (taken.interactions, taken.stubs, reading.losses.losses)
    }
}

/// What is exported, in memory.
struct MemoryContents: CassetteContents {
    var interactions: [WholeInteraction] = []
    var stubs: [WholeStub] = []
    var rules: [Rule] = []

    func forEachInteraction(_ body: (WholeInteraction) throws -> Void) throws {
        for interaction in interactions { try body(interaction) }
    }

    func forEachStub(_ body: (WholeStub) throws -> Void) throws { for stub in stubs { try body(stub) } }
}

/// What a format has written.
struct Writing {
    /// Nil for a format of a folder.
    var bytes: [UInt8] = []
    /// By their path.
    var files: [String: [UInt8]] = [:]
    var losses: [String: Int] = [:]

    init(_ contents: some CassetteContents, _ format: any WritableFormat) throws {
        let written = Written()
        let export = FormatExport(target: "target") { path, bytes in
            if let path { written.files[path] = bytes } else { written.bytes += bytes }
        }
        try format.write(contents, to: export)
        try export.flush()
        (bytes, files) = (written.bytes, written.files)
        losses = Dictionary(export.losses.losses.map { ($0.what, $0.count) }, uniquingKeysWith: +)
    }
}

private final class Taken {
    var interactions: [WholeInteraction] = []
    var stubs: [WholeStub] = []

    init() {}
}

private final class Written {
    var bytes: [UInt8] = []
    var files: [String: [UInt8]] = [:]

    init() {}
}
