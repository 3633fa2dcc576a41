import AsyncHTTPClient
import Foundation
import MockServe
import MockServeTesting
import NIOCore
import Testing

/// The same with AsyncHTTPClient.
@Suite(.mockServer("notes", upstream: "http://127.0.0.1:8000"))
struct AsyncClientTests {
    @Test func aStrangerIsToldToLogIn() async throws {
        let url = try MockServer.required().url
        let answer = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: url.appending(path: "me").absoluteString),
            timeout: .seconds(20)
        )
        #expect(answer.status == .unauthorized)
        let body = try await answer.body.collect(upTo: 1 << 20)
        #expect(String(buffer: body).contains("Log in first."))
    }

    @Test func eventsComeOneByOne() async throws {
        let url = try MockServer.required().url
        let answer = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: url.absoluteString + "/events?count=3"),
            timeout: .seconds(20)
        )
        var text = ""
        for try await piece in answer.body { text += String(buffer: piece) }
        #expect(text.components(separatedBy: "\n\n").dropLast().count == 4 && text.hasSuffix("data: [DONE]\n\n"))
    }
}
