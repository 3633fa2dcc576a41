import CassetteFormats
import Foundation
import MockServe
import MockServeCore

/// The cassette that is served: the one that was given, or a temporary one made of the files of another tool that were given.
struct ServedCassette {
    let path: String
    private let temporary: TemporaryCassette?

    /// - Parameter secrets: are redacted in what is imported, and match in requests.
    init(_ given: String, _ secrets: SecretOptions, isQuiet: Bool) throws {
        guard TemporaryCassette.isForeign(given) else {
            (path, temporary) = (given, nil)
            return
        }
        let declared = secrets.targets.compactMap(\.secret)
        let parts = ["catalog:\(RedactionCatalog.version)"] + declared.map { "secret:\($0.kind)" }
        let rules = try parts.map { try Rule(.redact, part: $0) }
        let (cassette, report) = try Progress.during("importing") {
            try TemporaryCassette.make(of: given, rules: rules, secrets: declared)
        }
        (path, temporary) = (cassette.path, cassette)
        guard !isQuiet else { return }
        let told = ImportReport(report, given)
        Console.say(
            "mockserve: \(given) is not a cassette: \(told.contents) imported for this run, from \(told.sources)"
        )
        told.sayUpstreams()
        LossText.say(report.losses, "not carried over", namesFiles: true)
        Console.say("mockserve: to keep them: mockserve cassette import \(ShellText.quoted(given)) -o NAME.cassette")
    }

    /// The replay of it.
    func configuration(_ given: String) -> MockServerConfiguration {
        var configuration = MockServerConfiguration.replay(path)
        if temporary != nil { configuration.importedFrom = given }
        return configuration
    }

    func end() { temporary?.remove() }
}
