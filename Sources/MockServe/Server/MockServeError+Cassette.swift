package import CassetteStore
import MockServeCore

extension MockServeError {
    /// - Parameter rules: rules that were given but are not in the replayed cassette.
    init(lacking rules: [Rule], path: String) {
        let cassette = ShellText.quoted(path)
        let redactions = rules.filter { $0.action == .redact }
        func options(_ rules: [Rule]) -> String {
            rules.map { " --\($0.action.rawValue) \(ShellText.quoted($0.text))" }.joined()
        }
        var commands: [String] = []
        let others = rules.filter { $0.action != .redact }
        if !others.isEmpty { commands.append("mockserve cassette rule add \(cassette)\(options(others))") }
        if !redactions.isEmpty { commands.append("mockserve cassette redact \(cassette)\(options(redactions))") }
        let names = rules.map { "`\($0.action.rawValue) \($0.text)`" }.joined(separator: ", ")
        self.init(
            .invalidConfiguration,
            "The cassette \(path) is replayed, and has not the \(rules.count == 1 ? "rule" : "rules") \(names). "
                + "Add to it: \(commands.joined(separator: " && "))"
        )
    }

    /// The error if something is to be added without default redaction; nil if the cassette is not redacted by default.
    package init?(stoppingRedactionOf cassette: CassetteReader) throws {
        guard let standing = try cassette.numberedRules().first(where: \.rule.isDefaultRedaction) else { return nil }
        self.init(
            .invalidConfiguration,
            "The cassette \(cassette.path) is redacted by default, by its rule \(standing.number). To do without, take that out: "
                + "mockserve cassette rule remove \(ShellText.quoted(cassette.path)) \(standing.number)"
        )
    }

    package init(_ error: CassetteError) {
        let code: Code = error.code == .unwritable ? .cassetteUnwritable : .cassetteUnreadable
        self.init(code, "The cassette \(error.description)", cause: error)
    }
}
