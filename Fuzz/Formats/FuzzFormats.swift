import CassetteFormats
import Foundation
import HTTPMessages
import MockServeCore

/// Reads arbitrary bytes as a file of another tool: of the format that it looks like, or of some other one. That ends in an error or in
/// interactions and stubs, which every format can write, and its own reader can read again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFormats(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    do {
        let start = try FileStart(ByteSource(bytes, name: "input"))
        let chosen = KnownFormats.format(of: start) ?? KnownFormats.readable[count % KnownFormats.readable.count]
        let contents = try Contents(bytes, chosen)
        let writer = KnownFormats.writable[count % KnownFormats.writable.count]
        let written = try contents.written(as: writer)
        guard let reader = writer as? any ReadableFormat, !written.isEmpty else { return 0 }
        do {
            _ = try Contents(written, reader)
        } catch let error as FormatError {
            fail("\(writer.name) cannot read what it has written: \(error)")
        }
    } catch is FormatError {
        // What it should be for nearly all inputs.
    } catch {
        fail("an error that is none of a format's: \(error)")
    }
    return 0
}

/// An optimized build says nothing by itself.
private func fail(_ message: String) -> Never {
    try? FileHandle.standardError.write(contentsOf: Data("\(message)\n".utf8))
    fatalError(message)
}

private final class Contents: CassetteContents {
    private var interactions: [WholeInteraction] = []
    private var stubs: [WholeStub] = []
    let rules: [Rule] = []

    init(_ bytes: [UInt8], _ format: any ReadableFormat) throws {
        let reading = FormatImport(
            interaction: { [unowned self] in interactions.append($0) },
            stub: { [unowned self] in stubs.append($0) }
        )
        (reading.file, reading.folder) = ("input", "/nonexistent")
        try format.read(ByteSource(bytes, name: "input"), into: reading)
    }

    func forEachInteraction(_ body: (WholeInteraction) throws -> Void) throws {
        for interaction in interactions { try body(interaction) }
    }

    func forEachStub(_ body: (WholeStub) throws -> Void) throws { for stub in stubs { try body(stub) } }

    func written(as format: any WritableFormat) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let export = FormatExport(target: "output") { path, piece in if path == nil { bytes += piece } }
        try format.write(self, to: export)
        try export.flush()
        return bytes
    }
}
