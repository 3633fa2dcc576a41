import HTTPMessages

/// The structure of a decoded body that does not begin as JSON, for finding what differs.
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
}
