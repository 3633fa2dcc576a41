import CassetteStore
import HTTPMessages
import HTTPWire
import MockServeCore

/// Interaction `number` of a cassette for measuring: what a small JSON API answers.
struct SampleInteraction {
    static let origin = Origin(scheme: .http, host: "api.example.com", port: 80)
    /// Milliseconds since 1970 UTC.
    static let time: Int64 = 1_767_225_600_000

    private let number: Int
    private let bodySize: Int
    private let isPost: Bool
    private let isBinary: Bool

    init(_ number: Int, bodySize: Int, isPost: Bool, isBinary: Bool) {
        self.number = number
        self.bodySize = bodySize
        self.isPost = isPost
        self.isBinary = isBinary
    }

    func interaction(_ writer: CassetteWriter) throws -> NewInteraction {
        var fields: Fields = ["Host": Self.origin.authority, "User-Agent": "bench", "Accept": "*/*"]
        let body = isPost ? Self.requestBody(number) : []
        if isPost {
            fields.append("Content-Type", "application/json")
            fields.append("Content-Length", String(body.count))
        }
        let request = RequestHead(
            method: Array((isPost ? "POST" : "GET").utf8),
            target: Array((isPost ? "/items" : "/items/\(number)").utf8),
            fields: fields,
            bodyLength: isPost ? .known(body.count) : .none
        )
        let response = ResponseHead(
            status: 200,
            reason: Array("OK".utf8),
            fields: [
                "Date": "Thu, 01 Jan 2026 00:00:00 GMT",
                "Content-Type": isBinary ? "application/octet-stream" : "application/json",
                "Content-Length": String(bodySize),
                "Server": "example",
                "ETag": "\"\(number)\"",
            ],
            bodyLength: .known(bodySize)
        )
        return try writer.interaction(
            origin: Self.origin.description,
            request: request,
            body: body,
            response: response,
            responseBody: isBinary ? binaryBody : jsonBody,
            recordedAt: Self.time + Int64(number),
            firstByte: 1,
            chunks: [ResponseChunk(offset: 0, size: bodySize)]
        )
    }

    /// An object whose members fill it up to its size.
    private var jsonBody: [UInt8] {
        var text =
            "{\"id\":\(number),\"name\":\"item \(number)\",\"price\":\(number % 1000).5,\"tags\":[\"a\",\"b\"],\"text\":\""
        let room = bodySize - text.utf8.count - 2
        text += String(String(repeating: "the quick brown fox \(number) ", count: room / 20 + 1).prefix(max(0, room)))
        return Array((text + "\"}").utf8)
    }

    /// Bytes that do not repeat (a linear congruential generator, Knuth's MMIX).
    private var binaryBody: [UInt8] {
        var state = UInt64(number)
        return (0..<bodySize).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    /// 1,024 bytes with about 25 members.
    static func requestBody(_ number: Int) -> [UInt8] {
        var text = "{\"id\":\(number)"
        for index in 0..<24 { text += ",\"member\(index)\":\"value \(index) of some length\"" }
        let room = 1024 - text.utf8.count - 11
        text += ",\"padding\":\""
        return Array((text + String(repeating: "x", count: max(0, room - 3)) + "\"}").utf8)
    }
}
