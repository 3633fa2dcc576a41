import Foundation
import HTTPTypes
import MockServe
import MockServeTesting
import Testing
import XCTest

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The examples of the articles in the documentation catalogs of `MockServe` and `MockServeTesting`, as they are there, each
/// between a line that names its article and a line that ends it.
@Suite(.timeLimit(.minutes(5)))
struct ArticleExamples {
    /// The paths of cassettes in the examples are relative to the repository.
    private func enterRepository() throws {
        let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized
        try #require(FileManager.default.changeCurrentDirectoryPath(root.path))
    }

    /// Runs `body` with the path of a cassette that does not exist yet and is removed in the end.
    private func withCassette(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mockserve-articles-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.appendingPathComponent("service.cassette").path)
    }

    @Test func theFirstServer() async throws {
        // Article: MockServe
        try await withMockServer(responder: { request in .text("hello \(request.path)") }) { server in
            let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "world"))
            #expect(String(decoding: data, as: UTF8.self) == "hello /world")
        }
        // End
    }

    // MARK: Getting started

    @Test func aClientWithABaseURL() async throws {
        // Article: GettingStarted
        struct UserClient {
            let baseURL: URL

            func name(of id: Int) async throws -> String? {
                let (data, _) = try await URLSession.shared.data(from: baseURL.appending(path: "users/\(id)"))
                return try JSONDecoder().decode([String: String].self, from: data)["name"]
            }
        }

        try await withMockServer(responder: { _ in try .json(["name": "Ada"]) }) { server in
            let name = try await UserClient(baseURL: server.url).name(of: 1)
            #expect(name == "Ada")
        }
        // End
    }

    @Test func aReplay() async throws {
        try enterRepository()
        // Article: GettingStarted
        try await withMockServer(.replay("cassettes/httpbin.cassette")) { server in
            let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "stream/3"))
            #expect(data.count > 400)
        }
        // End
    }

    // MARK: Recording and replaying

    @Test func recordingAndReplaying() async throws {
        try await withCassette { cassette in
            try await withMockServer(responder: { request in .text("hello \(request.path)") }) { service in
                // Article: RecordingAndReplaying
                var recording = MockServerConfiguration.record(cassette, upstream: service.url.absoluteString)
                recording.recordsInCI = true
                try await withMockServer(recording) { server in
                    let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "world"))
                    #expect(String(decoding: data, as: UTF8.self) == "hello /world")
                    #expect(server.isRecording)
                }

                try await withMockServer(.replay(cassette)) { server in
                    let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "world"))
                    #expect(String(decoding: data, as: UTF8.self) == "hello /world")
                    #expect(!server.isRecording)
                }
                // End
            }
        }
    }

    @Test func severalUpstreams() async throws {
        try await withCassette { cassette in
            try await withMockServer(responder: { _ in .text("from the shop") }) { shop in
                try await withMockServer(responder: { _ in .text("from the bank") }) { bank in
                    // Article: RecordingAndReplaying
                    var recording = MockServerConfiguration.record(
                        cassette,
                        upstreams: [("shop", shop.url.absoluteString), ("bank", bank.url.absoluteString)]
                    )
                    recording.recordsInCI = true
                    try await withMockServer(recording) { server in
                        let address = try #require(server.url(for: "bank"))
                        let (data, _) = try await URLSession.shared.data(from: address.appending(path: "balance"))
                        #expect(String(decoding: data, as: UTF8.self) == "from the bank")
                    }
                    // End
                }
            }
        }
    }

    // MARK: Matching and misses

    @Test func aRule() async throws {
        try await withCassette { cassette in
            try await withMockServer(responder: { _ in .text("news") }) { service in
                // Article: MatchingAndMisses
                var recording = MockServerConfiguration.record(cassette, upstream: service.url.absoluteString)
                recording.recordsInCI = true
                recording.rules = [.ignore("query:ts"), .ignore("json:$..nonce", for: "POST /v1/**")]
                try await withMockServer(recording) { server in
                    let url = try #require(URL(string: "\(server.url)/news?ts=1"))
                    _ = try await URLSession.shared.data(from: url)
                }

                try await withMockServer(.replay(cassette)) { server in
                    let url = try #require(URL(string: "\(server.url)/news?ts=2"))
                    let (data, _) = try await URLSession.shared.data(from: url)
                    #expect(String(decoding: data, as: UTF8.self) == "news")
                }
                // End
            }
        }
    }

    @Test func aMiss() async throws {
        try enterRepository()
        // Article: MatchingAndMisses
        var configuration = MockServerConfiguration.replay("cassettes/httpbin.cassette")
        configuration.failsOnMisses = false
        try await withMockServer(configuration) { server in
            let url = try #require(URL(string: "\(server.url)/get?page=3"))
            let (_, response) = try await URLSession.shared.data(from: url)
            #expect((response as? HTTPURLResponse)?.statusCode == 404)
            let miss = try #require(server.misses.first)
            #expect(miss.target == "/get?page=3")
            #expect(miss.explanation.contains("GET /get?page=2"))
        }
        // End
    }

    // MARK: Secrets

    @Test func secrets() async throws {
        try await withCassette { cassette in
            try await withMockServer(responder: { _ in .json(#"{"note":"s3cret-of-mine"}"#) }) { service in
                // Article: Secrets
                var recording = MockServerConfiguration.record(cassette, upstream: service.url.absoluteString)
                recording.recordsInCI = true
                recording.redact = [.secret("API_TOKEN", "s3cret-of-mine"), .json("pin").for("POST /login")]
                try await withMockServer(recording) { server in
                    let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "note"))
                    #expect(String(decoding: data, as: UTF8.self) == #"{"note":"s3cret-of-mine"}"#)
                }
                let file = try Data(contentsOf: URL(fileURLWithPath: cassette))
                #expect(file.range(of: Data("s3cret-of-mine".utf8)) == nil)
                // End
            }
            // Article: Secrets
            var replay = MockServerConfiguration.replay(cassette)
            replay.redact = [.secret("API_TOKEN", "s3cret-of-mine")]
            replay.givesSecretsBack = true
            try await withMockServer(replay) { server in
                let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "note"))
                #expect(String(decoding: data, as: UTF8.self) == #"{"note":"s3cret-of-mine"}"#)
            }
            // End
        }
    }

    // MARK: Playback and timing

    @Test func playback() async throws {
        try enterRepository()
        // Article: PlaybackAndTiming
        var configuration = MockServerConfiguration.replay("cassettes/httpbin.cassette")
        configuration.playback = .cycle
        try await withMockServer(configuration) { server in
            var answers: [Data] = []
            for _ in 1...3 {
                let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "uuid"))
                answers.append(data)
            }
            #expect(answers[0] != answers[1])
            #expect(answers[0] == answers[2])
        }
        // End
    }

    /// It measures time: at least what was recorded, ten times as fast.
    @Test func timing() async throws {
        try enterRepository()
        // Article: PlaybackAndTiming
        var configuration = MockServerConfiguration.replay("cassettes/httpbin.cassette")
        configuration.speed = 10
        try await withMockServer(configuration) { server in
            let url = try #require(URL(string: "\(server.url)/drip?duration=1&numbytes=4&delay=0"))
            let start = ContinuousClock.now
            let (data, _) = try await URLSession.shared.data(from: url)
            #expect(data.count == 4)
            #expect(start.duration(to: .now) > .milliseconds(50))
        }
        // End
    }

    // MARK: Stubs and faults

    @Test func stubs() async throws {
        try enterRepository()
        // Article: StubsAndFaults
        try await withMockServer(.replay("cassettes/httpbin.cassette")) { server in
            let charges = server.stub(.post("/charges"), body: .json(containing: ["amount": 5])) { request in
                .text("charged", status: .created)
            }
            var request = URLRequest(url: server.url.appending(path: "charges"))
            request.httpMethod = "POST"
            request.httpBody = Data(#"{"amount": 5, "currency": "eur"}"#.utf8)
            let (_, response) = try await URLSession.shared.data(for: request)
            #expect((response as? HTTPURLResponse)?.statusCode == 201)
            #expect(charges.requests.map(\.text) == [#"{"amount": 5, "currency": "eur"}"#])
        }
        // End
    }

    @Test func faultsThatHappenTwice() async throws {
        try enterRepository()
        // Article: StubsAndFaults
        try await withMockServer(.replay("cassettes/httpbin.cassette")) { server in
            let outage = server.fault(.status(503, retryAfter: 1), on: .get("/stream/{count}"), times: 2)
            for _ in 1...3 { _ = try await URLSession.shared.data(from: server.url.appending(path: "stream/3")) }
            let entries = try await server.wait(for: "GET /stream/*", count: 3)
            #expect(entries.map(\.status) == [503, 503, 200])
            #expect(entries.first?.remark == "fault: status 503 retry-after 1")
            #expect(outage.count == 2)
        }
        // End
    }

    @Test func faultsThatCutAnswers() async throws {
        try enterRepository()
        // Article: StubsAndFaults
        try await withMockServer(.replay("cassettes/httpbin.cassette")) { server in
            let cut = server.fault(.close(after: 100), on: .get("/stream/{count}"))
            await #expect(throws: (any Error).self) {
                _ = try await URLSession.shared.data(from: server.url.appending(path: "stream/3"))
            }
            cut.remove()
            let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "stream/3"))
            #expect(data.count > 400)
        }
        // End
    }

    // MARK: Any handler in the background

    @Test func aTypeOfHandlers() async throws {
        // Article: AnyHandlerInTheBackground
        struct Greeter: Responder {
            let greeting: String

            func respond(to request: MockRequest) async throws -> MockResponse {
                guard let name = request.query["name"] else { return .text("Who is it?", status: .badRequest) }
                return .text("\(greeting) \(name)")
            }
        }

        try await withMockServer(.responding(with: Greeter(greeting: "hello"))) { server in
            let url = try #require(URL(string: "\(server.url)/greet?name=Ada"))
            let (data, _) = try await URLSession.shared.data(from: url)
            #expect(String(decoding: data, as: UTF8.self) == "hello Ada")
        }
        // End
    }

    @Test func routes() async throws {
        try enterRepository()
        // Article: AnyHandlerInTheBackground
        var configuration = MockServerConfiguration.replay("cassettes/httpbin.cassette")
        configuration.routes.get("/events") { _ in
            .events([ServerSentEvent(data: "1"), ServerSentEvent(data: "2", event: "last")])
        }
        try await withMockServer(configuration) { server in
            let (events, _) = try await URLSession.shared.data(from: server.url.appending(path: "events"))
            #expect(String(decoding: events, as: UTF8.self) == "data: 1\n\nevent: last\ndata: 2\n\n")
            let (recorded, _) = try await URLSession.shared.data(from: server.url.appending(path: "stream/3"))
            #expect(recorded.count > 400)
        }
        // End
    }

    @Test func whatWasSent() async throws {
        // Article: AnyHandlerInTheBackground
        let handler = ClosureResponder { _ in MockResponse(status: .noContent) }
        var configuration = MockServerConfiguration.responding(with: handler)
        configuration.journalLimits.body = 64 << 10
        try await withMockServer(configuration) { server in
            var request = URLRequest(url: server.url.appending(path: "events"))
            request.httpMethod = "POST"
            request.httpBody = Data(#"{"kind": "click"}"#.utf8)
            _ = try await URLSession.shared.data(for: request)
            let entries = try await server.wait(for: "POST /events")
            #expect(entries.first?.request?.text == #"{"kind": "click"}"#)
        }
        // End
    }

    // MARK: In continuous integration

    @Test func aMissIsAnError() async throws {
        try enterRepository()
        // Article: InContinuousIntegration
        let error = await #expect(throws: MockServeError.self) {
            try await withMockServer(.replay("cassettes/httpbin.cassette")) { server in
                _ = try await URLSession.shared.data(from: server.url.appending(path: "never-recorded"))
            }
        }
        #expect(error?.code == .unmatchedRequests)
        // End
    }

    @Test func whatNothingUsesIsAnError() async throws {
        try enterRepository()
        // Article: InContinuousIntegration
        var configuration = MockServerConfiguration.replay("cassettes/httpbin.cassette")
        configuration.unused = .fail
        let error = await #expect(throws: MockServeError.self) {
            try await withMockServer(configuration) { server in
                _ = try await URLSession.shared.data(from: server.url.appending(path: "stream/3"))
            }
        }
        #expect(error?.code == .unusedInteractions)
        // End
    }

    // MARK: Swift Testing

    /// Answers for the service that the examples name, so that they need neither it nor a cassette.
    @Suite(
        .mockServer {
            $0.routes.get("/users/{name}") { request in try .json(["login": request.parameters["name"]]) }
            $0.routes.get("/repos/{owner}/{name}") { request in try .json(["name": request.parameters["name"]]) }
        }
    )
    struct OfAService {
        // Article: MockServeTesting
        @Suite(.mockServer("github", upstream: "https://api.github.com"))
        struct UserTests {
            @Test func user() async throws {
                let server = try MockServer.required()
                let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "users/octocat"))
                #expect(String(decoding: data, as: UTF8.self).contains("octocat"))
            }
        }
        // End

        // Article: RecordingInTests
        @Suite(.mockServer("github", upstream: "https://api.github.com"))
        struct RepositoryTests {
            @Test(arguments: ["swift-nio", "swift-log"]) func repository(_ name: String) async throws {
                let server = try MockServer.required()
                let url = server.url.appending(path: "repos/apple/\(name)")
                let (data, _) = try await URLSession.shared.data(from: url)
                #expect(String(decoding: data, as: UTF8.self).contains(name))
            }
        }
        // End
    }

    // Article: RecordingInTests
    @Suite(.mockServer("httpbin.cassette", cassettes: "../../cassettes"))
    struct StreamTests {
        @Test func aServiceThatIsDown() async throws {
            let server = try MockServer.required()
            server.fault(.status(503), on: .get("/stream/{count}"), times: 1)
            let (_, response) = try await URLSession.shared.data(from: server.url.appending(path: "stream/3"))
            #expect((response as? HTTPURLResponse)?.statusCode == 503)
        }

        @Test(.mockServer(playback: .sequence) { $0.speed = 1 }) func asSlowAsRecorded() async throws {
            let server = try MockServer.required()
            let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "stream/3"))
            #expect(data.count > 400)
        }
    }
    // End
}

// Article: RecordingInTests
final class StreamTestCase: XCTestCase {
    func testStream() throws {
        let server = try startMockServer("httpbin.cassette", cassettes: "../../cassettes")
        let done = expectation(description: "answered")
        URLSession.shared.dataTask(with: server.url.appending(path: "stream/3")) { data, _, _ in
            XCTAssertGreaterThan(data?.count ?? 0, 400)
            done.fulfill()
        }
        .resume()
        wait(for: [done], timeout: 30)
    }
}
// End
