import ArgumentParser
import Foundation
import HTTPTypes
import HTTPMessages
import MockServe
import MockServeCore

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Record an embedded upstream, stop it, and replay it offline.",
        discussion: """
            Needs no network. Every step shows the command line that would do the same.

            EXAMPLE
              mockserve demo
              mockserve demo --keep demo.cassette && mockserve cassette list demo.cassette
            """
    )

    @Option(help: ArgumentHelp("Keep the cassette as this file.", valueName: "file"), completion: .file())
    var keep: String?

    func validate() throws {
        if let keep, FileManager.default.fileExists(atPath: keep) {
            throw ValidationError("--keep \(keep): the file exists already. Name another, or remove it.")
        }
    }

    func run() async throws {
        try await ExitStatus.reporting {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mockserve-demo-\(UUID())")
            defer { try? FileManager.default.removeItem(at: folder) }
            let path = keep ?? folder.appendingPathComponent("demo.cassette").path
            try await record(into: path)
            try await replay(path)
        }
    }

    private static let requests = [
        RequestHead(method: Array("GET".utf8), target: Array("/users/1".utf8)),
        RequestHead(
            method: Array("POST".utf8),
            target: Array("/users".utf8),
            fields: ["Content-Type": "application/json"]
        ),
        RequestHead(method: Array("GET".utf8), target: Array("/events".utf8)),
    ]

    private func body(of request: RequestHead) -> String {
        request.method == Array("POST".utf8) ? #"{"name": "Grace"}"# : ""
    }

    private func record(into path: String) async throws {
        try await withMockServer(responder: DemoUpstream.respond) { upstream in
            step("An upstream is listening on \(upstream.url).")
            var configuration = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString, mode: .once)
            // The demo is the same whatever the environment says.
            configuration.upstream = UpstreamOptions()
            configuration.recordsInCI = true
            step("Record it:", "mockserve record demo.cassette --upstream \(upstream.url)")
            try await withMockServer(configuration) { server in
                for request in Self.requests { try await show(request, server) }
            }
        }
        step("The upstream is stopped. What was recorded:", "mockserve cassette list demo.cassette")
        try ListCommand.parse([path]).run()
    }

    private func replay(_ path: String) async throws {
        step("Replay it, offline:", "mockserve replay demo.cassette")
        var configuration = MockServerConfiguration.replay(path)
        configuration.failsOnMisses = false
        try await withMockServer(configuration) { server in
            for request in Self.requests { try await show(request, server) }
            step("A request that was not recorded is a miss, never a guess:")
            try await show(RequestHead(method: Array("GET".utf8), target: Array("/users/2".utf8)), server)
            Console.print("\n\(server.replayedCount) replayed, \(server.missCount) missed, as it should be.")
        }
        if let keep { Console.print("The cassette is \(keep).") }
    }

    private func step(_ text: String, _ command: String? = nil) {
        Console.print("\n# \(text)")
        if let command { Console.print("$ \(command)") }
    }

    private func show(_ request: RequestHead, _ server: MockServer) async throws {
        let body = body(of: request)
        let method = Latin1.string(request.method)
        var line = "curl -i"
        if !body.isEmpty { line += " -H 'Content-Type: application/json' -d '\(body)'" }
        Console.print("\n$ \(line) \(server.url)\(Latin1.string(request.target))")
        guard let origin = Origin(server.url.absoluteString) else { return }
        let answer = try await PlainClient.send(request, body: Array(body.utf8), to: origin)
        let reason = answer.head.reason.map { " " + Latin1.string($0) } ?? ""
        Console.print("\(answer.head.version.rawValue) \(answer.head.status)\(reason)")
        for field in answer.head.fields where !field.isNamed("connection") {
            Console.print("\(Latin1.string(field.name)): \(Latin1.string(field.value))")
        }
        let text = String(decoding: answer.body, as: UTF8.self).trimmingCharacters(in: .newlines)
        Console.print("\n\(text)")
        let isMiss = answer.head.fields.contains("mockserve-miss")
        guard isMiss || answer.head.status < 400 else {
            throw MockServeError(.upstreamUnreachable, "\(method) was answered \(answer.head.status), not as expected.")
        }
    }
}

/// The service that the demo records: a user, a way to add one, and a stream of events.
private enum DemoUpstream {
    @Sendable
    static func respond(to request: MockRequest) async throws -> MockResponse {
        switch (request.head.method, request.path) {
        case (.get, "/users/1"):
            return .json(#"{"id": 1, "name": "Ada", "url": "\#(origin(request))/users/1"}"#)
        case (.post, "/users"):
            var response = MockResponse.json(#"{"id": 2, "created": \#(request.text)}"#, status: .created)
            response.fields[.location] = "\(origin(request))/users/2"
            return response
        case (.get, "/events"):
            let events = AsyncThrowingStream<[UInt8], any Error> { stream in
                for number in 1...3 { stream.yield(Array("data: event \(number)\n\n".utf8)) }
                stream.finish()
            }
            return MockResponse(status: .ok, fields: [.contentType: "text/event-stream"], stream: events)
        default:
            return .text("nothing here\n", status: .notFound)
        }
    }

    private static func origin(_ request: MockRequest) -> String { "http://\(request.head.authority ?? "")" }
}
