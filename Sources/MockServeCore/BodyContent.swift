import HTTPWire

/// What a decoded body is taken for where requests are told apart: by what it is, and only then by what it is labelled as.
enum BodyContent: Equatable {
    case form
    case multipart(boundary: [UInt8])
    case other

    /// By its label.
    init(_ fields: Fields) {
        guard let type = fields.first("content-type").map({ MediaType($0) }) else {
            self = .other
            return
        }
        if type.essence == "application/x-www-form-urlencoded" {
            self = .form
        } else {
            self = Multipart.boundary(type).map { .multipart(boundary: $0) } ?? .other
        }
    }

    /// Whether a body begins as a JSON object or array, whatever it is labelled as: many clients send JSON as
    /// `application/octet-stream`, `application/x-amz-json-1.1`, `text/plain` or as a form.
    static func looksLikeJSON(_ body: [UInt8]) -> Bool {
        let text = body.starts(with: [0xEF, 0xBB, 0xBF]) ? body.dropFirst(3) : body[...]
        let first = text.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    }
}
