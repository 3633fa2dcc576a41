import ContentCoding
import HTTPMessages
import Testing

@testable import MockServeCore

@Suite struct OriginMapTests {
    private let upstream = Origin(scheme: .https, host: "api.example.com", port: 443)
    private let served = Origin(scheme: .http, host: "127.0.0.1", port: 4000)

    private var map: OriginMap { OriginMap([OriginMap.Pair(upstream: upstream, served: served)]) }

    private func field(_ name: String, _ value: String) -> String {
        let head = map.mapResponse(ResponseHead(status: 200, fields: Fields([(name, value)])))
        return head.fields.first.map { Latin1.string($0.value) } ?? "gone"
    }

    @Test(arguments: [
        ("Location", "https://api.example.com/a", "http://127.0.0.1:4000/a"),
        ("Location", "/relative", "/relative"),
        ("Location", "https://api.example.com.evil/a", "https://api.example.com.evil/a"),
        ("Location", "https://api.example.com:8443/a", "https://api.example.com:8443/a"),
        (
            "Location", "https://other/?to=https%3A%2F%2Fapi.example.com%2Fa",
            "https://other/?to=http%3A%2F%2F127.0.0.1%3A4000%2Fa"
        ),
        ("Content-Location", "https://api.example.com", "http://127.0.0.1:4000"),
        ("Link", "<https://api.example.com/2>; rel=next", "<http://127.0.0.1:4000/2>; rel=next"),
        ("Refresh", "5; url=https://api.example.com/", "5; url=http://127.0.0.1:4000/"),
        ("X-Other", "https://api.example.com/", "https://api.example.com/"),
        ("Set-Cookie", "a=b; Domain=example.com; Path=/; Secure; HttpOnly", "a=b; Path=/; HttpOnly"),
        ("set-cookie", "a=b;domain=.api.example.com;SameSite=Lax", "a=b;SameSite=Lax"),
        ("Set-Cookie", "secure=domain; Domain=127.0.0.1", "secure=domain; Domain=127.0.0.1"),
        ("Set-Cookie", "a=b; Domain=other.example; Path=/", "a=b; Domain=other.example; Path=/"),
        ("Set-Cookie", "a=b; Domain=x.api.example.com", "a=b; Domain=x.api.example.com"),
    ])
    func mapsResponseFields(_ name: String, _ value: String, _ expected: String) {
        #expect(field(name, value) == expected)
    }

    @Test func mapsRequestsBack() {
        let head = RequestHead(
            method: Array("GET".utf8),
            target: Array("/a?next=http://127.0.0.1:4000/b&x=http%3A%2F%2F127.0.0.1%3A4000%2Fc".utf8),
            fields: Fields([("Accept", "*/*"), ("hOsT", "127.0.0.1:4000"), ("Referer", "http://127.0.0.1:4000/d")])
        )
        let mapped = map.mapRequest(head)
        #expect(
            Latin1.string(mapped.target)
                == "/a?next=https://api.example.com/b&x=https%3A%2F%2Fapi.example.com%2Fc"
        )
        #expect(
            mapped.fields
                == Fields([("Accept", "*/*"), ("hOsT", "api.example.com"), ("Referer", "https://api.example.com/d")])
        )
    }

    @Test func canBeTurnedOffButForHost() {
        let map = OriginMap([OriginMap.Pair(upstream: upstream, served: served)], mapsContent: false)
        let response = ResponseHead(
            status: 302,
            fields: ["Location": "https://api.example.com/", "Set-Cookie": "a=b; Secure"]
        )
        #expect(map.mapResponse(response) == response)
        let request = RequestHead(
            method: [],
            target: [0x2F],
            fields: ["Host": "127.0.0.1:4000", "Origin": "http://127.0.0.1:4000"]
        )
        #expect(
            map.mapRequest(request).fields
                == Fields([("Host", "api.example.com"), ("Origin", "http://127.0.0.1:4000")])
        )
    }

    private func body(_ pieces: [String], _ fields: Fields, _ length: BodyLength = .unknown) -> String? {
        guard var mapping = map.responseBodyMapping(for: ResponseHead(status: 200, fields: fields, bodyLength: length))
        else {
            return nil
        }
        var output: [UInt8] = []
        for piece in pieces { output += mapping.push(Array(piece.utf8)) }
        output += mapping.finish()
        return String(decoding: output, as: UTF8.self)
    }

    @Test func mapsTextHoweverItIsCut() {
        let text =
            "x https://api.example.com/a \"https:\\/\\/api.example.com\\/b\" https://api.example.community https://api.example.com"
        let expected =
            "x http://127.0.0.1:4000/a \"http:\\/\\/127.0.0.1:4000\\/b\" https://api.example.community http://127.0.0.1:4000"
        for cut in 0...text.count {
            let pieces = [String(text.prefix(cut)), String(text.dropFirst(cut))]
            #expect(body(pieces, ["Content-Type": "text/html"]) == expected, "cut at \(cut)")
        }
        #expect(body(text.map(String.init), ["Content-Type": "application/json"]) == expected)
        #expect(body([text], ["Content-Type": "application/json"], .known(text.utf8.count)) == expected)
    }

    @Test func leavesWhatIsNoTextAlone() {
        #expect(body(["https://api.example.com"], ["Content-Type": "image/png"]) == nil)
        // Its messages state their lengths.
        #expect(body(["https://api.example.com"], ["Content-Type": "application/grpc+json"]) == nil)
        #expect(body(["https://api.example.com"], [:]) == "https://api.example.com")
        #expect(
            map.responseBodyMapping(
                for: ResponseHead(status: 206, fields: ["Content-Type": "text/plain"], bodyLength: .unknown)
            ) == nil
        )
    }

    @Test(arguments: [ContentCoding.gzip, .deflate, .brotli])
    func mapsCompressedTextAndLeavesOtherBytesAsTheyWere(_ coding: ContentCoding) throws {
        func mapped(_ text: String) throws -> (before: [UInt8], after: [UInt8]) {
            let bytes = try #require(coding.encode(Array(text.utf8)))
            let fields = Fields([("Content-Type", "text/css"), ("Content-Encoding", coding.name)])
            let head = ResponseHead(status: 200, fields: fields, bodyLength: .unknown)
            var mapping = try #require(map.responseBodyMapping(for: head))
            let early = mapping.push(bytes)
            return (bytes, early + mapping.finish())
        }
        let changed = try mapped("a { background: url(https://api.example.com/x.png) }")
        #expect(
            try coding.decode(changed.after, limit: 1000)
                == Array("a { background: url(http://127.0.0.1:4000/x.png) }".utf8)
        )
        let unchanged = try mapped("a { color: red }")
        #expect(unchanged.before == unchanged.after)
    }

    @Test(arguments: [
        ("http://a", "http://a"), ("HTTPS://A.Example:443/", "https://a.example"), ("http://[::1]:80", "http://[::1]"),
        ("http://[::1]:8000", "http://[::1]:8000"), ("https://a:80", "https://a:80"),
    ])
    func readsOrigins(_ text: String, _ expected: String) {
        #expect(Origin(text)?.description == expected)
    }

    @Test(arguments: [
        "", "a", "ftp://a", "http://", "http://a/b", "http://a?b", "http://u@a", "http://a:0", "http://a:70000",
        "http://::1", "http://a b",
    ])
    func refusesWhatIsNoOrigin(_ text: String) {
        #expect(Origin(text) == nil)
    }

    @Test(arguments: [
        ("application/x-amz-json-1.0", true), ("application/octet-stream", true), (nil, true),
        ("application/atom", true),
        ("image/png", false), ("application/zip", false),
    ])
    func looksAtWhatABodyIs(_ type: String?, _ isMapped: Bool) {
        let text = #" {"url": "https://api.example.com/a"}"#
        for length in [BodyLength.known(text.utf8.count), .unknown] {
            let head = ResponseHead(
                status: 200,
                fields: Fields(type.map { [("Content-Type", $0)] } ?? []),
                bodyLength: length
            )
            var output: [UInt8] = Array(text.utf8)
            if var mapping = map.responseBodyMapping(for: head) {
                output = text.utf8.flatMap { mapping.push([$0]) }
                output += mapping.finish()
            }
            #expect(String(decoding: output, as: UTF8.self).contains("127.0.0.1:4000") == isMapped)
        }
    }

    @Test func whatIsNoTextIsNotHeld() throws {
        let head = ResponseHead(
            status: 200,
            fields: ["Content-Type": "application/octet-stream"],
            bodyLength: .known(10)
        )
        var mapping = try #require(map.responseBodyMapping(for: head))
        #expect(mapping.isUndecided && mapping.push([0x20]).isEmpty)
        #expect(mapping.push([0x89, 0x50]) == [0x20, 0x89, 0x50] && mapping.isUnchanged && !mapping.isCollecting)
        #expect(map.responseBodyMapping(for: head, beginning: [0x89]) == nil)
        #expect(map.responseBodyMapping(for: head, beginning: Array("<a".utf8)) != nil)
    }

    @Test func aLongRequestKeepsTheLengthThatWasSaid() {
        let head = RequestHead(
            method: Array("PUT".utf8),
            target: Array("/".utf8),
            fields: ["Content-Type": "text/plain"],
            bodyLength: .known(BodyMapping.collectLimit + 1)
        )
        #expect(map.requestBodyMapping(for: head) == nil)
    }
}
