package import CassetteFormats
package import CassetteStore
import Foundation
import HTTPMessages
import MockServeCore

/// Writes a cassette in the format of another tool.
package enum CassetteExport {
    /// Bytes of a body that can be exported: 1 GiB.
    private static let bodyLimit = 1 << 30

    /// What is in a cassette.
    private struct Contents: CassetteContents {
        let reader: CassetteReader
        let progress: (Int) throws -> Void

        func forEachInteraction(_ body: (WholeInteraction) throws -> Void) throws {
            var count = 0
            try reader.forEach { interaction in
                let content = interaction.content
                var whole = WholeInteraction(
                    origin: content.origin,
                    request: content.request,
                    requestBody: try bytes(interaction.requestBody, of: interaction.id),
                    response: content.response,
                    responseBody: try bytes(interaction.responseBody, of: interaction.id)
                )
                (whole.requestTrailers, whole.responseTrailers) = (content.requestTrailers, content.responseTrailers)
                (whole.informational, whole.chunks, whole.cut) = (content.informational, content.chunks, content.cut)
                (whole.recordedAt, whole.firstByte) = (content.recordedAt, content.firstByte)
                try body(whole)
                count += 1
                try progress(count)
                return true
            }
        }

        func forEachStub(_ body: (WholeStub) throws -> Void) throws {
            for stored in try reader.stubs() { try body(WholeStub(stored.stub, body: try reader.body(of: stored))) }
        }

        var rules: [Rule] { get throws { try reader.numberedRules().map(\.rule) } }

        private func bytes(_ body: BodyReference?, of number: Int64) throws -> [UInt8] {
            guard let body else { return [] }
            guard let bytes = try reader.bytes(of: body, limit: bodyLimit) else {
                let reason = "has a body of \(body.size >> 20) MiB in interaction \(number); 1 GiB can be exported."
                throw CassetteError(.unreadable, path: reader.path, reason)
            }
            return bytes
        }
    }

    /// Writes to a file or a folder, which gets its name when it is complete.
    ///
    /// - Parameters:
    ///   - target: nil for standard output.
    ///   - overwrites: whether a file of that name may be replaced, or files in a folder.
    ///   - progress: called with how many interactions have been written. What it throws ends the export.
    /// - Returns: what the format has no place for.
    /// - Throws: `MockServeError`, `CassetteError`
    package static func run(
        _ reader: CassetteReader,
        as format: any WritableFormat,
        to target: String?,
        overwrites: Bool,
        progress: @escaping (Int) throws -> Void = { _ in }
    ) throws -> LossReport {
        let contents = Contents(reader: reader, progress: progress)
        guard let target else {
            guard format.fileExtension != nil else {
                throw MockServeError(
                    .invalidConfiguration,
                    "\(format.name) is a folder of files: give it a name with -o."
                )
            }
            let export = FormatExport(target: "standard output") { _, bytes in
                try FileHandle.standardOutput.write(contentsOf: Data(bytes))
            }
            try format.write(contents, to: export)
            try export.flush()
            return export.losses
        }
        let output = try ExportedFiles(
            target,
            isFolder: format.fileExtension == nil,
            overwrites: overwrites,
            source: reader.path
        )
        defer { output.discard() }
        let export = FormatExport(target: target) { path, bytes in try output.write(bytes, to: path) }
        try format.write(contents, to: export)
        try export.flush()
        try output.publish()
        return export.losses
    }
}
