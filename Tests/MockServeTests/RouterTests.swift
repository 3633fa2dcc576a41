import Foundation
import HTTPTypes
import MockServeCore
import Synchronization
import Testing

@testable import MockServe

/// Small services of a user, alone and in front of a recording.
@Suite(.timeLimit(.minutes(5)))
struct RouterTests {
    private struct User: Codable, Equatable {
        var id: Int
        var name: String
    }

    private func ask(_ server: MockServer, _ target: String) throws -> String { try ask(server, "GET", target) }

    private func ask(
        _ server: MockServer,
        _ method: String,
        _ target: String,
        _ fields: String = "",
        _ body: String = ""
    ) throws -> String {
        let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
        return try RawClient.exchange(
            server.port,
            "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(fields)\(length)\r\n\(body)"
        )
    }

    @Test(
        arguments: [
            ("/", "/", [:]), ("/a", "/a", [:]), ("/a", "/a/", nil), ("/a", "/b", nil), ("/a/{id}", "/a/7", ["id": "7"]),
            ("/a/{id}", "/a/", nil), ("/a/{id}", "/a/x%20y", ["id": "x y"]), ("/a/{id}/b", "/a/7/b", ["id": "7"]),
            ("/a/{x}/{y}", "/a/1/2", ["x": "1", "y": "2"]), ("/a/**", "/a/b/c", [:]), ("/a/**", "/a", [:]),
            ("/a/**", "/b", nil),
            ("/a b", "/a%20b", nil), ("/a%20b", "/a%20b", [:]), ("/\u{e9}", "/%C3%A9", [:]),
        ] as [(String, String, [String: String]?)]
    )
    func pathsFitTheirTemplates(_ template: String, _ path: String, _ parameters: [String: String]?) throws {
        guard let made = try? PathTemplate(template) else {
            #expect(parameters == nil)
            return
        }
        #expect(made.match(path) == parameters)
    }

    @Test(arguments: ["", "a", "/{", "/{}", "/a{id}", "/{a}/{a}", "/**/a", "/a?b=c", "/a b", "/{a}{b}"])
    func aPathThatIsNoneIsToldAtTheStart(_ path: String) async throws {
        var router = Router()
        router.get(path) { _ in .text("") }
        await #expect(throws: MockServeError.self) { try await router.respond(to: MockRequest()) }
        var configuration = MockServerConfiguration.responding(with: ClosureResponder { _ in .text("") })
        configuration.routes = router
        let error = await #expect(throws: MockServeError.self) { try await MockServer.start(configuration) }
        #expect(error?.code == .invalidConfiguration && error?.message.contains("GET \(path)") == true)
    }

    @Test func aRequestIsReadAsItsParts() async throws {
        let request = MockRequest(
            method: .post,
            path: "/search?q=a+b&tag=x&tag=%79&empty",
            fields: [.contentType: "application/x-www-form-urlencoded; charset=utf-8"],
            body: Array("name=Ada%20L&x=1".utf8)
        )
        #expect(request.path == "/search" && request.method == .post)
        #expect(request.query["q"] == "a b" && request.query.all("tag") == ["x", "y"] && request.query["empty"] == "")
        #expect(request.query["none"] == nil && request.query.pairs.count == 4)
        #expect(request.form["name"] == "Ada L" && request.form["x"] == "1")
        #expect(MockRequest(body: Array("name=x".utf8)).form.pairs.isEmpty && MockRequest().query.pairs.isEmpty)
        let json = MockRequest(body: Array(#"{"id": 1, "name": "Ada"}"#.utf8))
        #expect(try json.json(as: User.self) == User(id: 1, name: "Ada"))
        #expect(throws: DecodingError.self) { try request.json(as: User.self) }
        #expect(json == MockRequest(body: json.body) && json != request)
    }

    @Test func aSmallService() async throws {
        var router = Router()
        router.get("/users/{id}") { request in
            guard let id = request.parameters["id"].flatMap({ Int($0) }) else {
                return .text("no", status: .badRequest)
            }
            return try .json(User(id: id, name: "Ada"))
        }
        router.post("/users") { request in try .json(request.json(as: User.self), status: .created) }
        router.delete("/users/{id}") { _ in MockResponse(status: .noContent) }
        router.put("/users/{id}") { request in .text(request.parameters["id"] ?? "") }
        router.patch("/users/{id}") { _ in .abort }
        router.get("/old") { _ in .redirect(to: "/users/1", status: .movedPermanently) }
        router.get("/events") { _ in
            .events([ServerSentEvent(data: "a\nb", event: "x", id: "1"), ServerSentEvent(data: "")])
        }
        router.get("/stream") { _ in
            .events(
                AsyncStream {
                    for data in ["1", "2"] { $0.yield(ServerSentEvent(data: data)) }; $0.finish()
                }
            )
        }
        router.get("/trailers") { _ in
            var response = MockResponse.text("body")
            response.trailers = [.eTag: "\"1\""]
            response.informational = [HTTPResponse(status: .init(code: 103, reasonPhrase: "Early Hints"))]
            return response
        }
        router.get("/slow") { _ in .text("late").delayed(by: .milliseconds(150)) }
        try await withMockServer(.responding(with: router)) { server in
            try #expect(ask(server, "/users/7").hasSuffix("\r\n\r\n{\"id\":7,\"name\":\"Ada\"}"))
            try #expect(ask(server, "/users/x").hasPrefix("HTTP/1.1 400 "))
            let head = try ask(server, "HEAD", "/users/7")
            #expect(
                head.hasPrefix("HTTP/1.1 200 ") && head.hasSuffix("\r\n\r\n") && head.contains("Content-Length: 21\r\n")
            )
            try #expect(ask(server, "POST", "/users", "", #"{"id":1,"name":"B"}"#).hasPrefix("HTTP/1.1 201 "))
            try #expect(ask(server, "DELETE", "/users/1").hasPrefix("HTTP/1.1 204 "))
            try #expect(ask(server, "PUT", "/users/a%2Fb").hasSuffix("a/b"))
            try #expect(ask(server, "PATCH", "/users/1").isEmpty)
            let moved = try ask(server, "/old")
            #expect(moved.hasPrefix("HTTP/1.1 301 ") && moved.contains("Location: /users/1\r\n"))
            try #expect(ask(server, "/events").hasSuffix("\r\n\r\nevent: x\nid: 1\ndata: a\ndata: b\n\ndata: \n\n"))
            try #expect(ask(server, "/stream").hasSuffix("9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n"))
            let early = try ask(server, "/trailers")
            #expect(early.hasPrefix("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n"))
            #expect(early.hasSuffix("\r\n4\r\nbody\r\n0\r\nETag: \"1\"\r\n\r\n"))
            let start = ContinuousClock.now
            try #expect(ask(server, "/slow").hasSuffix("late"))
            #expect(ContinuousClock.now - start >= .milliseconds(150))
            let other = try ask(server, "POST", "/old")
            #expect(other.hasPrefix("HTTP/1.1 405 ") && other.contains("Allow: GET, HEAD\r\n"))
            let none = try ask(server, "/nowhere")
            #expect(none.hasPrefix("HTTP/1.1 404 ") && none.contains("GET /users/{id}\n"))
        }
    }

    @Test func eventsAreMadeNoFasterThanTheyAreRead() async throws {
        let made = Mutex(0)
        var router = Router()
        router.get("/endless") { _ in
            .events(
                AsyncStream {
                    made.withLock { $0 += 1 }
                    return ServerSentEvent(data: String(repeating: "x", count: 64 << 10))
                }
            )
        }
        try await withMockServer(.responding(with: router)) { server in
            let client = try RawClient(port: server.port)
            client.send("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
            // Until no more come: the client reads nothing.
            var (before, now) = (-1, 0)
            while before != now || now == 0 {
                try await Task.sleep(for: .milliseconds(100))
                (before, now) = (now, made.withLock { $0 })
            }
            // Sockets and the channel hold some megabytes.
            #expect(now < 1000)
        }
    }

    @Test func aFileIsAnsweredByWhatItsNameEndsIn() async throws {
        try await withFolder { folder in
            let page = folder.appendingPathComponent("index.html")
            try Data("<p>".utf8).write(to: page)
            let response = try MockResponse.file(page.path)
            #expect(response.fields[.contentType] == "text/html; charset=utf-8" && response.status == .ok)
            #expect(try MockResponse.file(page.path, contentType: "text/plain").fields[.contentType] == "text/plain")
            #expect(throws: (any Error).self) { try MockResponse.file(folder.path + "/none") }
        }
    }

    /// A replay in which one endpoint has a handler.
    @Test(arguments: [false, true])
    func routesAnswerBeforeARecording(_ records: Bool) async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("a.cassette").path
            try await withMockServer(responder: { .text("real \($0.path)") }) { upstream in
                var recording = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString)
                recording.recordsInCI = true
                if records { recording.routes.post("/charges/{id}") { _ in .text("not recorded") } }
                try await withMockServer(recording) { server in
                    try #expect(ask(server, "/users").hasSuffix("real /users"))
                    if records { try #expect(ask(server, "POST", "/charges/1").hasSuffix("not recorded")) }
                    #expect(server.recordedCount == 1)
                }
            }
            var replay = MockServerConfiguration.replay(path)
            replay.routes.post("/charges/{id}") { .text("declined \($0.parameters["id"] ?? "")", status: 402) }
            replay.routes.get("/users/me") { _ in .text("mine") }
            try await withMockServer(replay) { server in
                for _ in 0..<3 { try #expect(ask(server, "/users").hasSuffix("real /users")) }
                let declined = try ask(server, "POST", "/charges/7", "", "{}")
                #expect(declined.hasPrefix("HTTP/1.1 402 ") && declined.hasSuffix("declined 7"))
                try #expect(ask(server, "/users/me?x=1").hasSuffix("mine"))
                #expect(server.replayedCount == 3 && server.missCount == 0)
            }
        }
    }
}
