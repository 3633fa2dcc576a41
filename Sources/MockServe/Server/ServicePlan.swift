package import CassetteStore
import Dispatch
import Foundation
import MockServeCore
import NIOCore

/// What a configuration comes to: the responder, chosen once, and what must be closed behind it.
final class ServicePlan: Sendable {
    let responder: any ExchangeResponder
    let upstreams: [Upstream]
    let served: ServedOrigins
    let journal: ScopeJournal
    /// Nil if nothing is recorded.
    let writer: CassetteWriter?
    /// Nil if nothing is replayed.
    let replayer: Replayer?
    /// Nil if nothing is forwarded.
    let client: UpstreamClient?
    private let coverageFile: String?
    /// Nil if nothing is replayed or recorded.
    private let path: String?

    private struct Parts {
        var responder: any ExchangeResponder
        var replayer: Replayer?
        var upstreams: [Upstream] = []
        var served: ServedOrigins
        var writer: CassetteWriter?
        var client: UpstreamClient?
        var path: String?
    }

    init(_ configuration: MockServerConfiguration) throws {
        if let problem = configuration.routes.problem { throw MockServeError(.invalidConfiguration, problem) }
        journal = try ScopeJournal(configuration)
        coverageFile = configuration.coverageFile
        let parts: Parts
        do {
            switch configuration.service {
            case .responder(let responder):
                let served = ServedOrigins(upstreams: [], mapsContent: false)
                let limit = configuration.limits.responderBody
                parts = Parts(responder: TaskResponder(responder, bodyLimit: limit, journal: journal), served: served)
            case .replay(let path):
                parts = try Self.replay(path, configuration, journal)
            case .record(let path, let upstreams, let mode):
                let upstreams = try Self.parse(upstreams)
                parts = try Self.record(path, upstreams, mode, configuration, journal)
            }
        } catch {
            journal.close()
            throw (error as? CassetteError).map { MockServeError($0) } ?? error
        }
        let limit = configuration.limits.responderBody
        var responder = parts.responder
        if !configuration.routes.isEmpty {
            let handlers = TaskResponder(configuration.routes, bodyLimit: limit, journal: journal)
            responder = RoutedResponder(configuration.routes, handlers: handlers, next: responder)
        }
        if configuration.journalLimits.body > 0 {
            let bodyLimit = configuration.journalLimits.body
            responder = LoggingResponder(responder, limit: bodyLimit, redactor: journal.redactor)
        }
        self.responder = responder
        upstreams = parts.upstreams
        served = parts.served
        writer = parts.writer
        replayer = parts.replayer
        client = parts.client
        path = parts.path
    }

    /// Validates `speed` and status once, for every mode that replays.
    private static func replayOptions(_ configuration: MockServerConfiguration) throws -> ReplayOptions {
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
            secrets: configuration.redact.compactMap(\.secret)
        )
    }

    private static func replay(
        _ path: String,
        _ configuration: MockServerConfiguration,
        _ journal: ScopeJournal
    ) throws -> Parts {
        let options = try replayOptions(configuration)
        CassetteFile.recover(path)
        let reader = try CassetteReader(path: path)
        defer { reader.close() }
        // Redaction by declared secrets is for replaying too.
        let redactions = try rules {
            try configuration.redact.filter { $0.secret == nil }.map { try $0.rule.get() }
        }
        // Rules are kept in the cassette. One that is replayed is not changed, and does not follow others than it has.
        let lacking = try reader.lacking(matchRules(configuration) + redactions)
        guard lacking.isEmpty else { throw MockServeError(lacking: lacking, path: path) }
        let upstreams = try reader.upstreams()
        let served = ServedOrigins(
            upstreams: upstreams,
            mapsContent: configuration.mapsOrigins,
            revealing: configuration.givesSecretsBack ? options.secrets : []
        )
        let replayer = try Replayer(reader, upstreams: upstreams, served: served, options: options, journal: journal)
        return Parts(responder: replayer, replayer: replayer, upstreams: upstreams, served: served, path: path)
    }

    private static func record(
        _ path: String,
        _ upstreams: [Upstream],
        _ mode: RecordMode,
        _ configuration: MockServerConfiguration,
        _ journal: ScopeJournal
    ) throws -> Parts {
        let options = try replayOptions(configuration)
        if mode == .passthrough {
            try refuseRulesOfPassthrough(configuration)
        } else if let older = try reader(ofFilled: path) {
            defer { older.close() }
            if !configuration.redactsByDefault { try refuseToStopRedaction(of: older) }
            if try mode == .once && !older.isEmpty() { return try replay(path, configuration, journal) }
        }
        let served = ServedOrigins(
            upstreams: upstreams,
            mapsContent: configuration.mapsOrigins,
            revealing: configuration.givesSecretsBack ? options.secrets : []
        )
        let client = try UpstreamClient(configuration.upstream)
        let pages = try OriginPolicy(configuration.allowedOrigins)
        func forwarder(_ writer: CassetteWriter?) -> Forwarder {
            Forwarder(
                client: client,
                writer: writer,
                keepsCut: configuration.keepsCutAnswers,
                upstreams: upstreams,
                origins: served,
                pages: pages,
                journal: journal
            )
        }
        guard let episodeMode = EpisodeMode(mode) else {
            return Parts(responder: forwarder(nil), upstreams: upstreams, served: served, client: client)
        }
        try refuseInCI(path, mode, configuration)
        let now = Clock.now().unixMilliseconds
        let rules = try parseRules(configuration)
        let writer = try CassetteWriter(
            path: path,
            mode: episodeMode,
            upstreams: upstreams,
            rules: rules,
            secrets: options.secrets,
            now: now
        )
        var responder: any ExchangeResponder = forwarder(writer)
        var replayer: Replayer?
        if mode == .missing {
            let reader = try CassetteReader(path: path)
            defer { reader.close() }
            let older = try Replayer(
                reader,
                upstreams: upstreams,
                newest: writer.newestBefore,
                served: served,
                options: options,
                journal: journal
            )
            responder = MissingRecorder(replayer: older, forwarder: forwarder(writer))
            replayer = older
        }
        return Parts(
            responder: responder,
            replayer: replayer,
            upstreams: upstreams,
            served: served,
            writer: writer,
            client: client,
            path: path
        )
    }

    /// Nil if there is no file yet, or nothing in it.
    private static func reader(ofFilled path: String) throws -> CassetteReader? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        guard size != 0 else { return nil }
        CassetteFile.recover(path)
        return try CassetteReader(path: path)
    }

    /// What is redacted in a cassette is said by its rules, which a run adds to and takes nothing from.
    private static func refuseToStopRedaction(of cassette: CassetteReader) throws {
        if let error = try MockServeError(stoppingRedactionOf: cassette) { throw error }
    }

    private static func refuseRulesOfPassthrough(_ configuration: MockServerConfiguration) throws {
        let rules = try matchRules(configuration)
        guard let first = rules.first else { return }
        throw MockServeError(
            .invalidConfiguration,
            "The mode passthrough matches nothing and keeps nothing, so it has no use for "
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

    private static func parse(_ upstreams: [(name: String, url: String)]) throws -> [Upstream] {
        guard !upstreams.isEmpty else {
            throw MockServeError(
                .invalidConfiguration,
                "Recording needs an upstream: --upstream https://api.example.com"
            )
        }
        return try upstreams.map { name, url in
            guard let origin = Origin(url) else {
                throw MockServeError(
                    .invalidConfiguration,
                    "`\(url)` is no upstream: give scheme, host and port only, such as https://api.example.com."
                )
            }
            return Upstream(name: name, origin: origin)
        }
    }

    /// The caller's address for the first listener; the others get ports of the same host.
    func listenAddresses(_ first: ListenAddress) -> [ListenAddress] {
        let others: ListenAddress
        switch first.kind {
        case .address(let host, _): others = .address(host)
        case .socket: others = .loopback
        }
        return [first] + Array(repeating: others, count: max(0, upstreams.count - 1))
    }

    /// Ends the responder's work, then the recording, then the files next to it.
    func end(on eventLoop: any EventLoop, keeping: Bool, deadline: NIODeadline) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        responder.shutDown(deadline: deadline, on: eventLoop).whenComplete { _ in
            // Checkpointing and writing take their time, which an event loop has not.
            DispatchQueue.global().async { promise.completeWith(Result { try self.finish(keeping: keeping) }) }
        }
        return promise.futureResult
    }

    private func finish(keeping: Bool) throws {
        defer { journal.close() }
        do {
            if let writer {
                let isComplete = journal.summary.failureCount == 0
                let now = Clock.now().unixMilliseconds
                journal.found(try writer.finish(keeping: keeping, isComplete: isComplete, now: now))
            }
            if let error = journal.summary.writeError { throw error }
            guard let coverageFile, let path else { return }
            var used = journal.replayedNumbers
            used.formUnion(journal.recordedNumbers)
            try CoverageFile.add(used, of: path, to: coverageFile)
        } catch let error as CassetteError {
            throw MockServeError(error)
        }
    }
}

extension EpisodeMode {
    /// Nil for a mode that records nothing.
    fileprivate init?(_ mode: RecordMode) {
        switch mode {
        case .once: self = .once
        case .missing: self = .missing
        case .all: self = .all
        case .rewrite: self = .rewrite
        case .passthrough: return nil
        }
    }
}

extension MockServeError {
    /// - Parameter rules: that were given, and a cassette that is replayed has not.
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

    /// Why nothing can be added to a cassette without the redaction of what is redacted by default; nil if it can.
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
