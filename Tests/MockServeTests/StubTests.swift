import Foundation
import HTTPTypes
import MockServe
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite struct StubTests {
    private func ask(
        _ server: MockServer,
        _ method: String,
        _ path: String,
        body: String? = nil,
        type: String = "application/json"
    ) async throws -> (status: Int, text: String) {
        var request = URLRequest(url: try #require(URL(string: server.url.absoluteString + path)))
        request.httpMethod = method
        request.httpBody = body.map { Data($0.utf8) }
        request.setValue(type, forHTTPHeaderField: "Content-Type")
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        return (status, String(decoding: data, as: UTF8.self))
    }

    private func withServer(_ body: (MockServer) async throws -> Void) async throws {
        try await withMockServer(responder: { request in .text("handler \(request.text)") }, body)
    }

    @Test func answersBeforeEverythingElse() async throws {
        try await withServer { (server: MockServer) async throws in
            #expect(try await ask(server, "GET", "/users/7").text == "handler ")
            let stub = server.stub(.get("/users/{id}"), .json(["id": 1]))
            #expect(try await ask(server, "GET", "/users/7").text == #"{"id":1}"#)
            #expect(try await ask(server, "GET", "/users").text == "handler ")
            #expect(try await ask(server, "POST", "/users/7", body: "x").text == "handler x")
            server.stub(.get("/users/{id}")) { request in .text("user \(request.parameters["id"] ?? "")") }
            #expect(try await ask(server, "GET", "/users/7?a=b").text == "user 7")
            #expect(stub.requestCount == 1)
            #expect(stub.requests.map(\.path) == ["/users/7"])
        }
    }

    @Test func looksAtBodiesQueriesAndFields() async throws {
        try await withServer { (server: MockServer) async throws in
            let json: JSONValue = ["amount": 5, "card": ["last4": "4242"], "tags": [["a": 1]]]
            server.stub(.post("/charges"), .status(201), body: .json(containing: json))
            server.stub(.post("/exact"), .text("exact"), body: .json(["a": [1, 2.5, nil, true]]))
            server.stub(.post("/form"), .text("form"), body: .form(["user": "anna"]))
            server.stub(.get("/list"), .text("second"), query: ["page": "2"])
            server.stub(.any("/typed"), .text("typed"), fields: ["content-type": "text/x"])
            let charge = #"{"tags":[{"a":1,"b":2}],"card":{"last4":"4242","year":30},"amount":5,"currency":"eur"}"#
            #expect(try await ask(server, "POST", "/charges", body: charge).status == 201)
            #expect(try await ask(server, "POST", "/charges", body: #"{"amount":6}"#).text == #"handler {"amount":6}"#)
            #expect(try await ask(server, "POST", "/exact", body: #"{ "a": [1.0, 2.5, null, true] }"#).text == "exact")
            #expect(try await ask(server, "POST", "/exact", body: #"{"a":[1,2.5,null,true],"b":1}"#).text != "exact")
            let form = "application/x-www-form-urlencoded"
            #expect(try await ask(server, "POST", "/form", body: "x=1&user=anna", type: form).text == "form")
            #expect(try await ask(server, "GET", "/list?page=2&x=1").text == "second")
            #expect(try await ask(server, "GET", "/list?page=1").text == "handler ")
            #expect(try await ask(server, "PUT", "/typed", body: "x", type: "text/x").text == "typed")
        }
    }

    @Test func isUsedUpAndRemoved() async throws {
        try await withServer { (server: MockServer) async throws in
            let old = server.stub(.get("/a"), .text("old"))
            server.stub(.get("/a"), .text("new")).times(2)
            server.stub(.get("/b"), .sequence([.text("1"), .status(503), .text("3")]))
            for expected in ["new", "new", "old", "old"] {
                #expect(try await ask(server, "GET", "/a").text == expected)
            }
            old.remove()
            old.remove()
            #expect(try await ask(server, "GET", "/a").text == "handler ")
            #expect(try await ask(server, "GET", "/b").text == "1")
            #expect(try await ask(server, "GET", "/b").status == 503)
            #expect(try await ask(server, "GET", "/b").text == "3")
            #expect(try await ask(server, "GET", "/b").text == "3")
        }
    }

    @Test func saysWhatIsWrong() async throws {
        try await withServer { (server: MockServer) async throws in
            server.stub(.get("no slash"), .text("x"))
            let answer = try await ask(server, "GET", "/anything")
            #expect(answer.status == 500 && answer.text.contains("The path of a stub, no slash, makes no sense"))
        }
    }

    /// A long body goes on to whoever is next, whole.
    @Test func passesLongBodiesOn() async throws {
        try await withMockServer(
            {
                var configuration = MockServerConfiguration.responding(
                    with: ClosureResponderOfLengths()
                )
                configuration.limits.responderBody = 1 << 20
                return configuration
            }()
        ) { server in
            server.stub(.post("/a"), .text("stub"), body: .text("never"))
            let body = String(repeating: "x", count: 300_000)
            let answer = try await ask(server, "POST", "/a", body: body)
            #expect(answer.text == "300000")
        }
    }

    /// In front of a replay, whose short cuts know nothing of stubs, on a connection that is kept.
    @Test func standsInFrontOfAReplay() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("stub-\(UUID().uuidString).cassette")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await withMockServer(responder: { _ in .text("recorded") }) { upstream in
            var configuration = MockServerConfiguration.record(path, upstream: upstream.url.absoluteString, mode: .once)
            configuration.recordsInCI = true
            try await withMockServer(configuration) { server in
                let stub = server.stub(.get("/stubbed"), .text("stub"))
                let recorded = try await ask(server, "GET", "/a")
                let stubbed = try await ask(server, "GET", "/stubbed")
                #expect(recorded.text == "recorded" && stubbed.text == "stub")
                #expect(server.recordedCount == 1 && stub.requestCount == 1)
            }
        }
        try await withMockServer(.replay(path)) { server in
            func expect(_ text: String) async throws {
                for _ in 0..<3 {
                    let answer = try await ask(server, "GET", "/a")
                    #expect(answer.text == text)
                }
            }
            try await expect("recorded")
            let stub = server.stub(.get("/a"), .text("stub"))
            try await expect("stub")
            stub.remove()
            try await expect("recorded")
        }
    }

    /// A client that waits is told to go on, once, whoever answers; also where there is no cassette yet.
    @Test func clientsThatWaitAreToldOnce() async throws {
        @Sendable func post(_ port: Int) throws -> [String] {
            let client = try RawClient(port: port)
            client.send(
                "POST /a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
            )
            let first = client.read { $0.contains("\r\n\r\n") }
            client.send("hi")
            return (first + client.readToEnd()).components(separatedBy: "HTTP/1.1 ").map { String($0.prefix(3)) }
        }
        try await withServer { (server: MockServer) async throws in
            server.stub(.post("/a"), .text("never"), body: .text("other"))
            let passed = try await offPool { try post(server.port) }
            #expect(passed == ["", "100", "200"])
            server.stub(.post("/a"), .status(201), body: .text("hi"))
            let stubbed = try await offPool { try post(server.port) }
            #expect(stubbed == ["", "100", "201"])
        }
        var absent = MockServerConfiguration.replay("/nowhere/none.cassette")
        absent.startsWithoutCassette = true
        absent.failsOnMisses = false
        try await withMockServer(absent) { (server: MockServer) async throws in
            let missed = try await offPool { try post(server.port) }
            #expect(missed == ["", "100", "404"])
            #expect(
                server.misses.first?.explanation.contains("There is no cassette yet: /nowhere/none.cassette") == true
            )
        }
    }

    /// While others ask, stubs come and go.
    @Test func changesWhileItServes() async throws {
        try await withServer { (server: MockServer) async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<8 {
                    group.addTask { () async throws in
                        for number in 0..<40 {
                            let path = "/t\(task)/\(number)"
                            let stub = server.stub(.get(path), .text(path))
                            #expect(try await ask(server, "GET", path).text == path)
                            stub.remove()
                            #expect(try await ask(server, "GET", path).text == "handler ")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}

private struct ClosureResponderOfLengths: Responder {
    func respond(to request: MockRequest) async throws -> MockResponse { .text(String(request.body.count)) }
}
