import Testing

@testable import MockServeCore

@Suite struct StubIndexTests {
    private func index(_ stubs: [(String?, String)]) throws -> StubIndex<Int> {
        var index = StubIndex<Int>()
        for (number, stub) in stubs.enumerated() { _ = index.insert(method: stub.0, try PathTemplate(stub.1), number) }
        return index
    }

    @Test func theLastAddedComesFirst() throws {
        let index = try index([
            ("GET", "/users/{id}"), ("GET", "/users/1"), (nil, "/users/**"), ("POST", "/users/1"), ("GET", "/{kind}/1"),
            ("GET", "/users"), ("GET", "/**"),
        ])
        func found(_ method: String, _ path: String) -> [Int] { index.matches(method: method, path: path).map(\.value) }
        #expect(found("GET", "/users/1") == [6, 4, 2, 1, 0])
        #expect(found("HEAD", "/users/1") == [6, 4, 2, 1, 0])
        #expect(found("POST", "/users/1") == [3, 2])
        #expect(found("GET", "/users") == [6, 5, 2])
        #expect(found("GET", "/users/") == [6, 2])
        #expect(found("GET", "/users/1/files/2") == [6, 2])
        #expect(found("DELETE", "/other").isEmpty)
        #expect(index.matches(method: "GET", path: "/users/a%20b").last?.parameters == ["id": "a b"])
    }

    /// As comparing every template does.
    @Test func findsWhatComparingFinds() throws {
        var random = SplitMix64(seed: 7)
        let words = ["a", "b", "{x}", "{y}", "**", "a%20b", ""]
        for _ in 0..<300 {
            var templates: [PathTemplate] = []
            while templates.count < 8 {
                let count = Int.random(in: 0...3, using: &random)
                let path =
                    "/" + (0..<count).map { _ in words.randomElement(using: &random) ?? "a" }.joined(separator: "/")
                if let template = try? PathTemplate(path) { templates.append(template) }
            }
            var index = StubIndex<Int>()
            let numbers = templates.enumerated().map { index.insert(method: "GET", $1, $0) }
            let removed = Int.random(in: 0..<8, using: &random)
            index.remove(numbers[removed], templates[removed])
            #expect(index.count == 7)
            for path in ["/", "/a", "/a/b", "/b/a/a", "/a%20b", "/c/d", "//a", "/a/"] {
                let expected = templates.indices.reversed().filter { $0 != removed && templates[$0].match(path) != nil }
                let found = index.matches(method: "GET", path: path).map(\.value)
                #expect(found == expected, "\(path) in \(templates.map(\.text))")
            }
        }
    }
}
