import Foundation
import MockServe
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The examples of the README, which must stand here line by line.
@Suite(.timeLimit(.minutes(1)))
struct ReadmeExampleTests {
    private let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized

    @Test func aHandlerInTheBackground() async throws {
        try await withMockServer(responder: { request in .text("hello \(request.path)") }) { server in
            let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "world"))
            #expect(String(decoding: data, as: UTF8.self) == "hello /world")
        }
    }

    @Test func aCassette() async throws {
        try #require(FileManager.default.changeCurrentDirectoryPath(root.path))
        try await withMockServer(.replay("cassettes/httpbin.cassette")) { server in
            let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "stream/3"))
            #expect(data.count > 400)
            #expect(server.misses.isEmpty)
        }
    }

    @Test func oneEndpointOfOnesOwn() async throws {
        try #require(FileManager.default.changeCurrentDirectoryPath(root.path))
        var configuration = MockServerConfiguration.replay("cassettes/httpbin.cassette")
        configuration.routes.get("/status/{code}") { request in .text("as \(request.parameters["code"] ?? "")") }
        try await withMockServer(configuration) { server in
            let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "status/502"))
            #expect(String(decoding: data, as: UTF8.self) == "as 502")
        }
    }

    @Test func theyAreThoseOfTheReadme() throws {
        let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        let here = try String(contentsOfFile: #filePath, encoding: .utf8).split(separator: "\n").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        let blocks = readme.components(separatedBy: "```swift\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
        let examples = blocks.filter { !$0.hasPrefix(".package") }
        #expect(examples.count == 3)
        for line in examples.flatMap({ $0.split(separator: "\n") }) {
            #expect(here.contains(line.trimmingCharacters(in: .whitespaces)), "\(line)")
        }
    }
}
