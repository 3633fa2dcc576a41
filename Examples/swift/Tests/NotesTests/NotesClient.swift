import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A client of the service, as an application would have it.
actor NotesClient {
    struct Note: Codable, Equatable {
        let id: String
        let text: String
        let version: Int
    }

    struct Refused: Error, Equatable {
        let status: Int
    }

    private struct Session: Decodable {
        let user: String
        let csrf_token: String
    }

    private let url: URL
    /// It keeps the cookie of the session.
    private let session = URLSession(configuration: .ephemeral)
    private var token: String?

    init(url: URL) { self.url = url }

    func logIn(_ user: String, _ password: String) async throws {
        let session: Session = try await send("POST", "login", ["user": user, "password": password])
        token = session.csrf_token
    }

    func me() async throws -> String {
        let session: [String: String] = try await send("GET", "me")
        return session["user"] ?? ""
    }

    func add(_ text: String) async throws -> Note { try await send("POST", "notes", ["text": text]) }

    func note(_ id: String) async throws -> Note { try await send("GET", "notes/\(id)") }

    private func send<Answer: Decodable>(
        _ method: String,
        _ path: String,
        _ body: [String: String]? = nil
    ) async throws -> Answer {
        var request = URLRequest(url: url.appending(path: path))
        request.httpMethod = method
        if let body {
            request.httpBody = try JSONEncoder().encode(body)
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        if let token { request.setValue(token, forHTTPHeaderField: "X-CSRF-Token") }
        let (data, response) = try await session.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard (200..<300).contains(status) else { throw Refused(status: status) }
        return try JSONDecoder().decode(Answer.self, from: data)
    }
}
