import CassetteFormats
import ContentCoding
import HTTPMessages
import MockServeCore

/// Interactions of all kinds, from a seed.
struct GeneratedInteractions {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    private mutating func number(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state >> 11) % bound
    }

    private mutating func chance(_ percent: Int) -> Bool { number(100) < percent }

    private mutating func pick<Element>(_ elements: [Element]) -> Element { elements[number(elements.count)] }

    mutating func next() -> WholeInteraction {
        let method = pick(["GET", "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "M-SEARCH"])
        let hasBody = method != "GET"
        var request = RequestHead(
            method: Array(method.utf8),
            target: target(),
            version: pick([.http11, .http11, .http10, .http2])
        )
        let status = pick([200, 200, 201, 299, 302, 404, 500, 799])
        var response = ResponseHead(version: pick([.http11, .http11, .http10, .http2]), status: status)
        let requestBody = hasBody ? body() : []
        var responseBody = body()
        request.fields = fields()
        response.fields = fields()
        if chance(20), let coded = ContentCoding.gzip.encode(responseBody) {
            responseBody = coded
            response.fields.append("Content-Encoding", "gzip")
        }
        if !requestBody.isEmpty || chance(10) { request.fields.append("Content-Length", String(requestBody.count)) }
        if chance(50) { response.fields.append("Content-Length", String(responseBody.count)) }
        if response.version != .http2 {
            response.reason =
                chance(70) ? ReasonPhrase.standard(status) : Array(pick(["", "Très bien", "So it is"]).utf8)
        }
        var interaction = WholeInteraction(
            origin: pick(["https://api.example.com", "http://127.0.0.1:8080", "http://[::1]:9000", ""]),
            request: request,
            requestBody: requestBody,
            response: response,
            responseBody: responseBody
        )
        interaction.recordedAt = Int64(number(2_000_000_000)) * 1000 + (chance(50) ? Int64(number(1000)) : 0)
        if chance(50) { interaction.firstByte = number(5000) }
        if chance(30), responseBody.count > 4 {
            interaction.chunks = [.init(offset: 0, size: 4), .init(offset: number(99), size: responseBody.count - 4)]
        }
        if chance(15) { interaction.responseTrailers = Fields([("X-Checksum", "1"), ("Grpc-Status", "0")]) }
        if chance(10) { interaction.requestTrailers = Fields([("X-End", "yes")]) }
        if chance(10) { interaction.informational = [ResponseHead(status: 103, reason: Array("Early Hints".utf8))] }
        if chance(5) { interaction.cut = AnswerCut(.reset, offset: 3) }
        return interaction
    }

    private mutating func target() -> [UInt8] {
        var target = Array(pick(["/", "/v1/items", "/a%2Fb", "/%E4%BD%A0", "/x//y/../z", "/e:f@g,h;i=j"]).utf8)
        if chance(10) { target += [0xC3, 0xA9, 0xFF] }
        if chance(50) {
            target += Array(pick(["?", "?a=1", "?a=1&a=2&b", "?q=%20+x", "?x[]=1|2", "?u=http://e.com/?y=1"]).utf8)
        }
        return target
    }

    private mutating func fields() -> Fields {
        var fields = Fields()
        for _ in 0..<number(6) {
            let name = pick([
                "Accept", "X-Id", "x-id", "Set-Cookie", "ETag", "Via", "X_under", "Date", "X-Empty", "Null",
            ])
            let values: [[UInt8]] = [
                Array("a".utf8), Array("a: b, c; d=\"e\\\"f\"".utf8), [], Array("null".utf8), Array("*x &y !z %w".utf8),
                Array("ünï".utf8), [0x61, 0xE9, 0xFF], Array("- #not a comment".utf8), Array("1.0".utf8),
                Array("yes".utf8),
                Array("{a} [b] % <c> &amp;".utf8), [0x09, 0x61].reversed(), Array("\u{85}\u{2028}\u{FEFF}x".utf8),
            ]
            fields.append(name: Array(name.utf8), value: Array(trimmingSpace(pick(values))))
        }
        return fields
    }

    private mutating func body() -> [UInt8] {
        switch number(8) {
        case 0: []
        case 1: Array(#"{"a": [1, 2.50, "x\u0000y"], "b": null}"#.utf8)
        case 2: (0..<(1 + number(300))).map { _ in UInt8(number(256)) }
        case 3: Array("line one\nline two\r\n\n  indented\ttab\n- x: y\n# no\n".utf8)
        case 4: Array("\u{FEFF}byte order, \u{1F600}, \u{7F}\u{80}\u{9F}\u{2029}\u{FFFE}\u{FFFF}\0".utf8)
        case 5: Array("---\n...\n!!binary |\n".utf8)
        case 6: Array("a=1&b=%20&c".utf8)
        default: Array(repeating: UInt8(ascii: "x"), count: 5000) + Array("é".utf8)
        }
    }
}
