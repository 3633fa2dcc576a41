import Foundation
import HTTPTypes
import MockServe
import MockServeTesting
import Testing
import XCTest

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The examples of docs/swift-tests.md, as they are there. `ReadmeExampleTests` compares them.
///
/// Those that would ask a real service are only compiled.
enum GuideExamples {
    static let service: Comment = "it would ask https://api.github.com; that it compiles is enough"
}

@Suite(.disabled(GuideExamples.service))
struct ServiceOfAnother {
    @Suite(.mockServer("github", upstream: "https://api.github.com"))
    struct GitHubTests {
        @Test func user() async throws {
            let server = try MockServer.required()
            let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "users/octocat"))
            #expect(!data.isEmpty)
        }
    }
}

@Suite(.mockServer("httpbin.cassette", cassettes: "../../cassettes"))
struct GuideTests {
    @Test(.mockServer(unused: .ignore)) func merged() throws {
        #expect(try MockServer.required().isRecording == false)
    }

    @Test func faults() async throws {
        let server = try MockServer.required()
        server.fault(.reset, on: .get("/x"), nth: 2)
        server.fault(.status(503, retryAfter: 1), on: .any("/**"), times: 3)
        server.fault(.delay(.logNormal(median: .milliseconds(50))), on: .any("/**"), probability: 0.2, seed: 7)
        let (_, response) = try await URLSession.shared.data(from: server.url.appending(path: "stream/3"))
        #expect((response as? HTTPURLResponse)?.statusCode == 503)
    }

    @Test func stubs() async throws {
        let server = try MockServer.required()
        server.stub(.get("/users/{id}"), .json(["id": 1]))
        server.stub(.get("/slow"), .text("ok"), delay: .milliseconds(10)).times(2)
        let charges = server.stub(.post("/charges"), body: .json(containing: ["amount": 5])) { request in
            .text("charged", status: 201)
        }
        let (user, _) = try await URLSession.shared.data(from: server.url.appending(path: "users/1"))
        #expect(String(decoding: user, as: UTF8.self) == #"{"id":1}"#)
        var charge = URLRequest(url: server.url.appending(path: "charges"))
        charge.httpMethod = "POST"
        charge.httpBody = Data(#"{"amount": 5, "currency": "eur"}"#.utf8)
        let (text, _) = try await URLSession.shared.data(for: charge)
        #expect(String(decoding: text, as: UTF8.self) == "charged")
        #expect(charges.requests.count == 1)
        let (slow, _) = try await URLSession.shared.data(from: server.url.appending(path: "slow"))
        #expect(String(decoding: slow, as: UTF8.self) == "ok")
    }
}

@Suite(.mockServer("httpbin.cassette", cassettes: "../../cassettes"))
struct MergedTests {
    @Test(.mockServer(playback: .sequence) { $0.speed = 1 }) func stream() async throws {
        let server = try MockServer.required()
        let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "stream/3"))
        #expect(data.count > 400)
    }
}

final class XCTestGuideTests: XCTestCase {
    func testUser() throws {
        let server = try startMockServer("github", upstream: "https://api.github.com")
        XCTAssertEqual(server.url.scheme, "http")
    }

    /// The server is stopped once the test is over; it answers from a cassette while it runs.
    func testReplays() throws {
        let server = try startMockServer("httpbin.cassette", cassettes: "../../cassettes")
        let done = expectation(description: "answered")
        URLSession.shared.dataTask(with: server.url.appending(path: "stream/3")) { data, _, _ in
            XCTAssertGreaterThan(data?.count ?? 0, 400)
            done.fulfill()
        }
        .resume()
        wait(for: [done], timeout: 30)
        XCTAssertEqual(server.replayedCount, 1)
    }
}

final class XCTestBaseClassTests: MockServerTestCase {
    override func makeServer() throws -> MockServer {
        try startMockServer("httpbin.cassette", cassettes: "../../cassettes")
    }

    func testHasAServer() throws {
        XCTAssertEqual(server.misses.count, 0)
        XCTAssertFalse(server.isRecording)
    }
}
