import MockServeCore

/// What the body of a request looks like, where nothing says so.
enum BodyType {
    /// - Returns: nil for what may be anything.
    static func guess(_ body: [UInt8]) -> String? {
        guard let text = String(validating: body, as: UTF8.self), let first = text.first else { return nil }
        if first == "{" || first == "[", JSONValue(body) != nil { return "application/json" }
        if let match = text.prefixMatch(of: /--([0-9A-Za-z'()+_,.\/:=? -]{1,70})\r\nContent-Disposition:/) {
            return "multipart/form-data; boundary=\(match.output.1)"
        }
        let isForm = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && text.contains("=") && !text.hasPrefix("=")
        return isForm && text.wholeMatch(of: /[^<>{}"\\]+/) != nil ? "application/x-www-form-urlencoded" : nil
    }
}
