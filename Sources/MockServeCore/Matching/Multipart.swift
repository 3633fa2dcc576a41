import HTTPMessages

/// Multipart bodies (RFC 2046 §5.1, RFC 7578) compared by their parts, whatever the boundary.
enum Multipart {
    /// How deep multipart bodies may nest in each other; deeper ones are compared by bytes.
    static let maximumDepth = 8

    struct Part {
        /// `name:value` lines, names in lower case, sorted.
        let fields: [[UInt8]]
        let body: ArraySlice<UInt8>

        private func value(of field: String) -> ArraySlice<UInt8>? {
            let prefix = Array("\(field):".utf8)
            return fields.first { $0.starts(with: prefix) }?.dropFirst(prefix.count)
        }

        /// The `name` of its `Content-Disposition` (RFC 7578 §4.2).
        var name: [UInt8]? { value(of: "content-disposition").flatMap { MediaType($0).parameter("name") } }

        var type: MediaType? { value(of: "content-type").map { MediaType($0) } }

        /// Its boundary, if it is a multipart body itself.
        var nestedBoundary: [UInt8]? { type.flatMap(Multipart.boundary) }
    }

    /// - Returns: nil if bodies of this type are not compared by their parts.
    static func boundary(_ type: MediaType) -> [UInt8]? {
        switch type.essence {
        case "multipart/form-data", "multipart/mixed", "multipart/related", "multipart/alternative":
            type.parameter("boundary")
        default: nil
        }
    }

    /// - Returns: nil if `body` is not a well-formed multipart body with this boundary.
    static func parts(of body: [UInt8], boundary: [UInt8]) -> [Part]? {
        guard !boundary.isEmpty, boundary.count <= 200 else { return nil }
        let delimiter = Array("\r\n--".utf8) + boundary
        // The first delimiter may be at the very start, without the line end before it.
        let text = Array("\r\n".utf8) + body
        let starts = occurrences(of: delimiter, in: text)
        guard let last = starts.last, text[(last + delimiter.count)...].starts(with: "--".utf8) else { return nil }
        var parts: [Part] = []
        for (start, end) in zip(starts, starts.dropFirst()) {
            guard let part = part(text[(start + delimiter.count)..<end]) else { return nil }
            parts.append(part)
        }
        return parts
    }

    private static func part(_ bytes: ArraySlice<UInt8>) -> Part? {
        // Spaces may follow the boundary on its line.
        var rest = bytes.drop { $0 == 0x20 || $0 == 0x09 }
        guard rest.starts(with: "\r\n".utf8) else { return nil }
        rest = rest.dropFirst(2)
        var fields: [[UInt8]] = []
        while let end = rest.firstIndex(of: 0x0A) {
            let line = rest[..<end].last == 0x0D ? rest[..<end].dropLast() : rest[..<end]
            rest = rest[(end + 1)...]
            if line.isEmpty { return Part(fields: fields.sorted { $0.lexicographicallyPrecedes($1) }, body: rest) }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            fields.append(
                line[..<colon].map(lowercased) + [UInt8(ascii: ":")] + trimmingSpace(line[(colon + 1)...])
            )
        }
        // A part may have no fields and no body at all.
        return rest.isEmpty && fields.isEmpty ? Part(fields: [], body: []) : nil
    }

    /// Offsets at which `pattern` is a whole delimiter: followed by white space, the end of its line or `--`.
    private static func occurrences(of pattern: [UInt8], in text: [UInt8]) -> [Int] {
        var found: [Int] = []
        var index = 0
        while let start = text.firstOffset(of: pattern, from: index) {
            let after = text[(start + pattern.count)...]
            let isDelimiter =
                after.starts(with: "--".utf8) || after.first == 0x0D || after.first == 0x20
                || after.first == 0x09
            if isDelimiter { found.append(start) }
            index = start + (isDelimiter ? pattern.count : 1)
        }
        return found
    }
}
