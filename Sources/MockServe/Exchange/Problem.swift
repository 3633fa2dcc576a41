import HTTPMessages
import MockServeCore

/// An answer of the server's own, as problem details (RFC 9457).
struct Problem {
    let status: Int
    let title: String
    let detail: String
    /// Further members: names and JSON texts.
    var members: [(name: String, json: String)] = []
    /// Fields in addition to `Content-Type` and `Date`.
    var fields = Fields()

    var response: ResponseHead { response(type: "application/problem+json") }

    /// - Parameter type: of the body, if it is another text for the same.
    func response(type: String) -> ResponseHead {
        var fields = Fields([("Content-Type", type), ("Date", HTTPDate.text())])
        for field in self.fields { fields.append(field) }
        return ResponseHead(status: status, reason: ReasonPhrase.standard(status), fields: fields)
    }

    var body: [UInt8] {
        var members = [
            ("title", jsonString(title)), ("status", String(status)), ("detail", jsonString(detail)),
        ]
        members += self.members.map { ($0.name, $0.json) }
        let lines = members.map { "  \(jsonString($0.0)): \($0.1)" }
        return Array("{\n\(lines.joined(separator: ",\n"))\n}\n".utf8)
    }
}

/// A JSON string (RFC 8259 §7).
func jsonString(_ text: String) -> String {
    var output = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": output += "\\\""
        case "\\": output += "\\\\"
        case "\n": output += "\\n"
        case "\r": output += "\\r"
        case "\t": output += "\\t"
        case _ where scalar.value < 0x20:
            let digits = String(scalar.value, radix: 16)
            output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: output.unicodeScalars.append(scalar)
        }
    }
    return output + "\""
}
