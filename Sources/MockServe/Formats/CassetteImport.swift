package import CassetteFormats
package import CassetteStore
import Dispatch
import Foundation
import HTTPMessages
package import MockServeCore
import Synchronization

/// Makes a cassette of files of other tools.
package struct CassetteImport {
    package struct Settings {
        /// Nil to recognize it, file by file.
        package var format: (any ReadableFormat)?
        /// Whether nothing is written if anything cannot be carried over.
        package var refusesLoss = false
        /// Whether files that cannot be read are left out.
        package var keepsGoing = false
        /// Are added to those of the cassette.
        package var rules: [Rule] = []
        package var secrets: [DeclaredSecret] = []
        /// Called before each file and after each interaction, with how many have been read. What it throws ends the import.
        package var progress: (Int) throws -> Void = { _ in }

        package init() {}
    }

    package struct Report {
        package var interactions = 0
        package var stubs = 0
        /// Servers that the interactions are from, as the cassette names them.
        package var upstreams: [Upstream] = []
        /// Files of each format, by its name.
        package var files: [String: Int] = [:]
        /// Files in folders that are of no format that is known.
        package var others: [String] = []
        package var failures: [FormatError] = []
        package var losses = LossReport()
        /// What was redacted, by kind.
        package var redactions: [String: Int] = [:]
    }

    /// Imports all files into one cassette: all of it or nothing.
    ///
    /// - Parameter path: a cassette that is there gets one more episode, which `cassette undo` takes back.
    /// - Throws: `FormatError`, `CassetteError`; then nothing was changed.
    package static func run(_ files: [ForeignFile], into path: String, _ settings: Settings) throws -> Report {
        let isThere = FileManager.default.fileExists(atPath: path)
        func make() throws -> Report {
            try CassetteCopy.make(of: isThere ? path : nil, to: path, overwrites: true) { copy in
                do {
                    return try CassetteImport(copy, settings).run(files, target: path)
                } catch let error as CassetteError where error.path == copy {
                    throw CassetteError(error.code, path: path, error.reason)
                }
            }
        }
        return try isThere ? CassetteEditor.keepingForUndo(path, make) : make()
    }

    private let path: String
    private let settings: Settings
    private let state = State()

    private init(_ path: String, _ settings: Settings) { (self.path, self.settings) = (path, settings) }

    /// What is known while files are read.
    private final class State {
        var report = Report()
        var writer: CassetteWriter?
        var stubs: [WholeStub] = []
        var origins: [Origin] = []
        let failure = SharedFailure()
        let now = Int64(Date().timeIntervalSince1970 * 1000)
    }

    /// Why an interaction could not be written, from the thread that writes.
    private final class SharedFailure: Sendable {
        let value = Mutex<CassetteError?>(nil)
    }

    private func run(_ files: [ForeignFile], target: String) throws -> Report {
        do {
            for file in files {
                try settings.progress(state.report.interactions)
                try read(file)
            }
            try refuseLoss()
            guard state.report.interactions + state.stubs.count > 0 else {
                let loss = state.report.losses.losses.first.map { " (\($0.what) was left out)" } ?? ""
                let reason =
                    state.report.failures.first.map { "\($0)" } ?? "there are no interactions and no stubs\(loss)."
                let isNothing = state.report.failures.isEmpty
                throw FormatError(
                    files.first?.path ?? target,
                    nil,
                    "nothing to import: \(reason)",
                    isAboutNothing: isNothing
                )
            }
            try finish(target)
        } catch {
            _ = try? state.writer?.finish(keeping: false, now: state.now)
            throw error
        }
        return state.report
    }

    // MARK: Reading

    private func read(_ file: ForeignFile) throws {
        do {
            let source = try ByteSource.open(file.path)
            guard let format = try chosenFormat(of: source, file) else { return }
            let reading = FormatImport(interaction: take, stub: take)
            (reading.file, reading.folder) = (source.name, file.folder)
            defer { state.report.losses.add(reading.losses) }
            try format.read(source, into: reading)
            state.report.files[format.name, default: 0] += 1
        } catch let error as FormatError {
            guard settings.keepsGoing else { throw error }
            state.report.failures.append(error)
        }
    }

    /// - Returns: nil for one of the files in a folder that is something else.
    private func chosenFormat(of source: ByteSource, _ file: ForeignFile) throws -> (any ReadableFormat)? {
        if settings.format != nil { return settings.format }
        let start = try FileStart(source)
        let recognized = KnownFormats.format(of: start)
        if recognized != nil { return recognized }
        if let problem = start.problem { throw problem }
        guard file.isFound else {
            let names = KnownFormats.readable.map(\.name).joined(separator: ", ")
            let reason = start.isEmpty ? "is empty." : "is of no format that is known. --format takes one of \(names)."
            throw FormatError(source.name, nil, reason)
        }
        state.report.others.append(file.path)
        return nil
    }

    private func take(_ interaction: WholeInteraction) throws {
        let writer = try state.writer ?? begin()
        let made: NewInteraction
        do {
            made = try writer.interaction(
                origin: interaction.origin,
                request: interaction.request,
                body: interaction.requestBody,
                trailers: interaction.requestTrailers,
                informational: interaction.informational,
                response: interaction.response,
                responseBody: interaction.responseBody,
                responseTrailers: interaction.responseTrailers,
                recordedAt: interaction.recordedAt ?? state.now,
                firstByte: interaction.firstByte,
                chunks: interaction.chunks,
                cut: interaction.cut
            )
        } catch let refusal as BodyRedaction.Refusal {
            throw CassetteError(
                .unwritable,
                path: path,
                "gets nothing: an interaction cannot be searched for secrets, \(refusal)."
            )
        }
        state.report.redactions.merge(made.content.redactions.counts, uniquingKeysWith: +)
        note(origin: interaction.origin)
        writer.commit(made) { [failure = state.failure] result in
            if case .failure(let error) = result { failure.value.withLock { $0 = $0 ?? error } }
        }
        state.report.interactions += 1
        try settings.progress(state.report.interactions)
        guard writer.isCongested else { return }
        let drained = DispatchSemaphore(value: 0)
        writer.whenDrained { drained.signal() }
        drained.wait()
        try check()
    }

    private func check() throws { if let error = state.failure.value.withLock({ $0 }) { throw error } }

    private func begin() throws -> CassetteWriter {
        let writer = try CassetteWriter(
            path: path,
            mode: .missing,
            upstreams: [],
            rules: settings.rules,
            secrets: KnownSecrets(settings.secrets, learned: LearnedSecrets()),
            now: state.now
        )
        state.writer = writer
        return writer
    }

    private func note(origin: String) {
        guard let origin = Origin(origin), !state.origins.contains(origin), state.origins.count < Self.originLimit
        else { return }
        state.origins.append(origin)
    }

    /// Servers that a cassette can name.
    private static let originLimit = 1000

    private func take(_ stub: WholeStub) throws {
        state.stubs.append(stub)
        guard state.stubs.count <= StubDefinition.countLimit else {
            let reason = "takes no more than \(StubDefinition.countLimit) stubs; nothing was written."
            throw CassetteError(.unwritable, path: path, reason)
        }
    }

    // MARK: The end

    private func finish(_ target: String) throws {
        try state.writer?.finish(keeping: true, now: state.now)
        state.writer = nil
        try check()
        let added = try CassetteEditor.add(
            state.stubs.map { ($0.definition, $0.body) },
            upstreams: Self.named(state.origins, isFirst: try known().isEmpty),
            rules: settings.rules,
            secrets: settings.secrets,
            relaxesSecrets: true,
            to: path
        )
        state.report.stubs = added.numbers.count
        state.report.upstreams = try known().filter { state.origins.contains($0.origin) }
        state.report.redactions.merge(added.redactions, uniquingKeysWith: +)
        let what = "a secret that a stub asks for (any value meets it)"
        if added.relaxed > 0 { state.report.losses.add(what, file: target, count: added.relaxed) }
        if added.leftOut > 0 {
            state.report.losses.add("a stub that asks for a secret", file: target, count: added.leftOut)
        }
        try refuseLoss()
    }

    private func refuseLoss() throws {
        guard settings.refusesLoss else { return }
        if let failure = state.report.failures.first { throw failure }
        guard let loss = state.report.losses.losses.first else { return }
        throw FormatError(loss.file, loss.line, "loses \(loss.what), and --strict refuses that; nothing was written.")
    }

    /// The upstreams of the cassette.
    private func known() throws -> [Upstream] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let reader = try CassetteReader(path: path)
        defer { reader.close() }
        return try reader.upstreams()
    }

    /// The first of a cassette is `default`, as in a recording of one upstream; the others are called after their hosts.
    private static func named(_ origins: [Origin], isFirst: Bool) -> [Upstream] {
        origins.enumerated().map { index, origin in
            let name = String(origin.host.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
            return Upstream(name: isFirst && index == 0 ? "default" : name, origin: origin)
        }
    }
}
