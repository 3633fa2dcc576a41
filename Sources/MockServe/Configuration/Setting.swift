import Foundation
import MockServeCore

/// A named part of the configuration, which the command line and the environment can set.
///
/// The environment overrides the default, and code or the command line overrides the environment.
package struct Setting: Sendable {
    /// The name of its option on the command line, without dashes.
    package let name: String
    /// Whether the environment sets it for the command line only: servers of one process cannot share a port.
    let isForCommandLine: Bool
    /// Its value in a configuration, as text.
    package let text: @Sendable (MockServerConfiguration) -> String
    fileprivate let set: @Sendable (inout MockServerConfiguration, String) throws(Problem) -> Void

    /// Why a text is not valid for a setting.
    package struct Problem: Error {
        package let reason: String
    }

    /// The environment variable: `MOCKSERVE_` and the name.
    package var variable: String { "MOCKSERVE_" + name.uppercased().replacing("-", with: "_") }

    private init(
        _ name: String,
        isForCommandLine: Bool = false,
        _ text: @escaping @Sendable (MockServerConfiguration) -> String,
        _ set: @escaping @Sendable (inout MockServerConfiguration, String) throws(Problem) -> Void
    ) {
        self.name = name
        self.isForCommandLine = isForCommandLine
        self.text = text
        self.set = set
    }

    /// In the order in which they are explained.
    package static let all = [
        Setting("mode") {
            $0.mode?.rawValue ?? "replay"
        } _: { (configuration, text) throws(Problem) in
            let modes = RecordMode.allCases.map(\.rawValue)
            guard let mode = RecordMode(rawValue: text) else { throw Problem(reason: "takes \(listed(modes))") }
            configuration.mode = mode
        },
        Setting("upstream") { configuration in
            configuration.upstreams.map { $0.name == "default" ? $0.url : "\($0.name)=\($0.url)" }.joined(
                separator: ","
            )
        } _: { (configuration, text) throws(Problem) in
            configuration.upstreams = names(text).map { upstream($0) }
        },
        Setting("host", isForCommandLine: true) {
            $0.listen.host
        } _: { (configuration, text) throws(Problem) in
            configuration.listen = .address(text, port: configuration.listen.port)
        },
        Setting("port", isForCommandLine: true) {
            String($0.listen.port)
        } _: { (configuration, text) throws(Problem) in
            configuration.listen = .address(configuration.listen.host, port: try whole(text, 0...65535))
        },
        Setting("allow-host") {
            $0.allowedHosts.joined(separator: ",")
        } _: { (configuration, text) throws(Problem) in
            configuration.allowedHosts = names(text)
        },
        Setting("allow-origin") {
            $0.allowedOrigins.joined(separator: ",")
        } _: { (configuration, text) throws(Problem) in
            configuration.allowedOrigins = names(text)
        },
        Setting("playback") {
            $0.playback.rawValue
        } _: { (configuration, text) throws(Problem) in
            let ways = Playback.allCases.map(\.rawValue)
            guard let playback = Playback(rawValue: text) else { throw Problem(reason: "takes \(listed(ways))") }
            configuration.playback = playback
        },
        Setting("speed") {
            number($0.speed)
        } _: { (configuration, text) throws(Problem) in
            configuration.speed = try decimal(text, 0...Double.greatestFiniteMagnitude, "0 or more")
        },
        Setting("miss-status") {
            String($0.missStatus)
        } _: { (configuration, text) throws(Problem) in
            configuration.missStatus = try whole(text, 400...599)
        },
        flag("map", \.mapsOrigins),
        flag("record-in-ci", \.recordsInCI),
        flag("keep-cut", \.keepsCutAnswers),
        flag("give-back", \.givesSecretsBack),
        flag("tls", \.tls),
        file("tls-cert", \.certificates.certificateFile),
        file("tls-key", \.certificates.keyFile),
        file("ca", \.certificates.authorityFile),
        file("client-ca", \.certificates.clientAuthoritiesFile),
        file("upstream-ca", \.upstream.trustedCertificates),
        file("upstream-cert", \.upstream.certificateFile),
        file("upstream-key", \.upstream.keyFile),
        flag("upstream-insecure", \.upstream.trustsAnyone),
        flag("upstream-http2", \.upstream.usesHTTP2),
        seconds("connect-timeout", \.upstream.connectTimeout, 0.001...86_400, "0.001 to 86400"),
        seconds("read-timeout", \.upstream.readTimeout, 0.001...86_400, "0.001 to 86400"),
        seconds("stop-deadline", \.stopDeadline, 0...86_400, "0 to 86400"),
        Setting("cache-size") {
            String($0.cacheSize >> 20)
        } _: { (configuration, text) throws(Problem) in
            configuration.cacheSize = try whole(text, 0...1 << 20, " MiB") << 20
        },
        file("journal", \.journalFile, isForCommandLine: true),
        file("coverage", \.coverageFile),
    ]

    /// Why a text is not valid for this setting; nil if it is valid.
    package func problem(with text: String) -> String? {
        var configuration = MockServerConfiguration.record("", upstreams: [])
        do {
            try set(&configuration, text)
            return nil
        } catch {
            return error.reason
        }
    }

    /// The environment variables with the passphrases of keys, which are not shown anywhere, and are no options.
    private static let passphraseVariables = [tlsPassphrase, upstreamPassphrase]
    static let tlsPassphrase = "MOCKSERVE_TLS_PASSPHRASE"
    static let upstreamPassphrase = "MOCKSERVE_UPSTREAM_PASSPHRASE"

    /// Variables that look like those of settings and are not, sorted: somebody has misspelled them. `run` sets `MOCKSERVE_URL`.
    package static func unknown(among variables: some Sequence<String>) -> [String] {
        let known = Set(all.map(\.variable) + ["MOCKSERVE_URL"] + passphraseVariables)
        return variables.filter { $0.hasPrefix("MOCKSERVE_") && !known.contains($0) }.sorted()
    }

    fileprivate static let ofRecordings = ["mode", "upstream"]

    package static func named(_ name: String) -> Setting? { all.first { $0.name == name } }

    /// Reads `[NAME=]URL`.
    package static func upstream(_ text: String) -> (name: String, url: String) {
        guard let equals = text.firstIndex(of: "="), !text[..<equals].contains("/") else { return ("default", text) }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    private static func flag(
        _ name: String,
        _ path: any WritableKeyPath<MockServerConfiguration, Bool> & Sendable
    ) -> Setting {
        Setting(name) {
            String($0[keyPath: path])
        } _: { (configuration, text) throws(Problem) in
            switch text.lowercased() {
            case "1", "true", "yes", "on": configuration[keyPath: path] = true
            case "0", "false", "no", "off": configuration[keyPath: path] = false
            default: throw Problem(reason: "takes true or false")
            }
        }
    }

    private static func file(
        _ name: String,
        _ path: any WritableKeyPath<MockServerConfiguration, String?> & Sendable,
        isForCommandLine: Bool = false
    ) -> Setting {
        Setting(name, isForCommandLine: isForCommandLine) {
            $0[keyPath: path] ?? ""
        } _: { (configuration, text) throws(Problem) in
            configuration[keyPath: path] = text
        }
    }

    private static func seconds(
        _ name: String,
        _ path: any WritableKeyPath<MockServerConfiguration, Duration> & Sendable,
        _ range: ClosedRange<Double>,
        _ words: String
    ) -> Setting {
        Setting(name) { configuration in
            let (seconds, attoseconds) = configuration[keyPath: path].components
            return number(Double(seconds) + Double(attoseconds) / 1e18)
        } _: { (configuration, text) throws(Problem) in
            configuration[keyPath: path] = .seconds(try decimal(text, range, "\(words) seconds"))
        }
    }

    private static func whole(
        _ text: String,
        _ range: ClosedRange<Int>,
        _ unit: String = ""
    ) throws(Problem) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw Problem(reason: "takes \(range.lowerBound) to \(range.upperBound)\(unit)")
        }
        return number
    }

    private static func decimal(_ text: String, _ range: ClosedRange<Double>, _ words: String) throws(Problem) -> Double
    {
        guard let number = Double(text), range.contains(number) else { throw Problem(reason: "takes \(words)") }
        return number
    }

    private static func number(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
    }

    private static func names(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private static func listed(_ names: [String]) -> String { names.joined(separator: ", ") }
}

extension MockServerConfiguration {
    /// Sets one setting.
    ///
    /// - Parameters:
    ///   - name: of the setting.
    ///   - source: where the value comes from, in a word or two, for `explanation`.
    /// - Throws: `Setting.Problem`.
    package mutating func set(_ name: String, to text: String, by source: String) throws(Setting.Problem) {
        guard let setting = Setting.named(name) else { preconditionFailure("there is no setting \(name)") }
        // Without an upstream there is no question of what is recorded.
        guard mode != nil || !Setting.ofRecordings.contains(name) else { return }
        try setting.set(&self, text)
        sources[name] = source
    }

    /// Applies the settings in the environment. An invalid one is an error when a server is started.
    ///
    /// - Parameter isCommandLine: whether to apply the settings that are for the command line only, or all others.
    package mutating func followEnvironment(
        isCommandLine: Bool,
        _ value: (String) -> String? = { getenv($0).map { String(cString: $0) } }
    ) {
        if let passphrase = value(Setting.tlsPassphrase) { certificates.keyPassphrase = passphrase }
        if let passphrase = value(Setting.upstreamPassphrase) { upstream.keyPassphrase = passphrase }
        for setting in Setting.all where setting.isForCommandLine == isCommandLine {
            guard let text = value(setting.variable), !text.isEmpty else { continue }
            do {
                try set(setting.name, to: text, by: setting.variable)
            } catch {
                let problem = "\(setting.variable) in the environment \(error.reason), not `\(text)`."
                environmentProblem = environmentProblem ?? problem
            }
        }
    }

    /// Every setting with its value and where that comes from, a line each.
    ///
    /// - Throws: ``MockServeError`` if the environment is invalid.
    package func explanation() throws -> String {
        if let environmentProblem { throw MockServeError(.invalidConfiguration, environmentProblem) }
        let rows = Setting.all.map { ($0.name, $0.text(self), sources[$0.name] ?? "default") }
        let (first, second) = (rows.map(\.0.count).max() ?? 0, min(40, rows.map(\.1.count).max() ?? 0))
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        return rows.map { "\(padded($0.0, first))  \(padded($0.1.isEmpty ? "-" : $0.1, second))  \($0.2)" }
            .joined(separator: "\n")
    }
}
