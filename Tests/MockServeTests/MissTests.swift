import CassetteStore
import Foundation
import MockServe
import Testing

/// What a user sees of a miss, as snapshots of the text for a terminal.
@Suite(.timeLimit(.minutes(5)))
struct MissTests {
    private func expected(_ request: String, _ nearest: String, fix: String? = nil, rule: String? = nil) -> String {
        let record = "Record it: mockserve record api.cassette --upstream https://api.example.com --mode missing"
        return "No recorded interaction matches this request:\n\n  \(request)\n\n\(nearest)\n\n\(fix ?? record)\n"
            + (rule.map {
                "Or, if what differs from #1 does not matter: mockserve cassette rule add api.cassette \($0)\n"
            } ?? "")
    }

    private let json = [("Content-Type", "application/json")]
    private let form = [("Content-Type", "application/x-www-form-urlencoded")]

    @Test func aQueryValue() async throws {
        let text = try await miss(
            [Recorded(target: "/a?page=1"), Recorded(target: "/b")],
            Recorded(target: "/a?page=2")
        )
        let nearest = """
            The nearest that were recorded:

              #1 GET /a?page=1
                  query:page
                    asked:    2
                    recorded: 1
            """
        #expect(text == expected("GET /a?page=2", nearest, rule: "--ignore query:page"))
    }

    @Test func aQueryParameterMoreAndOneLess() async throws {
        let text = try await miss([Recorded(target: "/a?x=1&y=2")], Recorded(target: "/a?x=1&z=%C3%BC"))
        let nearest = """
            The nearest that were recorded:

              #1 GET /a?x=1&y=2
                  query:y
                    asked:    (nothing)
                    recorded: 2
                  query:z
                    asked:    ü
                    recorded: (nothing)
            """
        #expect(text == expected("GET /a?x=1&z=%C3%BC", nearest, rule: "--ignore query:y --ignore query:z"))
    }

    @Test func aPathSegment() async throws {
        let text = try await miss(
            [Recorded(target: "/users/1/posts"), Recorded(target: "/health")],
            Recorded(target: "/users/2/posts")
        )
        let nearest = """
            The nearest that were recorded:

              #1 GET /users/1/posts
                  path
                    asked:    /users/2/posts
                    recorded: /users/1/posts
            """
        #expect(text == expected("GET /users/2/posts", nearest))
    }

    @Test func theMethod() async throws {
        let text = try await miss([Recorded(target: "/a")], Recorded(method: "DELETE", target: "/a"))
        let nearest = """
            The nearest that were recorded:

              #1 GET /a
                  method
                    asked:    DELETE
                    recorded: GET
            """
        #expect(text == expected("DELETE /a", nearest))
    }

    @Test func aJSONValueDeepInside() async throws {
        let text = try await miss(
            [
                Recorded(
                    method: "POST",
                    target: "/a",
                    fields: json,
                    body: "{\"user\": {\"tags\": [1, 2], \"my name\": \"x\"}}"
                )
            ],
            Recorded(
                method: "POST",
                target: "/a",
                fields: json,
                body: "{\"user\": {\"my name\": \"y\", \"tags\": [1, 3, 4]}}"
            )
        )
        let nearest = """
            The nearest that were recorded:

              #1 POST /a
                  json:$.user['my name']
                    asked:    "y"
                    recorded: "x"
                  json:$.user.tags[1]
                    asked:    3
                    recorded: 2
                  json:$.user.tags[2]
                    asked:    4
                    recorded: (nothing)
            """
        #expect(
            text
                == expected(
                    "POST /a",
                    nearest,
                    rule: #"--ignore 'json:$.user['\''my name'\'']' --ignore 'json:$.user.tags'"#
                )
        )
    }

    @Test func theNearestOfSeveralBodies() async throws {
        let text = try await miss(
            [
                Recorded(method: "POST", target: "/a", fields: json, body: "{\"a\": 1, \"b\": 1, \"c\": 1}"),
                Recorded(method: "POST", target: "/a", fields: json, body: "{\"a\": 2, \"b\": 2, \"c\": 1}"),
            ],
            Recorded(method: "POST", target: "/a", fields: json, body: "{\"a\": 2, \"b\": 2, \"c\": 2}")
        )
        #expect(text.contains("#2 POST /a\n      json:$.c\n") && text.contains("\n\n  #1 POST /a\n"))
    }

    @Test func aFormField() async throws {
        let text = try await miss(
            [Recorded(method: "POST", target: "/a", fields: form, body: "name=Ada+L&age=36")],
            Recorded(method: "POST", target: "/a", fields: form, body: "age=37&name=Ada%20L")
        )
        let nearest = """
            The nearest that were recorded:

              #1 POST /a
                  form:age
                    asked:    37
                    recorded: 36
            """
        #expect(text == expected("POST /a", nearest, rule: "--ignore form:age"))
    }

    @Test func aTextBody() async throws {
        let text = try await miss(
            [Recorded(method: "PUT", target: "/a", body: "one")],
            Recorded(method: "PUT", target: "/a", body: "two\u{1B}[2J")
        )
        let nearest = """
            The nearest that were recorded:

              #1 PUT /a
                  body
                    asked:    two\u{FFFD}[2J
                    recorded: one
            """
        #expect(text == expected("PUT /a", nearest))
    }

    @Test func theRange() async throws {
        let text = try await miss(
            [Recorded(target: "/a", fields: [("Range", "bytes=0-9")])],
            Recorded(target: "/a", fields: [("Range", "bytes=0-99")])
        )
        let nearest = """
            The nearest that were recorded:

              #1 GET /a
                  field:Range
                    asked:    bytes=0-99
                    recorded: bytes=0-9
            """
        #expect(text == expected("GET /a", nearest))
    }

    @Test func aPlaybackThatHasEnded() async throws {
        let text = try await miss([Recorded(target: "/a")], Recorded(target: "/a"), playback: .once, warmUp: 1)
        let fix =
            "It was recorded, but with --playback once not as the answer to this request now. Try --playback timeline."
        let nearest = """
            The nearest that were recorded:

              #1 GET /a
                  (the same request)
            """
        #expect(text == expected("GET /a", nearest, fix: fix))
    }

    @Test func anEmptyCassette() async throws {
        try await withFolder { folder in
            let path = folder.appendingPathComponent("api.cassette").path
            let writer = try CassetteWriter(path: path, mode: .hand, upstreams: [], now: 1)
            let made = try CassetteReader(path: path)
            try await withMockServer(.lenient(path)) { server in
                let answer = try RawClient.exchange(
                    server.port,
                    "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                #expect(answer.contains("\"detail\": \"The cassette is empty.\"") && answer.contains("\"nearest\": []"))
            }
            made.close()
            try writer.finish(keeping: true, now: 2)
        }
    }

    @Test func programsAreToldInJSON() async throws {
        try await withCassette([Recorded(target: "/a?page=1")]) { path in
            try await withMockServer(.lenient(path)) { server in
                for fields in ["", "Accept: application/json\r\nUser-Agent: curl/8\r\n", "Accept: */*\r\n"] {
                    let answer = try RawClient.exchange(
                        server.port,
                        "GET /a?page=%22 HTTP/1.1\r\nHost: localhost\r\n\(fields)Connection: close\r\n\r\n"
                    )
                    #expect(answer.contains("Content-Type: application/problem+json\r\n"))
                    let body = try #require(answer.components(separatedBy: "\r\n\r\n").last)
                    let problem = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
                    #expect(problem?["detail"] as? String == "The nearest, interaction 1, differs in query:page.")
                    #expect(problem?["ignore"] as? [String] == ["query:page"])
                    let nearest = try #require((problem?["nearest"] as? [[String: Any]])?.first)
                    let difference = try #require((nearest["differences"] as? [[String: String]])?.first)
                    #expect(difference == ["part": "query:page", "asked": "\"", "recorded": "1"])
                }
            }
        }
    }

    /// The client of OpenAI, for example, shows only `message`, or `message` in `error`.
    @Test func clientsThatShowOnlyAMessageShowWhatDiffers() async throws {
        try await withCassette([Recorded(target: "/v1/models?page=1&sort=up")]) { path in
            try await withMockServer(.lenient(path)) { server in
                let answer = try RawClient.exchange(
                    server.port,
                    "GET /v1/models?page=2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                let body = try #require(answer.components(separatedBy: "\r\n\r\n").last)
                let problem = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
                let message = """
                    No recorded interaction matches GET /v1/models?page=2: the nearest, #1, differs in query:page \
                    (asked: 2, recorded: 1), and in query:sort.
                    """
                #expect(problem?["message"] as? String == message)
                #expect(problem?["error"] as? [String: String] == ["message": message, "type": "mockserve_miss"])
                #expect(server.misses.first?.summary == message)
            }
        }
    }

    @Test func aReportIsNeverLong() async throws {
        let long = (0..<300).map { "name\($0)=\(String(repeating: "v", count: 30))" }.joined(separator: "&")
        let text = try await miss(
            [Recorded(target: "/a"), Recorded(target: "/a?x=1"), Recorded(target: "/a?y=2")],
            Recorded(target: "/a?\(long)")
        )
        #expect(text.contains("…") && text.contains("query:name0"))
    }

    @Test func parallelMissesAreAllTold() async throws {
        try await withCassette((0..<300).map { Recorded(target: "/items/\($0)") }) { path in
            try await withMockServer(.lenient(path)) { server in
                let port = server.port
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            let answer = try RawClient.exchange(
                                port,
                                "GET /items/\(number)/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                            )
                            #expect(answer.contains("/items/\(number)"))
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(server.missCount == 40)
            }
        }
    }
}

extension MockServerConfiguration {
    /// A replay in which misses are what is tested.
    fileprivate static func lenient(_ path: String) -> MockServerConfiguration {
        var configuration = MockServerConfiguration.replay(path)
        configuration.failsOnMisses = false
        return configuration
    }
}

@Suite(.timeLimit(.minutes(5)))
struct LoudnessTests {
    private let cassette = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../../cassettes/httpbin.cassette").standardized.path
    private let request = "GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    private func failure(_ body: () async throws -> Void) async -> MockServeError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? MockServeError
        }
    }

    @Test func aMissFailsTheScopeThatSwallowedIt() async throws {
        let error = await failure {
            try await withMockServer(.replay(cassette)) { server in
                _ = try RawClient.exchange(server.port, request)
                _ = try RawClient.exchange(server.port, request)
            }
        }
        #expect(error?.code == .unmatchedRequests)
        #expect(error?.message.contains("GET /nowhere") == true && error?.message.contains("1 more") == true)
    }

    @Test func itFailsASynchronousScopeToo() throws {
        #expect(throws: MockServeError.self) {
            try withMockServer(.replay(cassette)) { server in _ = try RawClient.exchange(server.port, request) }
        }
    }

    @Test func theErrorOfTheBodyComesFirst() async throws {
        struct Oops: Error {}
        await #expect(throws: Oops.self) {
            try await withMockServer(.replay(cassette)) { server in
                _ = try RawClient.exchange(server.port, request)
                throw Oops()
            }
        }
    }

    @Test func unusedInteractionsFailTheScopeThatRequiresAll() async throws {
        var configuration = MockServerConfiguration.replay(cassette)
        configuration.unused = .fail
        let error = await failure {
            try await withMockServer(configuration) { server in
                #expect(try server.unused.count == 11)
                _ = try RawClient.exchange(
                    server.port,
                    "GET /uuid HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                #expect(try server.unused.count == 10)
            }
        }
        #expect(error?.code == .unusedInteractions)
        #expect(error?.message.hasPrefix("10 recorded interactions were not used:\n  #1 GET /get\n") == true)
        #expect(error?.message.contains("#10 GET") == false)
    }
}
