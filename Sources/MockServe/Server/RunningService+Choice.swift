import CassetteStore
import Foundation
import HTTPMessages
import MockServeCore
import NIOCore

/// Chooses the services for a mode, and what they need.
extension RunningService {
    /// Validates `speed` and `missStatus`, in the same way for all modes.
    private static func replayOptions(
        _ configuration: MockServerConfiguration,
        _ secrets: KnownSecrets
    ) throws -> ReplayOptions {
        guard configuration.speed >= 0, configuration.speed.isFinite else {
            throw MockServeError(.invalidConfiguration, "speed is \(configuration.speed); it must be 0 or more.")
        }
        guard (400...599).contains(configuration.missStatus) else {
            throw MockServeError(
                .invalidConfiguration,
                "missStatus is \(configuration.missStatus); it must be from 400 to 599."
            )
        }
        return ReplayOptions(
            speed: configuration.speed,
            missStatus: configuration.missStatus,
            playback: configuration.playback.mode,
            freshness: TimeAmount(configuration.freshness),
            cacheSize: max(0, configuration.cacheSize),
            loopCount: max(1, Array(MockServer.group(configuration).makeIterator()).count),
            opensOnLoop: configuration.opensOnLoop,
            secrets: secrets,
            recordCommand: configuration.recordCommand,
            importedFrom: configuration.importedFrom
        )
    }

    static func replay(
        _ path: String,
        _ configuration: MockServerConfiguration,
        _ faults: FaultStore,
        _ journal: ScopeJournal
    ) throws -> Parts {
        let options = try replayOptions(configuration, journal.secrets)
        if configuration.startsWithoutCassette, !FileManager.default.fileExists(atPath: path) {
            let upstreams = configuration.upstreams.isEmpty ? [] : try parse(configuration.upstreams)
            let table = UpstreamTable(upstreams, mapsContent: false)
            return Parts(exchanges: AbsentCassette(path, options, journal), upstreams: upstreams, table: table)
        }
        CassetteFile.recover(path)
        let reader = try CassetteReader(path: path)
        defer { reader.close() }
        if let error = CassetteError.unresolved(try reader.conflicts(), path: path) { throw error }
        // Declared secrets need no rule in a replayed cassette. One that is not known here, as in CI, is not asked for.
        let redactions = try rules {
            try configuration.redact.filter { $0.secret == nil && !$0.isMissing }.map { try $0.rule.get() }
        }
        // Rules are kept in the cassette. A replay does not change it, so it must have all rules that were given.
        let lacking = try reader.lacking(matchRules(configuration) + redactions)
        guard lacking.isEmpty else { throw MockServeError(lacking: lacking, path: path) }
        let upstreams = try reader.upstreams()
        let table = UpstreamTable(
            upstreams,
            mapsContent: configuration.mapsOrigins,
            revealing: configuration.givesSecretsBack ? options.secrets.declared : []
        )
        let replayer = try Replayer(reader, upstreams: table, options: options, faults: faults, journal: journal)
        return Parts(exchanges: replayer, replayer: replayer, upstreams: upstreams, table: table, path: path)
    }

    static func record(
        _ path: String,
        _ upstreams: [(name: String, url: String)],
        _ mode: RecordMode,
        _ configuration: MockServerConfiguration,
        _ faults: FaultStore,
        _ journal: ScopeJournal
    ) throws -> Parts {
        if mode == .replay { return try replay(path, configuration, faults, journal) }
        let priorKnowledge = Set(upstreams.filter { isHTTP2($0.url) }.compactMap { origin($0.url) })
        let upstreams = try parse(upstreams)
        let options = try replayOptions(configuration, journal.secrets)
        if mode == .passthrough {
            try refuseRulesOfPassthrough(configuration)
        } else if let older = try reader(ofFilled: path) {
            defer { older.close() }
            if !configuration.redactsByDefault { try refuseToStopRedaction(of: older) }
            if try mode == .once && !older.isEmpty() { return try replay(path, configuration, faults, journal) }
        }
        let table = UpstreamTable(
            upstreams,
            mapsContent: configuration.mapsOrigins,
            revealing: configuration.givesSecretsBack ? options.secrets.declared : []
        )
        let client = try UpstreamClient(configuration.upstream, table, priorKnowledge: priorKnowledge)
        let pages = try OriginPolicy(configuration.allowedOrigins)
        func recorder(_ writer: CassetteWriter?) -> Recorder {
            Recorder(
                client: client,
                writer: writer,
                keepsCut: configuration.keepsCutAnswers,
                upstreams: table,
                pages: pages,
                journal: journal
            )
        }
        guard let episodeMode = EpisodeMode(mode) else {
            return Parts(exchanges: recorder(nil), upstreams: upstreams, table: table, client: client)
        }
        try refuseInCI(path, mode, configuration)
        let now = Clock.now().unixMilliseconds
        let rules = try parseRules(configuration)
        let copy = configuration.replacesAtEnd ? try RecordingCopy(of: path) : nil
        let file = copy?.path ?? path
        let writer: CassetteWriter
        do {
            writer = try CassetteWriter(
                path: file,
                mode: episodeMode,
                upstreams: upstreams,
                rules: rules,
                secrets: options.secrets,
                now: now
            )
        } catch {
            copy?.discard()
            throw error
        }
        var exchanges: any ExchangeService = recorder(writer)
        var replayer: Replayer?
        if mode == .missing {
            do {
                let reader = try CassetteReader(path: file)
                defer { reader.close() }
                let older = try Replayer(
                    reader,
                    upstreams: table,
                    newest: writer.newestBefore,
                    options: options,
                    faults: faults,
                    journal: journal
                )
                exchanges = MissingRecorder(replayer: older, recorder: recorder(writer))
                replayer = older
            } catch {
                _ = try? writer.finish(keeping: false, now: now)
                copy?.discard()
                throw error
            }
        }
        return Parts(
            exchanges: exchanges,
            replayer: replayer,
            upstreams: upstreams,
            table: table,
            writer: writer,
            client: client,
            path: path,
            copy: copy
        )
    }

    /// Nil if there is no file, or it is empty.
    private static func reader(ofFilled path: String) throws -> CassetteReader? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        guard size != 0 else { return nil }
        CassetteFile.recover(path)
        return try CassetteReader(path: path)
    }

    /// The rules of a cassette say what is redacted in it. A run can add rules, but removes none.
    private static func refuseToStopRedaction(of cassette: CassetteReader) throws {
        if let error = try MockServeError(stoppingRedactionOf: cassette) { throw error }
    }

    private static func refuseRulesOfPassthrough(_ configuration: MockServerConfiguration) throws {
        let rules = try matchRules(configuration)
        guard let first = rules.first else { return }
        let source = configuration.sources["mode"] == "MOCKSERVE_MODE" ? " (of MOCKSERVE_MODE)" : ""
        throw MockServeError(
            .invalidConfiguration,
            "The mode passthrough\(source) matches nothing and keeps nothing, so it has no use for "
                + "`\(first.action.rawValue) \(first.text)`. Leave it out, or record."
        )
    }

    /// In continuous integration a missing recording is a mistake, not a reason to call the real service.
    private static func refuseInCI(
        _ path: String,
        _ mode: RecordMode,
        _ configuration: MockServerConfiguration
    ) throws {
        let marker = ProcessInfo.processInfo.environment["CI"] ?? ""
        guard !marker.isEmpty, !configuration.recordsInCI else { return }
        throw MockServeError(
            .recordingRefused,
            """
            Not recording into \(path) (mode \(mode.rawValue)): the environment variable CI is set.
            Record on your own machine and commit the cassette, or allow it: --record-in-ci, `recordsInCI = true`.
            """
        )
    }

    private static func parseRules(_ configuration: MockServerConfiguration) throws -> [Rule] {
        try matchRules(configuration)
            + rules {
                let isStandard = configuration.redactsByDefault
                let standard = isStandard ? [try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")] : []
                return try standard + configuration.redact.map { try $0.rule.get() }
            }
    }

    private static func matchRules(_ configuration: MockServerConfiguration) throws -> [Rule] {
        try rules { try configuration.rules.map { try $0.rule.get() } }
    }

    private static func rules(_ body: () throws -> [Rule]) throws -> [Rule] {
        do {
            return try body()
        } catch let error as RuleError {
            throw MockServeError(.invalidConfiguration, "A rule makes no sense: \(error).", cause: error)
        }
    }

    /// Whether an upstream is spoken to in HTTP/2 without TLS. Its origin is that of an `http` server.
    private static func isHTTP2(_ url: String) -> Bool { url.lowercased().hasPrefix("h2c://") }

    private static func origin(_ url: String) -> Origin? { Origin(isHTTP2(url) ? "http" + url.dropFirst(3) : url) }

    private static func parse(_ upstreams: [(name: String, url: String)]) throws -> [Upstream] {
        guard !upstreams.isEmpty else {
            throw MockServeError(
                .invalidConfiguration,
                "Recording needs an upstream: --upstream https://api.example.com, or MOCKSERVE_UPSTREAM in the environment"
            )
        }
        guard Set(upstreams.map(\.name)).count == upstreams.count else {
            throw MockServeError(
                .invalidConfiguration,
                "Several upstreams need different names: --upstream api=https://… --upstream auth=https://…"
            )
        }
        return try upstreams.map { name, url in
            guard let origin = origin(url) else {
                throw MockServeError(
                    .invalidConfiguration,
                    """
                    `\(url)` is no upstream: give scheme, host and port only, such as https://api.example.com, or \
                    h2c://localhost:50051 for HTTP/2 without TLS.
                    """
                )
            }
            return Upstream(name: name, origin: origin)
        }
    }
}

extension EpisodeMode {
    /// Nil for a mode that records nothing.
    fileprivate init?(_ mode: RecordMode) {
        switch mode.kind {
        case .once: self = .once
        case .missing: self = .missing
        case .all: self = .all
        case .rewrite: self = .rewrite
        case .passthrough, .replay: return nil
        }
    }
}
