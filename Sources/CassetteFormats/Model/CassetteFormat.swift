package import MockServeCore

/// The format of another tool. To add one, conform to `ReadableFormat`, `WritableFormat` or both in a file of its own, and name it
/// in `KnownFormats`.
package protocol CassetteFormat: Sendable {
    /// As it is given with `--format`.
    var name: String { get }
    /// What it is, for people.
    var title: String { get }
}

/// A format that can be imported.
package protocol ReadableFormat: CassetteFormat {
    /// How the names of its files end, without the dot, in lower case: only such files are looked for in folders.
    var fileEndings: Set<String> { get }

    /// Whether a file that begins so is of this format. Formats are asked in the order of `KnownFormats.readable`.
    func recognizes(_ start: FileStart) -> Bool

    /// Reads a file, interaction by interaction.
    ///
    /// - Throws: `FormatError`, and what reading throws.
    func read(_ source: ByteSource, into reading: FormatImport) throws
}

extension ReadableFormat {
    /// JSON, YAML, and both compressed.
    package var fileEndings: Set<String> { ["json", "yml", "yaml", "gz", "zz"] }
}

/// A format that can be exported.
package protocol WritableFormat: CassetteFormat {
    /// Nil for a format of several files in a folder.
    var fileExtension: String? { get }

    func write(_ contents: some CassetteContents, to export: FormatExport) throws
}

/// Takes what a format reads.
package final class FormatImport {
    private let takeInteraction: (WholeInteraction) throws -> Void
    private let takeStub: (WholeStub) throws -> Void
    /// The file that is read, as it is called in messages.
    package var file = ""
    /// The folder that other files are named in relation to; nil if there is none.
    package var folder: String?
    package var losses = LossReport()

    package init(
        interaction: @escaping (WholeInteraction) throws -> Void,
        stub: @escaping (WholeStub) throws -> Void
    ) {
        (takeInteraction, takeStub) = (interaction, stub)
    }

    /// The same, with stubs that go elsewhere first. Its losses have to be added.
    func collecting(_ stub: @escaping (WholeStub) throws -> Void) -> FormatImport {
        let other = FormatImport(interaction: takeInteraction, stub: stub)
        (other.file, other.folder) = (file, folder)
        return other
    }

    package func add(_ interaction: WholeInteraction) throws { try takeInteraction(interaction) }

    /// Of several that answer the same request, the one added last is asked first.
    package func add(_ stub: WholeStub) throws { try takeStub(stub) }

    /// - Parameter what: as in `the order of the fields`.
    package func lost(_ what: String, line: Int? = nil) { losses.add(what, file: file, line: line) }
}

/// What is in a cassette, for a format that is written.
package protocol CassetteContents {
    /// In the order in which they were recorded.
    func forEachInteraction(_ body: (WholeInteraction) throws -> Void) throws

    /// The first added first.
    func forEachStub(_ body: (WholeStub) throws -> Void) throws

    var rules: [Rule] { get throws }
}

/// Takes what a format writes.
package final class FormatExport {
    private let writer: (_ path: String?, [UInt8]) throws -> Void
    private var pending: [UInt8] = []
    package var losses = LossReport()
    /// As the target is called in messages.
    package let target: String

    /// - Parameter writer: appends bytes to the file, or writes a file in the folder.
    package init(target: String, writer: @escaping (_ path: String?, [UInt8]) throws -> Void) {
        (self.target, self.writer) = (target, writer)
    }

    package func write(_ text: String) throws { try write(Array(text.utf8)) }

    package func write(_ bytes: [UInt8]) throws {
        pending += bytes
        if pending.count >= ByteSource.pieceSize { try flush() }
    }

    package func flush() throws {
        if !pending.isEmpty { try writer(nil, pending) }
        pending = []
    }

    /// Writes a whole file.
    ///
    /// - Parameter path: within the folder.
    package func write(_ bytes: [UInt8], toFile path: String) throws { try writer(path, bytes) }

    package func lost(_ what: String) { losses.add(what, file: target) }
}
