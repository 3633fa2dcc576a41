import ArgumentParser
import Foundation
import MockServe
import MockServeCore
import Synchronization
import UnixSignals

struct ControlCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "control",
        abstract: "Start and stop servers as standard input says, one for each test.",
        discussion: """
            For test frameworks: one process, started once, has a server for each test. Every line of standard input is a JSON \
            object, and so is every answer on standard output; an answer has the `id` of its request, and does not wait for earlier ones.

              {"id": 1, "start": ["a.cassette", "--upstream", "https://api.example.com"], "record": "how to record, for people"}
                → {"id": 1, "server": 1, "url": "http://127.0.0.1:41234", "urls": {"default": "http://127.0.0.1:41234"}, "recording": false}
              {"id": 2, "report": 1}     what is wrong with the answers of server 1 so far
                → {"id": 2, "recorded": 0, "replayed": 1, "misses": 0, "unused": 0, "report": null}
              {"id": 3, "journal": 1}    what it was asked for
                → {"id": 3, "journal": [{"method": "GET", "target": "/a", …}]}
              {"id": 4, "fault": 1, "rule": "GET /a: reset on 2"}
                → {"id": 4}
              {"id": 5, "stop": 1, "keep": true}
                → {"id": 5, "recorded": 0, "replayed": 1, "misses": 0, "unused": 0, "report": null}

            What does not work is answered {"id": 1, "error": "why", "status": 66}, with an exit status of `mockserve run`. \
            `start` takes the options of `run`, but for --env and --live, and --shared. It replays, unless --mode or MOCKSERVE_MODE says otherwise. A cassette that does not exist is an \
            empty one. What a server records replaces its cassette when it is stopped with `keep` and its report is empty; otherwise the cassette stays \
            as it was, unless --keep-failed is given. --shared is for a cassette into which several record at once. At the end of standard input, at SIGTERM, or when a request says \
            "end": true, all servers are stopped, and what they have recorded is dropped.

            EXAMPLE
              echo '{"id": 1, "start": ["github.cassette"]}' | mockserve control
            """
    )

    func run() async throws {
        BackgroundOptions.raiseDescriptorLimit()
        // Ctrl-C is for the tests, which end their servers when they have cleaned up.
        signal(SIGINT, SIG_IGN)
        let servers = ControlledServers()
        let (lines, more) = AsyncStream.makeStream(of: String.self)
        let ending = Task {
            for await _ in await UnixSignalsSequence(trapping: .sigterm, .sighup) { more.finish() }
        }
        defer { ending.cancel() }
        // Reading blocks its thread.
        Thread {
            while let line = readLine() { more.yield(line) }
            more.finish()
        }
        .start()
        await withDiscardingTaskGroup { group in
            for await line in lines where !line.allSatisfy(\.isWhitespace) {
                group.addTask {
                    let (answer, isEnd) = await servers.answer(line)
                    if isEnd { more.finish() }
                    Console.print(answer)
                }
            }
        }
        await servers.stopAll()
    }
}

/// A server as `control` starts it.
struct ControlledServerOptions: ParsableArguments {
    @Argument var cassette: String
    @Flag var shared = false
    @Flag var requireAllUsed = false
    @Flag var keepFailed = false
    @OptionGroup var modes: ModeOption
    @OptionGroup var recording: RecordOptions
    @OptionGroup var serving: ServeOptions

    func validate() throws {
        guard !cassette.isEmpty, !cassette.contains("\0") else {
            throw ValidationError("The name of a cassette is empty.")
        }
        guard !serving.explainConfig else { throw ValidationError("--explain-config is for `mockserve run`.") }
    }

    func configuration(recordedBy command: String?) throws -> MockServerConfiguration {
        var configuration = MockServerConfiguration.test(
            cassette,
            upstreams: [],
            mode: nil,
            isShared: shared,
            recordedBy: command
        )
        try modes.apply(to: &configuration)
        try serving.apply(to: &configuration, cassette: cassette, tellsAtOnce: false)
        try recording.apply(to: &configuration)
        // One from the environment would be for all of them.
        if serving.port == nil, serving.listenFd == nil {
            configuration.listenOnFreePort()
        }
        return configuration
    }
}

/// The servers of `control`.
private final class ControlledServers: Sendable {
    private struct Request: Decodable {
        let id: Int
        var start: [String]?
        var record: String?
        var stop: Int?
        var keep: Bool?
        var report: Int?
        var journal: Int?
        var fault: Int?
        var rule: String?
        var end: Bool?
    }

    /// What can be read of a request that makes no sense.
    private struct Anonymous: Decodable {
        let id: Int
    }

    private struct Problem: Error {
        let status: ExitStatus
        let text: String
    }

    private struct State {
        var last = 0
        var servers: [Int: (options: ControlledServerOptions, server: MockServer)] = [:]
    }

    private let state = Mutex(State())

    /// The answer to a line, and whether it is the last.
    func answer(_ line: String) async -> (String, isEnd: Bool) {
        guard let request = try? JSONDecoder().decode(Request.self, from: Data(line.utf8)) else {
            let text = "This is not a request; `mockserve control --help` shows some: \(line.prefix(200))"
            let id = (try? JSONDecoder().decode(Anonymous.self, from: Data(line.utf8))).map { String($0.id) } ?? "null"
            return (Self.object([("id", id)] + Self.failure(.usage, text)), false)
        }
        let members: Members
        do {
            members = try await self.members(of: request)
        } catch let problem as Problem {
            members = Self.failure(problem.status, problem.text)
        } catch let error as MockServeError {
            members = Self.failure(ExitStatus(error.code), error.message)
        } catch {
            members = Self.failure(.usage, ControlledServerOptions.message(for: error))
        }
        return (Self.object([("id", String(request.id))] + members), request.end == true)
    }

    private typealias Members = [(name: String, json: String)]

    private func members(of request: Request) async throws -> Members {
        if let arguments = request.start { return try await start(arguments, request.record) }
        if let number = request.stop { return try await stop(number, keeping: request.keep ?? false) }
        if let number = request.report {
            let (options, server) = try known(number)
            return try await report(options, server, isEnd: false).members
        }
        if let number = request.journal {
            return [("journal", "[\(try known(number).server.journal.entries.map(\.jsonText).joined(separator: ","))]")]
        }
        if let number = request.fault {
            do {
                try known(number).server.fault(Rule(.fault, request.rule ?? ""))
            } catch let error as RuleError {
                throw Problem(status: .usage, text: error.description)
            }
            return []
        }
        if request.end == true { return [] }
        throw Problem(status: .usage, text: "A request says start, report, journal, fault, stop or end.")
    }

    private func start(_ arguments: [String], _ command: String?) async throws -> Members {
        let options = try ControlledServerOptions.parse(arguments)
        let server = try await MockServer.start(try options.configuration(recordedBy: command))
        options.serving.warn(server)
        do {
            try options.serving.tls.writeAuthority(of: server)
        } catch {
            try? await server.stop()
            throw error
        }
        let number = state.withLock { state in
            state.last += 1
            state.servers[state.last] = (options, server)
            return state.last
        }
        let urls = server.upstreamNames.map { name in
            "\(JSONText.string(name)):\(JSONText.string((server.url(for: name) ?? server.url).absoluteString))"
        }
        return [
            ("server", String(number)), ("url", JSONText.string(server.url.absoluteString)),
            ("urls", "{\(urls.joined(separator: ","))}"), ("recording", String(server.isRecording)),
        ]
    }

    private func known(_ number: Int) throws -> (options: ControlledServerOptions, server: MockServer) {
        guard let known = state.withLock({ $0.servers[number] }) else { throw Self.unknown(number) }
        return known
    }

    private static func unknown(_ number: Int) -> Problem {
        Problem(status: .usage, text: "There is no server \(number), or it was stopped.")
    }

    private func report(_ options: ControlledServerOptions, _ server: MockServer, isEnd: Bool) async throws -> (
        members: Members, isGood: Bool
    ) {
        if isEnd { await server.finishExchanges() }
        let unused = await server.unusedInteractions(if: isEnd && options.requireAllUsed)
        let text = ServerReport(server, unused: unused).text
        let members = [
            ("recorded", String(server.recordedCount)), ("replayed", String(server.replayedCount)),
            ("misses", String(server.missCount)), ("unused", String((try? unused.get().count) ?? 0)),
            ("report", text.map(JSONText.string) ?? "null"),
        ]
        return (members, text == nil)
    }

    private func stop(_ number: Int, keeping: Bool) async throws -> Members {
        guard let (options, server) = state.withLock({ $0.servers.removeValue(forKey: number) }) else {
            throw Self.unknown(number)
        }
        let (members, isGood) = try await report(options, server, isEnd: true)
        if !isGood || !keeping, !options.keepFailed { server.dropEpisode() }
        try await server.stop()
        return members
    }

    func stopAll() async {
        let left = state.withLock { state in
            defer { state.servers = [:] }
            return state.servers.values.map(\.server)
        }
        for server in left {
            server.dropEpisode()
            // Nobody is left to be told.
            try? await server.stop()
        }
    }

    private static func failure(_ status: ExitStatus, _ text: String) -> Members {
        [("error", JSONText.string(text)), ("status", String(status.rawValue))]
    }

    private static func object(_ members: Members) -> String {
        "{" + members.map { "\"\($0.name)\":\($0.json)" }.joined(separator: ",") + "}"
    }
}
