import Foundation
import MockServe
import Testing

/// Misses of APIs whose calls share one path.
@Suite(.timeLimit(.minutes(5)))
struct NearestCallTests {
    private func post(_ body: String, _ type: String = "application/json", _ fields: [(String, String)] = [])
        -> Recorded
    {
        Recorded(method: "POST", target: "/", fields: [("Content-Type", type)] + fields, body: body)
    }

    private func call(_ number: Int, id: Int) -> String {
        """
        {"jsonrpc": "2.0", "id": \(id), "method": "get\(number)", "params": {"user": "u\(number * 7919 % 1753)", \
        "page": \(number % 10), "filter": {"since": "2024-01-\(number % 28)", "tags": ["t\(number)", "all"]}}}
        """
    }

    @Test func theNearestOfThousandsOfCallsIsFound() async throws {
        let recorded = (0..<1753).map { post(call($0, id: $0)) }
        for number in [3, 700, 1750] {
            let text = try await miss(recorded, post(call(number, id: 99_999)))
            #expect(text.contains("recorded:\n\n  #\(number + 1) POST /\n      json:$.id\n"), "\(text)")
            #expect(text.hasSuffix(" --ignore 'json:$.id'\n"))
        }
    }

    @Test func whatAFieldSaysOfTheCallCountsToo() async throws {
        let type = "application/x-amz-json-1.1"
        func call(_ name: String, _ secret: String) -> Recorded {
            post("{\"SecretId\": \"\(secret)\"}", type, [("X-Amz-Target", "secretsmanager.\(name)")])
        }
        let recorded = (0..<300).map { call($0 == 150 ? "Rotate" : "Get\($0)", "s\($0)") }
        let text = try await miss(recorded, call("Rotate", "another"))
        #expect(text.contains("recorded:\n\n  #151 POST /\n      json:$.SecretId\n"), "\(text)")
    }

    @Test func manyQueriesOfOnePathAreAllLookedThrough() async throws {
        let recorded = (0..<1500).map { Recorded(target: "/search?a=\($0)&kind=k\($0)&page=\($0 % 7)&size=\($0 % 11)") }
        let text = try await miss(recorded, Recorded(target: "/search?a=changed&kind=k77&page=0&size=0"))
        #expect(text.contains("recorded:\n\n  #78 GET /search"), "\(text)")
    }

    @Test func theNearestFormOfManyIsFound() async throws {
        let type = "application/x-www-form-urlencoded"
        let recorded = (0..<600).map {
            post("Action=Describe\($0)&Version=2016-11-15&Filter.1=\($0)&MaxResults=5", type)
        }
        let text = try await miss(
            recorded,
            post("Version=2016-11-15&Action=Describe333&Filter.1=333&MaxResults=6", type)
        )
        #expect(text.contains("#334 POST /\n      form:MaxResults\n") && text.hasSuffix(" --ignore form:MaxResults\n"))
    }

    @Test func theNearestTextOfManyIsFound() async throws {
        func soap(_ number: Int, _ nonce: String) -> Recorded {
            post("<Envelope><Nonce>\(nonce)</Nonce><Get><Name>name\(number)</Name></Get></Envelope>", "text/xml")
        }
        let recorded = (0..<600).map { soap($0, "nonce\($0)") }
        let text = try await miss(recorded, soap(400, "another"))
        #expect(text.contains("recorded:\n\n  #401 POST /\n      body\n"))
    }
}
