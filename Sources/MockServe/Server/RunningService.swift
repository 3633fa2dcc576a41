import HTTPMessages
import CassetteStore
import Dispatch
import Foundation
import MockServeCore
import NIOCore
import ServerCertificates

/// What a server runs, made from its configuration: the chain of services, chosen once, and what must be closed at the
/// end.
final class RunningService: Sendable {
    /// The first service of the chain, which gets every exchange.
    let exchanges: any ExchangeService
    /// One for each listener. If this is empty, there is one listener.
    let upstreams: [Upstream]
    let table: UpstreamTable
    /// What the server shows to clients that speak TLS.
    let tls: ServerTLS
    let journal: ScopeJournal
    /// Nil if nothing is recorded.
    let writer: CassetteWriter?
    /// Nil if nothing is replayed.
    let replayer: Replayer?
    /// In front of all others; may change while the server runs.
    let stubs = StubStore()
    let faults: FaultStore
    /// Whose answers may be prepared; nil if a service in front of it must see every exchange.
    private let preparing: Replayer?
    /// Nil if nothing is forwarded.
    let client: UpstreamClient?
    private let coverageFile: String?
    /// Nil if nothing is replayed or recorded.
    private let path: String?
    /// Where that is, wherever the process goes.
    private let file: String?
    private let copy: RecordingCopy?
    private let cassette: String?

    struct Parts {
        var exchanges: any ExchangeService
        var replayer: Replayer?
        var upstreams: [Upstream] = []
        var table: UpstreamTable
        var writer: CassetteWriter?
        var client: UpstreamClient?
        var path: String?
        /// What is recorded into instead.
        var copy: RecordingCopy?
    }

    init(_ configuration: MockServerConfiguration) throws {
        if let problem = configuration.environmentProblem { throw MockServeError(.invalidConfiguration, problem) }
        if let problem = configuration.routes.problem { throw MockServeError(.invalidConfiguration, problem) }
        let certificates = try CertificateFiles(configuration.certificates)
        journal = try ScopeJournal(configuration)
        coverageFile = configuration.coverageFile
        let faults = FaultStore()
        self.faults = faults
        let parts: Parts
        do {
            switch configuration.service {
            case .responder(let responder):
                let table = UpstreamTable([], mapsContent: false)
                let limit = configuration.limits.responderBody
                parts = Parts(exchanges: ResponderService(responder, bodyLimit: limit, journal: journal), table: table)
            case .replay(let path):
                parts = try Self.replay(path, configuration, faults, journal)
            case .record(let path, let upstreams, let mode):
                parts = try Self.record(path, upstreams, mode, configuration, faults, journal)
            }
        } catch {
            journal.close()
            throw (error as? CassetteError).map { MockServeError($0) } ?? error
        }
        for rule in configuration.faults { faults.add(rule) }
        let limit = configuration.limits.responderBody
        var exchanges = parts.exchanges
        var preparing = parts.replayer
        if let replayer = parts.replayer {
            exchanges = StubService(replayer.stubs, bodyLimit: limit, next: exchanges)
        }
        if !configuration.routes.isEmpty {
            preparing = nil
            let handlers = ResponderService(configuration.routes, bodyLimit: limit, journal: journal)
            exchanges = RoutedService(configuration.routes, handlers: handlers, next: exchanges)
        }
        exchanges = StubService(ProgramStubs(stubs, journal), bodyLimit: limit, next: exchanges)
        exchanges = FaultService(faults, journal: journal, next: exchanges)
        if let replayer = parts.replayer { exchanges = FollowingService(replayer, next: exchanges) }
        if configuration.journalLimits.body > 0 {
            let bodyLimit = configuration.journalLimits.body
            exchanges = LoggingService(exchanges, limit: bodyLimit, redactor: journal.redactor)
            preparing = nil
        }
        self.exchanges = exchanges
        self.preparing = preparing
        upstreams = parts.upstreams
        table = parts.table
        tls = ServerTLS(certificates, for: ServedNames(configuration, parts.upstreams))
        writer = parts.writer
        replayer = parts.replayer
        client = parts.client
        path = parts.path
        copy = parts.copy
        cassette = parts.path.map { URL(fileURLWithPath: $0).path }
        file = (parts.copy?.path ?? parts.path).map { URL(fileURLWithPath: $0).path }
    }

    /// The short cut of HTTP/1 on one event loop, if there is one. Must be called on that event loop.
    func preparedAnswers(on eventLoop: any EventLoop) -> (any PreparedAnswers)? {
        preparing.map { GuardedPreparedAnswers(stubs, $0.loopReplayer(on: eventLoop)) }
    }

    /// When the first interaction was recorded; nil if there is none.
    func recordedAt() throws -> Date? {
        // A copy is gone once the recording has ended.
        guard let file = [file, cassette].compactMap({ $0 }).first(where: FileManager.default.fileExists) ?? cassette
        else {
            return nil
        }
        do {
            let reader = try CassetteReader(path: file)
            defer { reader.close() }
            return try reader.recordedAt().map { Date(timeIntervalSince1970: Double($0) / 1000) }
        } catch let error as CassetteError {
            throw MockServeError(error)
        }
    }

    /// The given address for the first listener. The others get free ports of the same host, or of loopback if that is
    /// a socket.
    func listenAddresses(_ first: ListenAddress) -> [ListenAddress] {
        let others: ListenAddress
        switch first.kind {
        case .address(let host, _): others = .address(host)
        case .socket: others = .loopback
        }
        return [first] + Array(repeating: others, count: max(0, upstreams.count - 1))
    }

    /// Shuts the services down, then ends the recording, then writes the coverage and journal files.
    func end(on eventLoop: any EventLoop, keeping: Bool, deadline: NIODeadline) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        exchanges.shutDown(deadline: deadline, on: eventLoop).whenComplete { _ in
            // Checkpointing and writing would block the event loop for too long.
            DispatchQueue.global().async { promise.completeWith(Result { try self.finish(keeping: keeping) }) }
        }
        return promise.futureResult
    }

    private func finish(keeping: Bool) throws {
        defer { journal.close() }
        do {
            var finished = FinishedRecording()
            if let writer {
                let isComplete = journal.summary.failureCount == 0
                let now = Clock.now().unixMilliseconds
                do {
                    finished = try writer.finish(keeping: keeping, isComplete: isComplete, now: now)
                    journal.found(finished)
                    if let error = journal.summary.writeError { throw error }
                } catch {
                    copy?.discard()
                    throw error
                }
                if let copy {
                    let isNew = journal.summary.recorded > 0 && !finished.isAsBefore
                    if keeping, isNew { try copy.publish() } else { copy.discard() }
                }
            }
            guard let coverageFile, let path else { return }
            var used = journal.replayedNumbers
            for number in journal.recordedNumbers.numbers { used.insert(finished.numbers[number] ?? number) }
            try CoverageFile.add(used, of: path, to: coverageFile)
        } catch let error as CassetteError {
            throw MockServeError(error)
        }
    }
}
