import Foundation
import MockServe
import MockServeTesting
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Each test has a server, and a cassette, of its own.
@Suite(.mockServer("notes", upstream: "http://127.0.0.1:8000"))
struct NotesTests {
    @Test func aUserLogsIn() async throws {
        let notes = NotesClient(url: try MockServer.required().url)
        try await notes.logIn("ada", "enchantress-1843")
        #expect(try await notes.me() == "ada")
    }

    @Test func aWrongPasswordIsRefused() async throws {
        let notes = NotesClient(url: try MockServer.required().url)
        await #expect(throws: NotesClient.Refused(status: 401)) { try await notes.logIn("ada", "guess") }
    }

    @Test(arguments: ["buy milk", "buy bread"])
    func aNoteIsAddedAndRead(_ text: String) async throws {
        let notes = NotesClient(url: try MockServer.required().url)
        try await notes.logIn("ada", "enchantress-1843")
        let added = try await notes.add(text)
        #expect(try await notes.note(added.id) == added)
    }

    @Test func anAnswerThatBreaksOffIsNotTheEnd() async throws {
        let server = try MockServer.required()
        server.fault(.close(after: 3), on: .get("/me"), times: 1)
        let notes = NotesClient(url: server.url)
        try await notes.logIn("ada", "enchantress-1843")
        await #expect(throws: (any Error).self) { try await notes.me() }
        #expect(try await notes.me() == "ada")
    }
}
