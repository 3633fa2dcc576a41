import HTTPTypes
import Foundation
import MockServe
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The examples of the README and the guides in docs/, each of which must be here line by line.
@Suite(.timeLimit(.minutes(5)))
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

    @Test func aSmallService() async throws {
        var router = Router()
        router.get("/users/{id}") { request in try .json(["id": request.parameters["id"]]) }
        router.post("/users") { request in .json(request.text, status: .created) }
        try await withMockServer(.responding(with: router)) { server in
            let (data, _) = try await URLSession.shared.data(from: server.url.appending(path: "users/7"))
            #expect(String(decoding: data, as: UTF8.self) == #"{"id":"7"}"#)
            let entries = try await server.wait(for: "GET /users/*")
            #expect(entries.map(\.status) == [200])
        }
    }

    @Test func theyAreThoseOfTheReadmeAndTheGuides() throws {
        let guides = try FileManager.default.contentsOfDirectory(
            at: root.appendingPathComponent("docs"),
            includingPropertiesForKeys: nil
        )
        // Those for the test libraries are in their own tests.
        let other = root.appendingPathComponent("Tests/MockServeTestingTests/GuideExamples.swift")
        let count = try compare([root.appendingPathComponent("README.md")] + guides, with: [here, other])
        #expect(count == 13)
    }

    @Test func theyAreThoseOfTheArticles() throws {
        let articles = try ["MockServe", "MockServeTesting"].flatMap { module in
            try FileManager.default.contentsOfDirectory(
                at: root.appendingPathComponent("Sources/\(module)/Documentation.docc"),
                includingPropertiesForKeys: nil
            )
        }
        let examples = root.appendingPathComponent("Tests/MockServeTestingTests/ArticleExamples.swift")
        #expect(try compare(articles, with: [examples]) > 20)
    }

    private let here = URL(fileURLWithPath: #filePath)

    /// - Returns: how many examples there are in the documents.
    private func compare(_ documents: [URL], with sources: [URL]) throws -> Int {
        let here = Self.trimmed(try sources.map { try String(contentsOf: $0, encoding: .utf8) }.joined(separator: "\n"))
        var count = 0
        for document in documents where document.pathExtension == "md" {
            let text = try String(contentsOf: document, encoding: .utf8)
            let blocks = text.components(separatedBy: "```swift\n").dropFirst().map {
                $0.components(separatedBy: "```")[0]
            }
            for example in blocks.flatMap({ $0.components(separatedBy: "\n\n") })
            where !example.hasPrefix(".package") && !example.hasPrefix(".testTarget") {
                #expect(here.contains(Self.trimmed(example)), "\(document.lastPathComponent): \(example)")
                count += 1
            }
        }
        return count
    }

    /// The lines that are not empty, without indentation, each with line breaks around it.
    private static func trimmed(_ text: String) -> String {
        let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        return "\n" + lines.filter { !$0.isEmpty }.joined(separator: "\n") + "\n"
    }
}
