import HTTPMessages
import HTTPWire
import NIOCore
import Testing

@Suite struct RequestParserTests {
    @Test func corpusIsLargeEnough() {
        #expect(RequestCase.all.count >= 100)
        #expect(Set(RequestCase.all.map(\.name)).count == RequestCase.all.count)
    }

    @Test(arguments: RequestCase.all)
    func readsOrRefuses(_ example: RequestCase) {
        #expect(outcome(readRequests([octets(example.bytes)])) == example.outcome)
    }

    @Test(arguments: RequestCase.all.filter { $0.bytes.utf8.count < 2000 })
    func splittingChangesNothing(_ example: RequestCase) {
        let bytes = octets(example.bytes)
        let whole = readRequests([bytes])
        #expect(readRequests(bytes.map { [$0] }) == whole)
        for cut in bytes.indices {
            #expect(readRequests([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole, "cut at \(cut)")
        }
    }

    private func outcome(_ reading: Reading<RequestHead>) -> RequestCase.Outcome {
        if let error = reading.error { return .refused(error.status) }
        guard let message = reading.messages.first else { return .incomplete }
        return .accepted(
            method: text(message.head.method),
            target: text(message.head.target),
            body: text(message.body)
        )
    }

    @Test func keepsOrderCaseDuplicatesSpaceAndBytes() throws {
        let request = "GET / HTTP/1.1\r\nhOsT: a\r\nX-B: 2\r\nx-a: a  b\tc\r\nX-B: 1\r\nX-C: \u{E9}\u{80}\u{FF}\r\n\r\n"
        let message = try #require(readRequests([octets(request)]).messages.first)
        #expect(message.head.fields.map { text($0.name) } == ["hOsT", "X-B", "x-a", "X-B", "X-C"])
        #expect(message.head.fields.map { text($0.value) } == ["a", "2", "a  b\tc", "1", "\u{E9}\u{80}\u{FF}"])
        #expect(message.head.fields.values("x-b").map { text($0) } == ["2", "1"])
    }

    @Test func readsPipelinedRequestsInOrder() {
        let one = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"
        let two = "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n"
        let reading = readRequests([octets(one + two + "\r\n" + one)])
        #expect(reading.messages.map { text($0.head.target) } == ["/1", "/2", "/1"])
        #expect(reading.messages.map { text($0.body) } == ["ab", "c", "ab"])
    }

    @Test func serialisesToTheSameBytes() throws {
        var random = SplitMix(seed: 1)
        for _ in 0..<2000 {
            let bytes = Generated.request(&random)
            let message = try #require(readRequests([bytes]).messages.first, "\(text(bytes))")
            #expect(serialise(message) == bytes)
        }
    }

    @Test func randomSplitsChangeNothing() {
        var random = SplitMix(seed: 2)
        for _ in 0..<500 {
            let bytes = Generated.request(&random) + Generated.request(&random)
            #expect(readRequests(random.split(bytes)) == readRequests([bytes]))
        }
    }

    @Test(arguments: [
        ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: foo, CLOSE\r\n", false), ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: keep-alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive\r\nConnection: close\r\n", false),
    ])
    func knowsWhetherTheConnectionIsKept(_ version: String, _ fields: String, _ isKept: Bool) throws {
        let message = try #require(
            readRequests([octets("GET / \(version)\r\nHost: a\r\n\(fields)\r\n")]).messages.first
        )
        #expect(message.head.keepsAlive == isKept)
    }

    @Test func expectsContinueOnlyWithABody() throws {
        func head(_ fields: String) throws -> RequestHead {
            let reading = readRequests([octets("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\(fields)\r\n")])
            return try #require(reading.unfinished?.head ?? reading.messages.first?.head)
        }
        #expect(try head("Content-Length: 3\r\n").expectsContinue)
        #expect(try head("Transfer-Encoding: chunked\r\n").expectsContinue)
        #expect(try !head("Content-Length: 0\r\n").expectsContinue)
        #expect(try !head("").expectsContinue)
    }

    @Test func workGrowsLinearlyWithTheInput() {
        // A line that arrives byte by byte is read once: 200 KiB must not take noticeably long, which the time limit of
        // the suite would show, and the count of parts must be right.
        let value = String(repeating: "a", count: 200_000)
        let bytes = octets("GET / HTTP/1.1\r\nHost: a\r\nX: \(value)\r\n\r\n")
        let reading = readRequests(bytes.map { [$0] })
        #expect(reading.messages.first?.head.fields.first("x")?.count == 200_000)
    }
}
