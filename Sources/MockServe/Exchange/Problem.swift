import HTTPMessages
import MockServeCore

/// An answer of the server's own, as problem details (RFC 9457).
struct Problem {
    let status: Int
    let title: String
    let detail: String
    /// All of it in one line, for clients that show only that; nil if title and detail say all.
    var oneLine: String?
    /// Further members: names and JSON values.
    var members: [(name: String, json: String)] = []
    /// Fields in addition to `Content-Type` and `Date`.
    var fields = Fields()

    var response: ResponseHead { response(type: "application/problem+json") }

    /// - Parameter type: the media type of the body, if that is sent as another text.
    func response(type: String) -> ResponseHead {
        var fields = Fields([("Content-Type", type), ("Date", HTTPDate.text())])
        for field in self.fields { fields.append(field) }
        return ResponseHead(status: status, reason: ReasonPhrase.standard(status), fields: fields)
    }

    var body: [UInt8] {
        var members = [
            ("title", JSONText.string(title)), ("status", String(status)), ("detail", JSONText.string(detail)),
        ]
        members += self.members.map { ($0.name, $0.json) }
        let lines = members.map { "  \(JSONText.string($0.0)): \($0.1)" }
        return Array("{\n\(lines.joined(separator: ",\n"))\n}\n".utf8)
    }
}
