import Foundation
import MockServe
import MockServeTesting
import XCTest

/// The same with XCTest.
final class NotesXCTests: XCTestCase {
    func testAUserLogsIn() async throws {
        let server = try startMockServer("notes", upstream: "http://127.0.0.1:8000")
        let notes = NotesClient(url: server.url)
        try await notes.logIn("grace", "nanosecond-1952")
        let user = try await notes.me()
        XCTAssertEqual(user, "grace")
    }
}
